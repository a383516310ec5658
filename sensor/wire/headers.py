# SPDX-License-Identifier: Apache-2.0
"""The header tree that BCC compiles the probes with, made from the running kernel's BTF.

It stands in for kernel headers. ``probes/types.toml`` says which members of which structs
the probes read; they are declared at their true offsets and nothing else is. The size of
a struct is therefore not the kernel's: the probes only follow pointers, they hold none.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sensor.errors import BadInputError, UnsupportedError
from sensor.wire.btf import POINTER_BYTES, Btf, Member

if TYPE_CHECKING:
    from collections.abc import Iterator

SIZES: Final = {f"{sign}{bits}": bits // 8 for sign in "us" for bits in (8, 16, 32, 64)}
NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
PLACE: Final = re.compile(rf"{NAME.pattern}(\.{NAME.pattern})*")
DECLARED: Final = re.compile(r"([us](?:8|16|32|64))(?:\[([1-9][0-9]{0,3})\])?")

TYPES: Final = """\
#ifndef LINUX_TYPES_H
#define LINUX_TYPES_H
typedef unsigned char u8, __u8;
typedef unsigned short u16, __u16, __be16, __le16, __sum16;
typedef unsigned int u32, __u32, __be32, __le32, __wsum;
typedef unsigned long long u64, __u64, __be64, __le64;
typedef __u64 __attribute__((aligned(8))) __aligned_u64;
typedef signed char s8, __s8;
typedef short s16, __s16;
typedef int s32, __s32;
typedef long long s64, __s64;
typedef __SIZE_TYPE__ size_t;
typedef __UINTPTR_TYPE__ uintptr_t;
typedef _Bool bool;
enum { false, true };
#define NULL ((void *)0)
#endif
"""

# What BCC 0.26 includes before any text of ours (src/cc/export/helpers.h). It brings its
# own uapi/linux/bpf.h, so that one has to be empty. LINUX_VERSION_CODE is the oldest
# kernel supported: BCC asks only whether it is 4.8 or later. A ring buffer's size counts
# in PAGE_SIZE, and any larger page divides it too when it is a power of two.
STUBS: Final = {
    "include/linux/kconfig.h": "#define CONFIG_BPF_SYSCALL 1\n",
    "include/linux/version.h": (
        "#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + (c))\n"
        "#define LINUX_VERSION_CODE KERNEL_VERSION(5, 10, 0)\n"
    ),
    "include/linux/types.h": TYPES,
    "include/asm/page.h": "#define PAGE_SIZE 4096\n",
    "include/linux/bpf_common.h": "",
    "include/linux/log2.h": "",
    "include/uapi/linux/bpf.h": "",
    "include/uapi/linux/if_ether.h": "",
    "include/uapi/linux/if_packet.h": "",
    "include/uapi/linux/ptrace.h": "",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """A member that the probes read, and where it may lie; ``stand_in`` is for its absence."""

    struct: str
    name: str
    places: tuple[str, ...]
    stand_in: Member | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A member that this kernel lacks: without an optional one less is seen."""

    wish: Wish
    no_struct: bool

    def __str__(self) -> str:
        """Say what is not there, in the kernel's names."""
        if self.no_struct:
            return f"there is no struct {self.wish.struct}"
        return f"struct {self.wish.struct} has none of {', '.join(self.wish.places)}"


@dataclass(frozen=True, slots=True)
class Kernel:
    """The wishes, and what became of each in one kernel."""

    wishes: tuple[Wish, ...]
    structs: frozenset[str]
    found: dict[Wish, Member]

    def missing(self) -> Iterator[Missing]:
        """Give what was wished for and is not there, optional or not."""
        for wish in self.wishes:
            if wish not in self.found:
                yield Missing(wish, no_struct=wish.struct not in self.structs)


def header_tree(types_toml: str, btf: Btf, *, where: str) -> dict[str, str]:
    """Write the tree: texts by their path in it; ``where`` names the file of ``types_toml``.

    Raises:
        BadInputError: the list of types is not what it has to be, or the BTF is damaged.
        UnsupportedError: this kernel lacks a member that is not optional.

    """
    kernel = _look_up(types_toml, btf, where)
    absent = [str(gone) for gone in kernel.missing() if not gone.wish.stand_in]
    if absent:
        raise UnsupportedError(
            f"{btf.where}: {'; '.join(dict.fromkeys(absent))}: the probes read it and know no"
            f" other place; update agent-sensor, or add where it lies in this kernel to {where}"
        )
    return STUBS | {"include/kernel_types.h": _text(kernel)}


