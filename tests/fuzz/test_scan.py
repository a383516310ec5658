# SPDX-License-Identifier: Apache-2.0
"""Command lines are taken apart by the kernel as by a reader that takes byte after byte."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, NamedTuple

import pytest

from sensor.wire.marks import MarkFlag, hash_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.readers import Readers

TEXT_BYTES, PARTS, WORDS = 256, 32, 3  # probes/scan.h
PYTHON, SCRIPT = MarkFlag.PYTHON, MarkFlag.SCRIPT

LINES = [
    (SCRIPT, [b"node", b"/opt/@anthropic-ai/claude-code/cli.js", b"--help"]),
    (SCRIPT, [b"node", b"--no-warnings", b"-r", b"x", b"1234567", b"12345678", b"123456789"]),
    (SCRIPT, [b"node", b"-e", b"claude"]),
    (PYTHON, [b"python3", b"-m", b"aider.main", b"aider"]),
    (PYTHON, [b"python3", b"-B", b"-maider.main", b"aider"]),
    (PYTHON, [b"python3", b"-c", b"aider"]),
    (PYTHON, [b"", b"", b"", b"", b"aider"]),
    (PYTHON, [b"p", *[b"-B"] * 72, b"/" * 30, b"aider"]),
    (SCRIPT, [b"n", *[b"-"] * 111, b"/" * 30]),
    (SCRIPT, [b"n" * 300, b"claude"]),
    (SCRIPT, [b"n" * 245, b"/tmp/claudette"]),
    (SCRIPT, [b"n", b"/a" * 40]),
]


class Part(NamedTuple):
    """``struct part`` of probes/scan.h."""

    hash: int
    parent: int
    whole: bool
    sure: bool


def parts(flags: int, line: bytes) -> Iterator[Part]:
    """Take a command line apart, as plainly as can be."""
    *ended, cut = line[:TEXT_BYTES].split(b"\0")
    words, separators = 0, b"/"
    for word, is_cut in [*((one, False) for one in ended), (cut, True)]:
        rest = word
        if words and word.startswith(b"-"):
            if word[1:2] == (b"c" if flags & PYTHON else b"e"):
                return
            if not flags & PYTHON or word[1:2] != b"m":
                continue
            separators, rest = b"/.", word[2:]
            if not rest:
                continue
        if words:
            yield from _components(rest, separators, is_cut=is_cut, is_first=words == 1)
        words += 1
        if words > WORDS or (separators != b"/" and words > 1):
            return


def _components(word: bytes, separators: bytes, *, is_cut: bool, is_first: bool) -> Iterator[Part]:
    parent, start = 0, 0
    for at, byte in enumerate(word + (b"" if is_cut else b"\0")):
        if byte in separators + b"\0":
            found = hash_text(word[start:at], 0)
            yield Part(found, parent, byte != ord("/"), is_first)
            parent, start = found, at + 1


def scanned(readers: Readers, lines: Sequence[tuple[int, bytes]], stale: int) -> list[list[Part]]:
    """Have lines taken apart by the kernel's reader."""
    given = [bytes([flags]) + line for flags, line in lines]
    return [
        [
            Part(int(found, 16), int(parent, 16), whole == "1", sure == "1")
            for found, parent, whole, sure in map(str.split, said.split(",")[:-1])
        ]
        for said in readers.read("scan", given, stale)
    ]


def joined(words: Sequence[bytes]) -> bytes:
    """Give a command line as it lies in memory."""
    return b"".join(word + b"\0" for word in words)


@pytest.mark.parametrize("stale", [0, ord("/"), ord("-"), 0xFF])
def test_a_line_is_taken_apart(readers: Readers, stale: int) -> None:
    """Whatever the line before has left behind it."""
    lines = [(flags, joined(words)) for flags, words in LINES]
    wanted = [[*parts(flags, line)][:PARTS] for flags, line in lines]
    assert scanned(readers, lines, stale) == wanted
    assert len(set(map(len, wanted))) > 5  # they are not all alike


def test_the_last_that_fits_is_found(readers: Readers) -> None:
    """As many flags and components as there can be take each step that there is."""
    words = [b"", *[b"-"] * 111, b"/" * 32]
    (found,) = scanned(readers, [(SCRIPT, joined(words))], 0)
    assert len(found) == PARTS


def test_many_lines_are_taken_apart(readers: Readers) -> None:
    """Made of what a reader could stumble over."""
    chance = Random(1)  # noqa: S311  # the same each time
    alphabets = [b"--mce/..ab\0\0x", b"/abcdefghijklm\0-.", b"-\0", b"a/"]
    lines = []
    for _ in range(20_000):
        letters, size = chance.choice(alphabets), chance.choice([9, 60, 300])
        line = bytes(chance.choices(letters, k=chance.randrange(size))) + b"\0"
        lines.append((chance.choice([PYTHON, SCRIPT]), line))
    wanted = [[*parts(flags, line)][:PARTS] for flags, line in lines]
    assert scanned(readers, lines, 0xFF) == wanted
