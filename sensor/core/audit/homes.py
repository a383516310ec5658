# SPDX-License-Identifier: Apache-2.0
"""Homes: whose there are, by passwd(5), and where others lie that nobody has any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

FIRST_USER = 1000
"""The first uid of a person (login.defs(5), UID_MIN)."""

_FIELDS = 7
_NO_HOMES = (
    "bin", "boot", "dev", "etc", "lib", "proc", "run", "sbin", "sys", "usr", "var/run",
    "var/cache", "var/spool", "var/mail", "var/log", "var/lib/dpkg", "nonexistent",
)  # fmt: skip
_TOPS = frozenset({"", "home", "srv", "opt", "tmp", "var", "var/lib", "var/tmp"})
"""In which others have theirs."""


@dataclass(frozen=True, slots=True)
class Account:
    """A line of passwd(5)."""

    user: str
    uid: int
    home: str


def accounts(text: str) -> Iterator[Account]:
    """Read the accounts of a passwd file; what is no line of one is left out."""
    for line in text.splitlines():
        fields = line.split(":")
        if len(fields) == _FIELDS and fields[2].isascii() and fields[2].isdigit():
            yield Account(fields[0], int(fields[2]), fields[5])


def is_home(path: str) -> bool:
    """Tell whether a folder can be one; services name the system's own."""
    plain = path.strip("/")
    if plain in _TOPS or not path.startswith("/") or ".." in plain.split("/"):
        return False
    return not any(plain == one or plain.startswith(f"{one}/") for one in _NO_HOMES)


def parents(known: Iterable[Account]) -> Iterator[str]:
    """Give the folders in which people's homes lie: what else is in them was somebody's."""
    found = {"/home": None}
    for one in known:
        if one.uid >= FIRST_USER and is_home(one.home) and one.home.count("/") > 1:
            found[one.home.rstrip("/").rpartition("/")[0]] = None
    yield from found