def missing(types_toml: str, btf: Btf, *, where: str) -> list[Missing]:
    """List what this kernel lacks of the types the probes read; errors are those of header_tree."""
    return list(_look_up(types_toml, btf, where).missing())


def _look_up(types_toml: str, btf: Btf, where: str) -> Kernel:
    wishes = tuple(_wishes(types_toml, where))
    structs = btf.structs({wish.struct for wish in wishes})
    found: dict[Wish, Member] = {}
    for wish in wishes:
        if wish.struct not in structs:
            continue
        for place in wish.places:
            member = btf.member(structs[wish.struct], place)
            if member:
                found[wish] = member
                break
    return Kernel(wishes, frozenset(structs), found)


def _wishes(types_toml: str, where: str) -> Iterator[Wish]:
    try:
        tables = tomllib.loads(types_toml)
    except tomllib.TOMLDecodeError as problem:
        raise BadInputError(f"{where}: {problem}; correct the file") from problem
    for struct, members in tables.items():
        if not isinstance(members, dict) or not members:
            raise BadInputError(f"{where}: {struct}: expected a table of members")
        for name, value in members.items():
            yield _wish(struct, name, value, f"{where}: [{struct}] {name}")


def _wish(struct: str, name: str, value: object, where: str) -> Wish:
    if not NAME.fullmatch(struct) or not NAME.fullmatch(name):
        raise BadInputError(f"{where}: struct and member have to be names in C")
    match value:
        case str(at):
            return Wish(struct, name, _places(at, where))
        case {"at": str(at), "optional": True, "type": str(declared), "why": str(why)}:
            return Wish(struct, name, _places(at, where), _stand_in(declared, where), why)
    raise BadInputError(
        f'{where}: expected a place, or {{ at = "place", optional = true, type = "u32",'
        ' why = "what it depends on" }'
    )


def _places(text: str, where: str) -> tuple[str, ...]:
    places = tuple(place.strip() for place in text.split("|"))
    for place in places:
        if not PLACE.fullmatch(place):
            raise BadInputError(f'{where}: "{place}": expected member names joined by dots')
    return places


def _stand_in(declared: str, where: str) -> Member:
    parts = DECLARED.fullmatch(declared)
    if not parts:
        raise BadInputError(f'{where}: type = "{declared}": expected u8 to u64, s8 to s64')
    return Member(0, parts[1], count=int(parts[2]) if parts[2] else None)


def _text(kernel: Kernel) -> str:
    structs = dict.fromkeys(wish.struct for wish in kernel.wishes)
    lines = ["#ifndef KERNEL_TYPES_H", "#define KERNEL_TYPES_H", "#include <linux/types.h>", ""]
    lines += [f"struct {struct};" for struct in structs]
    for struct in structs:
        lines += ["", *_struct(struct, kernel, frozenset(structs))]
    return "\n".join([*lines, "", "#endif", ""])


def _struct(struct: str, kernel: Kernel, known: frozenset[str]) -> Iterator[str]:
    """Each member has an own arm of a union: members of a kernel union overlap in ours too."""
    wishes = [wish for wish in kernel.wishes if wish.struct == struct]
    yield f"struct {struct} {{"
    yield "\tunion {"
    for wish in wishes:
        yield f"\t\t{_arm(wish, kernel.found.get(wish), known)}"
    yield "\t};"
    yield "};"
    for wish in wishes:
        yield from _constants(wish, kernel.found.get(wish))


def _arm(wish: Wish, found: Member | None, known: frozenset[str]) -> str:
    member = found or wish.stand_in
    assert member  # noqa: S101  # header_tree has refused the kernel otherwise
    ctype = f"struct {member.points_to} *" if member.points_to in known else member.ctype
    space = "" if ctype.endswith("*") else " "
    length = "" if member.count is None else f"[{member.count}]"
    before = f"u8 before_{wish.name}[{member.offset_bytes}]; " if member.offset_bytes else ""
    align = SIZES.get(ctype, POINTER_BYTES)
    packed = " __attribute__((packed))" if member.offset_bytes % align else ""
    return f"struct {{ {before}{ctype}{space}{wish.name}{length}; }}{packed};"


def _constants(wish: Wish, found: Member | None) -> Iterator[str]:
    if wish.stand_in:
        yield f"enum {{ HAVE_{wish.struct}_{wish.name} = {int(found is not None)} }};"
    if found and found.embedded:
        yield f"enum {{ OFFSET_{wish.struct}_{wish.name} = {found.offset_bytes} }};"
    if found:
        place = f"__builtin_offsetof(struct {wish.struct}, {wish.name})"
        yield f'_Static_assert({place} == {found.offset_bytes}, "{wish.struct}.{wish.name}");'
