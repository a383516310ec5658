# SPDX-License-Identifier: Apache-2.0
"""The header tree says where members lie, and what is absent is said by name."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.btf import Blob

from sensor.errors import BadInputError, SensorError, UnsupportedError
from sensor.wire.btf import Btf
from sensor.wire.btf_records import Kind
from sensor.wire.headers import header_tree, missing

PROBES = Path(__file__).parents[2] / "probes"
VMLINUX = Path("/sys/kernel/btf/vmlinux")

TYPES = """
[inode]
i_ino = "i_ino"
i_ctime_sec = "i_ctime_sec | __i_ctime.tv_sec | i_ctime.tv_sec"
i_sb = "i_sb"
odd = "odd"

[mount]
root = "mnt.mnt_root"
mnt = "mnt"
loginuid = { at = "loginuid.val", optional = true, type = "u32", why = "CONFIG_AUDIT" }
name = { at = "name", optional = true, type = "u8[16]", why = "CONFIG_NAME" }
"""

GOLDEN = """\
#ifndef KERNEL_TYPES_H
#define KERNEL_TYPES_H
#include <linux/types.h>

struct inode;
struct mount;

struct inode {
	union {
		struct { u64 i_ino; };
		struct { u8 before_i_ctime_sec[16]; s64 i_ctime_sec; };
		struct { u8 before_i_sb[24]; void *i_sb; };
		struct { u8 before_odd[33]; u16 odd; } __attribute__((packed));
	};
};
_Static_assert(__builtin_offsetof(struct inode, i_ino) == 0, "inode.i_ino");
_Static_assert(__builtin_offsetof(struct inode, i_ctime_sec) == 16, "inode.i_ctime_sec");
_Static_assert(__builtin_offsetof(struct inode, i_sb) == 24, "inode.i_sb");
_Static_assert(__builtin_offsetof(struct inode, odd) == 33, "inode.odd");

struct mount {
	union {
		struct { u8 before_root[40]; struct inode *root; };
		struct { u8 before_mnt[32]; u8 mnt[16]; };
		struct { u32 loginuid; };
		struct { u8 before_name[48]; s8 name[16]; };
	};
};
_Static_assert(__builtin_offsetof(struct mount, root) == 40, "mount.root");
enum { OFFSET_mount_mnt = 32 };
_Static_assert(__builtin_offsetof(struct mount, mnt) == 32, "mount.mnt");
enum { HAVE_mount_loginuid = 0 };
enum { HAVE_mount_name = 1 };
_Static_assert(__builtin_offsetof(struct mount, name) == 48, "mount.name");

#endif
"""


def kernel() -> Blob:
    """Give the types of a small kernel of before 6.11."""
    blob = Blob()
    u64, s64, u16 = blob.integer(8), blob.integer(8, signed=True), blob.integer(2)
    time = blob.struct("timespec64", ("tv_sec", s64, 0), ("tv_nsec", s64, 64), size=16)
    super_block = blob.alias(Kind.PTR, blob.struct("super_block"))
    inode = blob.struct(
        "inode",
        ("i_ino", u64, 0),
        ("__i_ctime", time, 128),
        ("i_sb", super_block, 192),
        ("odd", u16, 264),
    )
    root = blob.struct("vfsmount", ("mnt_root", blob.alias(Kind.PTR, inode), 64), size=16)
    name = blob.array(blob.integer(1, signed=True), 16)
    blob.struct("mount", ("mnt", root, 256), ("name", name, 384))
    return blob


def tree(types: str, blob: Blob) -> dict[str, str]:
    """Write the tree for the types in ``probes/types.toml``."""
    return header_tree(types, Btf(blob.made(), where="vmlinux"), where="types.toml")


def written(texts: dict[str, str], folder: Path) -> Path:
    """Put a tree into a folder, and give the folder that ``#include`` starts from."""
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder / "include"


def compiles(include: Path) -> None:
    """Have the C compiler check all static assertions, with no header but ours."""
    flags = ["-std=gnu11", "-Wall", "-Wextra", "-Werror", "-nostdinc", f"-I{include}"]
    command = ["cc", *flags, "-fsyntax-only", "-xc", "-"]
    subprocess.run(command, input="#include <kernel_types.h>\n", text=True, check=True)


def test_the_header_has_each_member_at_its_place() -> None:
    """Numbers, listed and other structs, what is embedded, what is absent."""
    assert tree(TYPES, kernel())["include/kernel_types.h"] == GOLDEN


