# SPDX-License-Identifier: Apache-2.0
"""libbpf.so.1 through ctypes: pins, maps, links and the ring buffer.

BCC brings the library along, but this file never needs BCC: the sensor stays
small by opening what the loader pinned. Signatures are those of libbpf 1.0.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import struct
import weakref
from typing import TYPE_CHECKING

from sensor.errors import NoRoomError, NotPermittedError, SensorError, UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator

_INT, _U32, _PTR, _STR = ctypes.c_int, ctypes.c_uint32, ctypes.c_void_p, ctypes.c_char_p
SAMPLE = ctypes.CFUNCTYPE(_INT, _PTR, _PTR, ctypes.c_size_t)
_SIGNATURES: dict[str, tuple[type | None, list[type]]] = {
    "bpf_obj_get": (_INT, [_STR]),
    "bpf_obj_pin": (_INT, [_INT, _STR]),
    "bpf_map_lookup_elem": (_INT, [_INT, _PTR, _PTR]),
    "bpf_map_update_elem": (_INT, [_INT, _PTR, _PTR, ctypes.c_uint64]),
    "bpf_map_delete_elem": (_INT, [_INT, _PTR]),
    "bpf_map_get_next_key": (_INT, [_INT, _PTR, _PTR]),
    "bpf_raw_tracepoint_open": (_INT, [_STR, _INT]),
    "bpf_link_create": (_INT, [_INT, _INT, _INT, _PTR]),
    "bpf_obj_get_info_by_fd": (_INT, [_INT, _PTR, ctypes.POINTER(_U32)]),
    "bpf_prog_load": (_INT, [_INT, _STR, _STR, _PTR, ctypes.c_size_t, _PTR]),
    "bpf_prog_get_fd_by_id": (_INT, [_U32]),
    "bpf_map_create": (_INT, [_INT, _STR, _U32, _U32, _U32, _PTR]),
    "bpf_btf_load": (_INT, [_PTR, ctypes.c_size_t, _PTR]),
    "libbpf_find_vmlinux_btf_id": (_INT, [_STR, _INT]),
    "libbpf_version_string": (_STR, []),
    "libbpf_set_print": (_PTR, [_PTR]),
    "libbpf_num_possible_cpus": (_INT, []),
    "ring_buffer__new": (_PTR, [_INT, SAMPLE, _PTR, _PTR]),
    "ring_buffer__consume": (_INT, [_PTR]),
    "ring_buffer__epoll_fd": (_INT, [_PTR]),
    "ring_buffer__free": (None, [_PTR]),
}

BPF_ANY, _BPF_NOEXIST, _BPF_EXIST = 0, 1, 2


@functools.cache
def library() -> ctypes.CDLL:
    """Give the library, with the signatures of what is called here and in libbpf_ring."""
    try:
        library = ctypes.CDLL("libbpf.so.1", use_errno=True)
    except OSError as problem:
        raise UnsupportedError(
            "libbpf.so.1 is not installed: install the package libbpf1 (python3-bpfcc needs it too)"
        ) from problem
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
    library.libbpf_set_print(None)
    return library


def check(result: int, what: str) -> int:
    """Give ``result`` back, or raise what the kernel said of ``what``."""
    if result >= 0:
        return result
    number = ctypes.get_errno() or -result
    message = f"{what}: {os.strerror(number)}"
    if number in {errno.EPERM, errno.EACCES}:
        raise NotPermittedError(
            f"{message}; run it as root (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)"
        )
    raise SensorError(message)


def open_pin(path: str) -> int:
    """Open a pinned map, program or link. Returns a file descriptor that the caller owns."""
    return check(library().bpf_obj_get(os.fsencode(path)), f"cannot open the pin {path}")


def pin(fd: int, path: str) -> None:
    """Give what ``fd`` is open on a name in bpffs, so that it outlives this process."""
    check(library().bpf_obj_pin(fd, os.fsencode(path)), f"cannot pin {path}")


def attach_raw_tracepoint(program: int, name: str | None) -> int:
    """Attach a program to a raw tracepoint, host-wide. Returns the link's descriptor.

    A program of a security module has no ``name``: the kernel knows where it belongs.
    """
    result = library().bpf_raw_tracepoint_open(name and name.encode(), program)
    return check(result, f"cannot attach {name or 'to the security module'}")


def attach_cgroup(program: int, cgroup: int, attach_type: int) -> int:
    """Attach a program to a cgroup (an open directory). Returns the link's descriptor."""
    result = int(library().bpf_link_create(program, cgroup, attach_type, None))
    what = f"cannot attach to the cgroup (type {attach_type})"
    if result == -errno.EPERM:  # kernel/bpf/cgroup.c: BPF_F_ALLOW_MULTI was not given there
        raise NotPermittedError(
            f"{what}: {os.strerror(errno.EPERM)}; a program there or above it admits no other"
            " (bpftool cgroup tree names it), or the right is missing (CAP_NET_ADMIN)"
        )
    return check(result, what)


