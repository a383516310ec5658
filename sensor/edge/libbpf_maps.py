# SPDX-License-Identifier: Apache-2.0
"""Maps made through libbpf, of the shapes that BCC has made once."""

from __future__ import annotations

import ctypes
import os
import struct

from sensor.edge.libbpf import check, library
from sensor.wire.code import Shape

_U32 = ctypes.c_uint32
_NAME_BYTES = 15  # include/uapi/linux/bpf.h: BPF_OBJ_NAME_LEN, without the NUL
_SK_STORAGE = 24  # include/uapi/linux/bpf.h: BPF_MAP_TYPE_SK_STORAGE
# Documentation/bpf/btf.rst: the header, kinds of types, and how an integer is encoded.
_BTF_HEADER = struct.Struct("<HBBIIIII")
_BTF_MAGIC, _BTF_VERSION = 0xEB9F, 1
_BTF_KIND_INT, _BTF_KIND_ARRAY = 1 << 24, 3 << 24
_BTF_WORD, _BTF_BYTE, _BTF_VALUE = 1, 2, 3


class _MapInfo(ctypes.Structure):
    """``struct bpf_map_info`` of include/uapi/linux/bpf.h, as far as it is read here."""

    _fields_ = (
        ("type", _U32),
        ("id", _U32),
        ("key_size", _U32),
        ("value_size", _U32),
        ("max_entries", _U32),
        ("map_flags", _U32),
        ("rest", ctypes.c_uint8 * 104),
    )


class _CreateOptions(ctypes.Structure):
    """``struct bpf_map_create_opts`` of bpf/bpf.h; ``sz`` says how much of it is given."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("btf_fd", _U32),
        ("btf_key_type_id", _U32),
        ("btf_value_type_id", _U32),
        ("btf_vmlinux_value_type_id", _U32),
        ("inner_map_fd", _U32),
        ("map_flags", _U32),
    )


def shape(fd: int) -> Shape:
    """Ask the kernel for what a map was made by."""
    info, size = _MapInfo(), _U32(ctypes.sizeof(_MapInfo))
    result = library().bpf_obj_get_info_by_fd(fd, ctypes.byref(info), ctypes.byref(size))
    check(result, "cannot read what a map is")
    return Shape(info.type, info.key_size, info.value_size, info.max_entries, info.map_flags)


def make(name: str, shape: Shape) -> int:
    """Make an empty map. Returns its descriptor, which the caller owns."""
    options = _CreateOptions(sz=ctypes.sizeof(_CreateOptions), map_flags=shape.flags)
    if shape.kind != _SK_STORAGE:
        return _made(name, shape, options)
    # Which there is none of without types.
    options.btf_fd = _types(shape.value_bytes)
    options.btf_key_type_id, options.btf_value_type_id = _BTF_WORD, _BTF_VALUE
    try:
        return _made(name, shape, options)
    finally:
        os.close(options.btf_fd)


def _made(name: str, shape: Shape, options: _CreateOptions) -> int:
    fd = library().bpf_map_create(
        shape.kind,
        name.encode()[:_NAME_BYTES],
        shape.key_bytes,
        shape.value_bytes,
        shape.entries,
        ctypes.byref(options),
    )
    return check(fd, f"cannot make the map {name}")


def _types(value_bytes: int) -> int:
    """Give the kernel the least types there are: a word, and a value of so many bytes."""
    strings = b"\0word\0byte\0"
    types = b"".join(
        struct.pack(f"<{len(numbers)}I", *numbers)
        for numbers in (
            (strings.index(b"word"), _BTF_KIND_INT, 4, 32),
            (strings.index(b"byte"), _BTF_KIND_INT, 1, 8),
            (0, _BTF_KIND_ARRAY, 0, _BTF_BYTE, _BTF_WORD, value_bytes),
        )
    )
    sizes = (_BTF_HEADER.size, 0, len(types), len(types), len(strings))
    text = _BTF_HEADER.pack(_BTF_MAGIC, _BTF_VERSION, 0, *sizes) + types + strings
    return check(library().bpf_btf_load(text, len(text), None), "cannot describe a map's types")