def test_the_header_compiles(tmp_path: Path) -> None:
    """The compiler finds every member where the kernel has it."""
    compiles(written(tree(TYPES, kernel()), tmp_path))


def test_the_tree_has_what_bcc_looks_for() -> None:
    """The first file is how it tells a folder of headers; it brings its own bpf.h."""
    texts = tree(TYPES, kernel())
    assert "CONFIG_BPF_SYSCALL" in texts["include/linux/kconfig.h"]
    assert texts["include/uapi/linux/bpf.h"] == ""


def test_the_kernel_that_lacks_a_member_is_refused() -> None:
    """All that is absent is named at once, with the places that were tried."""
    types = '[inode]\na = "x | y.z"\nb = "w"\n[tcp_sock]\nc = "c"\nd = "d"\n'
    reason = (
        "vmlinux: struct inode has none of x, y.z; struct inode has none of w; there is no"
        " struct tcp_sock: the probes read it and know no other place; update agent-sensor,"
        " or add where it lies in this kernel to types.toml"
    )
    with pytest.raises(UnsupportedError, match=f"^{re.escape(reason)}$"):
        tree(types, kernel())


def test_what_is_missing_is_listed() -> None:
    """The optional ones too, with what they depend on."""
    types = TYPES + '[tcp_sock]\nbytes = "bytes"\n'
    gone = missing(types, Btf(kernel().made()), where="types.toml")
    assert [(str(absent), absent.wish.why) for absent in gone] == [
        ("struct mount has none of loginuid.val", "CONFIG_AUDIT"),
        ("there is no struct tcp_sock", ""),
    ]


WRONG = {
    "inode = 3": "types.toml: inode: expected a table of members",
    "[inode]": "types.toml: inode: expected a table of members",
    "[inode": "types.toml: Expected ']'",
    "[inode]\na = 3": "types.toml: [inode] a: expected a place, or { at = ",
    '[inode]\na = { at = "b" }': "types.toml: [inode] a: expected a place, or { at = ",
    '[inode]\na = "b..c"': 'types.toml: [inode] a: "b..c": expected member names joined by dots',
    '[inode]\na = "b |"': 'types.toml: [inode] a: "": expected member names joined by dots',
    '[inode]\n"a;" = "b"': "types.toml: [inode] a;: struct and member have to be names in C",
    '["in ode"]\na = "b"': "types.toml: [in ode] a: struct and member have to be names in C",
    '[inode]\na = { at = "b", optional = true, type = "int", why = "" }': (
        'types.toml: [inode] a: type = "int": expected u8 to u64'
    ),
}


@pytest.mark.parametrize("types", WRONG)
def test_a_wrong_list_of_types_is_refused_with_its_place(types: str) -> None:
    """The error names file, struct and member, and what was expected."""
    with pytest.raises(BadInputError, match=f"^{re.escape(WRONG[types])}"):
        tree(types, kernel())


place = st.text('ab_.| "{}=', max_size=12)


@given(st.one_of(st.text(), place.map("[inode]\ni_ino = {}".format)))
def test_any_list_of_types_gives_a_tree_or_an_error_of_ours(types: str) -> None:
    """Whatever stands in the file."""
    try:
        texts = tree(types, kernel())
    except SensorError:
        return
    assert "include/kernel_types.h" in texts


@pytest.mark.skipif(not VMLINUX.exists(), reason=f"no {VMLINUX}: boot a kernel with BTF")
def test_this_kernel_has_all_that_the_probes_read(tmp_path: Path) -> None:
    """The real list and the real types make a header that compiles."""
    types = (PROBES / "types.toml").read_text("utf-8")
    btf = Btf(VMLINUX.read_bytes())
    compiles(written(header_tree(types, btf, where="types.toml"), tmp_path))


def test_nothing_is_listed_that_the_probes_do_not_read() -> None:
    """A member that nobody reads could still keep the sensor from starting."""
    sources = "".join(path.read_text("utf-8") for path in PROBES.glob("*.[ch]"))
    types = (PROBES / "types.toml").read_text("utf-8")
    listed = [gone.wish for gone in missing(types, Btf(Blob().made()), where="types.toml")]
    unread = [
        f"{wish.struct}.{wish.name}"
        for wish in listed
        if not re.search(rf"\b(OFFSET_{wish.struct}_)?{wish.name}\b", sources)
    ]
    assert listed
    assert not unread