class _LinkInfo(ctypes.Structure):
    """``struct bpf_link_info`` of include/uapi/linux/bpf.h, as far as it is read here."""

    _fields_ = (("type", _U32), ("id", _U32), ("prog_id", _U32), ("rest", ctypes.c_uint8 * 116))


def program_of(link: int) -> int:
    """Tell the id of the program that a link keeps attached."""
    info, size = _LinkInfo(), _U32(ctypes.sizeof(_LinkInfo))
    result = library().bpf_obj_get_info_by_fd(link, ctypes.byref(info), ctypes.byref(size))
    check(result, "cannot read what a link holds")
    return int(info.prog_id)


class _LoadOptions(ctypes.Structure):
    """``struct bpf_prog_load_opts`` of bpf/bpf.h; ``sz`` says how much of it is given."""

    _fields_ = (
        ("sz", ctypes.c_size_t),
        ("attempts", _INT),
        ("expected_attach_type", _INT),
        ("prog_btf_fd", _U32),
        ("prog_flags", _U32),
        ("prog_ifindex", _U32),
        ("kern_version", _U32),
        ("attach_btf_id", _U32),
        ("attach_prog_fd", _U32),
        ("attach_btf_obj_fd", _U32),
        ("fd_array", _PTR),
        ("func_info", _PTR),
        ("func_info_cnt", _U32),
        ("func_info_rec_size", _U32),
        ("line_info", _PTR),
        ("line_info_cnt", _U32),
        ("line_info_rec_size", _U32),
        ("log_level", _U32),
        ("log_size", _U32),
        ("log_buf", _PTR),
    )


# struct bpf_insn of include/uapi/linux/bpf.h: code, registers, offset, immediate.
_INSTRUCTION = struct.Struct("<BBhi")
_RETURN_0 = _INSTRUCTION.pack(0xB7, 0, 0, 0) + _INSTRUCTION.pack(0x95, 0, 0, 0)


_NAME_BYTES = 15
"""include/uapi/linux/bpf.h: BPF_OBJ_NAME_LEN, without the NUL."""

_LOG_BYTES = 1 << 20


def load_program(code: bytes, kind: int, attach_type: int, *, name: str, function: str = "") -> int:
    """Load a program of this BPF_PROG_TYPE_* and attach type. Returns its descriptor.

    ``function`` is the kernel's function whose hook it is for. Raises
    UnsupportedError with the last that the verifier said of it.
    """
    lib = library()
    options = _LoadOptions(sz=ctypes.sizeof(_LoadOptions), expected_attach_type=attach_type)
    if function:
        found = lib.libbpf_find_vmlinux_btf_id(function.encode(), attach_type)
        if found < 0:
            raise UnsupportedError(f"the kernel has no hook {function}, which {name} is for")
        options.attach_btf_id = found
    short = name.encode()[:_NAME_BYTES]
    count = len(code) // _INSTRUCTION.size
    program = lib.bpf_prog_load(kind, short, b"GPL", code, count, ctypes.byref(options))
    if program >= 0:
        return int(program)
    log = ctypes.create_string_buffer(_LOG_BYTES)
    options.log_level, options.log_size, options.log_buf = 1, _LOG_BYTES, ctypes.addressof(log)
    lib.bpf_prog_load(kind, short, b"GPL", code, count, ctypes.byref(options))
    said = log.value.decode("utf-8", "backslashreplace").strip().splitlines()
    verifier = f" ({said[-2] if said[-1].startswith('processed') else said[-1]})" if said else ""
    raise UnsupportedError(
        f"the kernel refused the program {name}: {os.strerror(-program)}{verifier};"
        " agent-sensor doctor says what it can do"
    )


def _read_kernel() -> bytes:
    """Write ``bpf_probe_read_kernel(fp - 8, 8, NULL)``."""
    codes = ((0xBF, 0xA1, 0), (0x07, 1, -8), (0xB7, 2, 8), (0xB7, 3, 0), (0x85, 0, 113))
    return b"".join(_INSTRUCTION.pack(code, at, 0, number) for code, at, number in codes)


