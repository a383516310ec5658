# SPDX-License-Identifier: Apache-2.0
"""Marks: the catalogue as the kernel's maps hold it.

``names`` is looked up by the command name of a fresh image, ``words`` by the
hash of a file's name, of two path components in a row, or of a module. Each
value is a tool's index (0 for an interpreter) and flags. Interpreters are in
``words`` alone: their file has to be looked at, as a tool may ship its own.
probes/marks.h hashes the same way, and tests/wire/test_marks.py compares.
"""

from __future__ import annotations

from enum import IntFlag
from struct import Struct
from typing import TYPE_CHECKING

from sensor.core.brokers import COMMS
from sensor.core.invocation import OPTIONS
from sensor.core.tools import InterpreterKind, MarkKind
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.tools import Mark

COMPONENT_BYTES = 40
"""How much of a path component is hashed; the same bound as in probes/marks.h."""

COMM_BYTES = 16
"""include/linux/sched.h: TASK_COMM_LEN, with the NUL."""

MARK = Struct("=II")
"""A map's value: index of the tool, flags."""

KEY = Struct("=Q")
"""A key of ``words``: a hash in the byte order of the host."""

HASH_SEED = 0xCBF29CE484222325
"""Where a hash begins, but for the seed of a load: FNV-1a 64, draft-eastlake-fnv, section 5."""

_OPTION = Struct("=I")
_U64 = (1 << 64) - 1
_U32 = (1 << 32) - 1
_THERE = Struct("=I").pack(1)
_FNV_PRIME = 0x100000001B3
_PAIR_STEP = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: keeps a/b and b/a apart
_PAIR_FACTOR = 0xFF51AFD7ED558CCD  # first multiplier of MurmurHash3's 64-bit finalizer
_PAIR_SHIFT = 29


class MarkFlag(IntFlag):
    """How the kernel treats a word; the numbers are those of probes/marks.h."""

    NAME = 1
    PAIR = 2
    SCRIPT = 4
    PYTHON = 8
    LOADER = 16
    WEAK = 32
    MODULE = 64
    STRONG = 128


class OptionFlag(IntFlag):
    """What a word before the script is; the numbers are those of probes/tables.h."""

    VALUED = 1 << 16
    FINAL = 1 << 17
    VERB = 1 << 18


_FLAGS = {
    MarkKind.NAME: MarkFlag.NAME,
    MarkKind.PATH: MarkFlag.PAIR,
    MarkKind.MODULE: MarkFlag.MODULE,
    InterpreterKind.SCRIPT: MarkFlag.SCRIPT,
    InterpreterKind.PYTHON: MarkFlag.PYTHON,
    InterpreterKind.LOADER: MarkFlag.LOADER,
}


def hash_bytes(text: bytes, value: int) -> int:
    """Hash all of a text by FNV-1a, from a value on."""
    for byte in text:
        value = (value ^ byte) * _FNV_PRIME & _U64
    return value


def hash_text(text: bytes, seed: int) -> int:
    """Hash a text, eight bytes at a time. ``seed`` is drawn by the loader, for one load."""
    value = HASH_SEED ^ seed
    for at in range(0, len(text), 8):
        (word,) = KEY.unpack(text[at : at + 8].ljust(8, b"\0"))
        mixed = value ^ word
        value = value * _FNV_PRIME + (mixed & _U32) * (mixed >> 32) & _U64
    return value


def hash_component(name: bytes, seed: int) -> int:
    """Hash one path component, case and all."""
    return hash_text(name[:COMPONENT_BYTES], seed)


def hash_pair(parent: int, child: int) -> int:
    """Hash two components in a row, from the hash of each."""
    value = (parent ^ (child + _PAIR_STEP & _U64)) * _PAIR_FACTOR & _U64
    return value ^ value >> _PAIR_SHIFT


def comm_key(name: bytes) -> bytes:
    """Cut a name to the command name that execve(2) gives a process for a file of this name."""
    return name[: COMM_BYTES - 1].ljust(COMM_BYTES, b"\0")


def names(catalogue: Catalogue) -> dict[bytes, bytes]:
    """Fill the map ``names``; names that are equal when cut share an entry."""
    table: dict[bytes, bytes] = {}
    for word, index, flags in _words(catalogue):
        if flags & MarkFlag.NAME:
            is_whole = len(word) < COMM_BYTES
            _enter(table, comm_key(word), index, flags if is_whole else flags & ~MarkFlag.STRONG)
    return table


def brokers() -> dict[bytes, bytes]:
    """Fill the map ``brokers``, whose values say nothing."""
    return {comm_key(comm.encode()): _THERE for comm in COMMS}


def options(seed: int) -> dict[bytes, bytes]:
    """Fill the map ``options``: what words before a script mean to which kind of interpreter."""
    table: dict[bytes, int] = {}
    for kind, known in OPTIONS.items():
        for words, flag in (
            (known.valued, OptionFlag.VALUED),
            (known.final, OptionFlag.FINAL),
            (known.verbs, OptionFlag.VERB),
        ):
            for word in words:
                key = KEY.pack(hash_text(word.encode(), seed))
                table[key] = table.get(key, 0) | flag | _FLAGS[kind]
    return {key: _OPTION.pack(value) for key, value in table.items()}


def words(catalogue: Catalogue, seed: int) -> dict[bytes, bytes]:
    """Fill the map ``words``: names, modules, pairs and interpreters by their hash.

    BadInputError names two words with one hash.
    """
    table: dict[bytes, bytes] = {}
    owners: dict[bytes, bytes] = {}
    for word, index, flags in _words(catalogue):
        key = KEY.pack(_hash(word, flags, seed))
        if owners.setdefault(key, word) != word:
            raise BadInputError(
                f"catalogue: {_shown(word)} and {_shown(owners[key])} have one hash; remove one, "
                f"or make them differ in their first {COMPONENT_BYTES} bytes"
            )
        _enter(table, key, index, flags)
    return table


def _words(catalogue: Catalogue) -> Iterator[tuple[bytes, int, MarkFlag]]:
    for index, tool in enumerate(catalogue.tools, 1):
        for mark in tool.marks:
            yield mark.value.encode(), index, _flags(mark, is_sure=not tool.is_hearsay)
    for interpreter in catalogue.interpreters:
        yield interpreter.name.encode(), 0, _FLAGS[interpreter.kind]


def _flags(mark: Mark, *, is_sure: bool) -> MarkFlag:
    """Say how a mark is treated; the kernel alone refuses nothing for what nobody has seen."""
    is_strong = is_sure and mark.is_sure
    return _FLAGS[mark.kind] | (MarkFlag.STRONG if is_strong else MarkFlag.WEAK)


def _hash(word: bytes, flags: MarkFlag, seed: int) -> int:
    if flags & MarkFlag.PAIR:
        parent, child = word.split(b"/")
        return hash_pair(hash_component(parent, seed), hash_component(child, seed))
    return hash_component(word, seed)


def _enter(table: dict[bytes, bytes], key: bytes, index: int, flags: MarkFlag) -> None:
    first, others = MARK.unpack(table.get(key, MARK.pack(index, 0)))
    both = others | flags
    if first != index:  # which of the two it is, the kernel cannot say
        both &= ~MarkFlag.STRONG
    table[key] = MARK.pack(first, both)


def _shown(word: bytes) -> str:
    return ascii(word.decode())
