# SPDX-License-Identifier: Apache-2.0
"""Quoting: text that a process chose, made fit for a terminal and for one line.

Such text can hold escape sequences, line breaks, and characters that turn the
direction of writing or take no room. Here it comes out as what it is, and what
is added cannot be mistaken for it: ``[`` never stands outside of quotes but in
the mark of a cut, ``[+12]`` or ``[+3 words]``, which counts what was left out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

WORD_LIMIT = 64
"""Columns for one argument, path or name."""

LINE_LIMIT = 80
"""Columns for all arguments together; the rest of a line then fits into 160."""

CUT_LIMIT = 24
"""Columns that are worth the beginning of an argument."""

_CUT_ROOM = len('" "[+9999]')

_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./~-]+")

# Unicode's Default_Ignorable_Code_Point beyond category Cf, which isprintable()
# refuses by itself, and the Braille blank: they print as nothing, or as a space.
_INVISIBLE = frozenset(
    (
        0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164,
        *range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0100, 0xE01F0),
    )
)  # fmt: skip

_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t", "\\": r"\\", '"': r"\""}


def quote(text: str, limit: int = WORD_LIMIT) -> str:
    r"""Return text that shows on one line as it is and can be told from its neighbours.

    Plain words stay as they are. All else stands in double quotes, what is not
    printable as ``\n``, ``\x1b`` or ``\u202e``. What takes more than ``limit``
    columns is cut, with a mark.
    """
    if len(text) <= limit and _PLAIN.fullmatch(text):
        return text
    shown: list[str] = []
    room = limit
    for character in text[:limit]:
        visible = _visible(character)
        room -= len(visible)
        if room < 0:
            break
        shown.append(visible)
    left_out = len(text) - len(shown)
    mark = f"[+{left_out}]" if left_out else ""
    body = "".join(shown)
    return body + mark if _PLAIN.fullmatch(body) else f'"{body}"{mark}'


def visible(text: str) -> str:
    """Return text in which all that does not print is an escape, for pages: no quotes around."""
    return "".join('"' if one == '"' else _visible(one) for one in text)


def quote_path(path: str, limit: int = WORD_LIMIT) -> str:
    """Quote a path; what takes too many columns loses its front, for the end says what it is."""
    quoted = quote(path, limit)
    if "[" not in quoted.rpartition('"')[2]:
        return quoted
    kept = path[-limit:]
    while kept and "[" in (quoted := quote(kept, limit)).rpartition('"')[2]:
        kept = kept[1:]
    return f"[+{len(path) - len(kept)}]{quoted}"


def quote_all(words: Sequence[str], limit: int = LINE_LIMIT) -> str:
    """Return words that can be told apart: the first, a path, and more while there is room.

    The last one shown may be cut to fit: the beginning of a long argument says
    more than that there is one.
    """
    shown: list[str] = []
    room = limit
    for word in words:
        quoted = quote(word) if shown else quote_path(word)
        if shown and len(quoted) + 1 > room >= CUT_LIMIT:
            quoted = quote(word, room - _CUT_ROOM)
        room -= len(quoted) + 1
        if shown and room < 0:
            break
        shown.append(quoted)
    left_out = len(words) - len(shown)
    return " ".join([*shown, f"[+{left_out} words]"] if left_out else shown)


def printable(text: str) -> str:
    """Return a whole sentence, of any length, with escapes for what a terminal would act upon."""
    return "".join(one if _shows(one) else _visible(one) for one in text)


def one_line(text: str, limit: int) -> str:
    """Return a whole sentence fit for a terminal, without quotes around it, cut to ``limit``.

    For what nobody has to tell from its neighbours: there are none on its line.
    """
    shown = printable(text[:limit])
    return shown if max(len(shown), len(text)) <= limit else f"{shown[:limit]}[+]"


def _shows(character: str) -> bool:
    return character.isprintable() and ord(character) not in _INVISIBLE


def _visible(character: str) -> str:
    if short := _SHORT.get(character):
        return short
    if _shows(character):
        return character
    code = ord(character)
    if code <= 0xFF:  # noqa: PLR2004 - the largest number of two hexadecimal digits
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"  # noqa: PLR2004 - and of four digits