def version() -> str:
    """Name the library's version. Raises UnsupportedError where it is not installed."""
    return str(library().libbpf_version_string().decode())


def try_program(
    kind: int,
    attach_type: int | None = None,
    *,
    function: str = "",
    attach: bool = False,
    reads_kernel: bool = False,
) -> int:
    """Load the least program of a type and let it go. Returns 0, or the errno of the refusal.

    ``function`` is the kernel's function that it is for. ``attach`` attaches it
    there for a moment too. libbpf's own probes are not asked: they go by the
    words of the verifier's log, and those of libbpf 1.1 take a helper that
    lockdown forbids on 6.12, or one asked for without rights, for supported.
    """
    lib = library()
    options = _LoadOptions(sz=ctypes.sizeof(_LoadOptions), expected_attach_type=attach_type or 0)
    if function:
        found = lib.libbpf_find_vmlinux_btf_id(function.encode(), attach_type or 0)
        if found < 0:
            return errno.ENOENT
        options.attach_btf_id = found
    code = (_read_kernel() if reads_kernel else b"") + _RETURN_0
    count = len(code) // _INSTRUCTION.size
    program = lib.bpf_prog_load(kind, b"ask", b"GPL", code, count, ctypes.byref(options))
    if program < 0:
        return -int(program)
    try:
        return _close(lib.bpf_raw_tracepoint_open(None, program)) if attach else 0
    finally:
        os.close(program)


def try_map(kind: int, entries: int) -> int:
    """Make a map that has neither keys nor values, and let it go. Returns 0, or the errno."""
    return _close(library().bpf_map_create(kind, None, 0, 0, entries, None))


def _close(fd: int) -> int:
    """Close what a trial opened. Returns 0, or the errno where it opened nothing."""
    if fd < 0:
        return -fd
    os.close(fd)
    return 0


class Map:
    """One BPF map: keys and values are bytes of its own sizes. What it ``owns`` ends with it."""

    def __init__(self, fd: int, *, owns: bool = False) -> None:
        self.fd = fd
        if owns:
            weakref.finalize(self, os.close, fd).atexit = False

    def update(self, key: bytes, value: bytes) -> None:
        """Set an entry. Raises SensorError when the map is full."""
        result = library().bpf_map_update_elem(self.fd, key, value, BPF_ANY)
        check(result, "cannot write a map entry")

    def insert(self, key: bytes, value: bytes) -> bool:
        """Add an entry. Returns False where the key has one. Raises NoRoomError when it is full."""
        result = library().bpf_map_update_elem(self.fd, key, value, _BPF_NOEXIST)
        if result < 0 and ctypes.get_errno() == errno.EEXIST:
            return False
        if result < 0 and ctypes.get_errno() in {errno.E2BIG, errno.ENOMEM}:
            raise NoRoomError("the kernel's table is full; end what it is full of")
        check(result, "cannot add a map entry")
        return True

    def replace(self, key: bytes, value: bytes) -> bool:
        """Change an entry. Returns False where the key has none."""
        return bool(library().bpf_map_update_elem(self.fd, key, value, _BPF_EXIST) == 0)

    def delete(self, key: bytes) -> bool:
        """Remove an entry. Returns False where there was none."""
        return bool(library().bpf_map_delete_elem(self.fd, key) == 0)

    def items(self, key_bytes: int, value_bytes: int) -> Iterator[tuple[bytes, bytes]]:
        """Walk a hash map that others write meanwhile: what is there all the time comes once."""
        key, following = None, ctypes.create_string_buffer(key_bytes)
        while library().bpf_map_get_next_key(self.fd, key, following) == 0:
            key = following.raw
            if (value := self.lookup(key, value_bytes)) is not None:
                yield key, value

    def lookup(self, key: bytes, value_bytes: int) -> bytes | None:
        """Give a copy of an entry of ``value_bytes`` bytes, or None."""
        value = ctypes.create_string_buffer(value_bytes)
        found = library().bpf_map_lookup_elem(self.fd, key, value) == 0
        return value.raw if found else None

    def sums(self, slots: int) -> Iterator[int]:
        """Add up the u64 of each slot of a per-CPU array over all CPUs."""
        cpus = library().libbpf_num_possible_cpus()
        for slot in range(slots):
            value = self.lookup(slot.to_bytes(4, "little"), 8 * cpus)
            yield sum(memoryview(value).cast("Q")) if value else 0
