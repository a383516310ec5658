# SPDX-License-Identifier: Apache-2.0
r"""Spelling: the paths of an image as the bytes that they are, where these are no UTF-8.

A fact is text to be shown, in which such a byte is ``\xff``. That is also how
somebody may name another file, so whoever looks for the file goes by this: text
with lone surrogates (PEP 383), which Python's functions take for the bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.core.facts import Exec


@dataclass(frozen=True, slots=True)
class Spelling:
    """What finds the files of an image; not to be shown."""

    exe: str
    cwd: str | None
    name_typed: str | None
    argv: tuple[str, ...]


def spelling(
    exe: bytes, cwd: bytes | None, name_typed: bytes | None, argv: Sequence[bytes]
) -> Spelling | None:
    """Spell an image; None where its text does, as nearly always."""
    if all(_is_text(raw) for raw in (exe, cwd, name_typed, *argv) if raw):
        return None
    return Spelling(
        _spelled(exe),
        None if cwd is None else _spelled(cwd),
        None if name_typed is None else _spelled(name_typed),
        tuple(map(_spelled, argv)),
    )


def as_spelled(fact: Exec) -> Exec:
    """Return an image with paths by which its files are found."""
    by = fact.spelling
    if by is None:
        return fact
    return replace(fact, exe=by.exe, cwd=by.cwd, name_typed=by.name_typed, argv=by.argv)


def _is_text(raw: bytes) -> bool:
    if raw.isascii():
        return True
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _spelled(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogateescape")
