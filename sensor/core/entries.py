# SPDX-License-Identifier: Apache-2.0
"""Entries: the tables of a TOML text, read key by key, with the line in every error."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import date, datetime
from datetime import time as time_of_day
from enum import Enum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, TypeVar

from sensor.core.mistakes import guess, refuse
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_Choice = TypeVar("_Choice", bound=Enum)


_KEY = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_HEADER = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]")


@dataclass(frozen=True, slots=True)
class Shape:
    """What a text has to look like (as a whole), and what to write instead."""

    pattern: re.Pattern[str]
    remedy: str


LINE = Shape(re.compile(r"[^\x00-\x1f\x7f]+"), "write one line of text")
SLUG = Shape(re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), 'write it like "claude-code"')
HOST = Shape(
    re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+"),
    'write a host name in lower case, like "api.openai.com"',
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One table of the text, and its place in it.

    ``lines`` has those of keys, as far as they are known, and under an empty one the
    table's own, where that is not in ``place``. Every reader raises BadInputError with the
    place, the key and the remedy.
    """

    place: str
    label: str
    table: dict[str, object]
    lines: Mapping[str, int] = field(default_factory=dict)

    @property
    def at(self) -> str:
        """Say where the entry stands: ``file:line: label``."""
        return f"{self.place}: {self.label}" if self.label else self.place

    def wrong(self, key: str, why: str, remedy: str) -> BadInputError:
        """Word the error for one key."""
        return self._wrong(key, key, why, remedy)

    def _wrong(self, key: str, shown: str, why: str, remedy: str) -> BadInputError:
        line = self.lines.get(key, self.lines.get(""))
        place = self.place if line is None else f"{self.place}:{line}"
        label = f"{self.label}: " if self.label else ""
        return BadInputError(f"{place}: {label}{shown}: {why}; {remedy}")

    def only(self, *keys: str) -> None:
        """Refuse keys that mean nothing here."""
        unknown = [key for key in self.table if key not in keys]
        if unknown:
            remedy = f"write one of {', '.join(keys)}"
            refuse(
                str(self._wrong(key, ascii(key), "unknown key", guess(key, keys, remedy)))
                for key in unknown
            )

    def version(self, known: int, *, may_be_missing: bool = False) -> None:
        """See that a text is of the format that its reader knows."""
        if "version" not in self.table:
            if not may_be_missing:
                raise self.wrong("version", "is missing", f"write version = {known}")
            return
        found = self.table["version"]
        if found != known or isinstance(found, bool):
            raise self.wrong("version", f"{_shown(found)} is unknown", f"write {known}")

    def text(self, key: str, shape: Shape) -> str:
        """Read a text that has to be there."""
        if key not in self.table:
            raise self.wrong(key, "is missing", shape.remedy)
        return self._shaped(key, self.table[key], shape)

    def optional(self, key: str, shape: Shape) -> str | None:
        """Read a text that may be left out."""
        return self.text(key, shape) if key in self.table else None

    def flag(self, key: str) -> bool | None:
        """Read true or false, which may be left out."""
        value = self.table.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self.wrong(key, f"{_shown(value)} is not valid", "write true or false")

    def moment(self, key: str) -> datetime:
        """Read a point in time that has to be there, with its offset."""
        remedy = "write a time with its zone, like 2027-01-31T00:00:00Z"
        if key not in self.table:
            raise self.wrong(key, "is missing", remedy)
        value = self.table[key]
        if not isinstance(value, datetime):
            raise self.wrong(key, f"{_shown(value)} is no time", remedy)
        if value.tzinfo is None:
            raise self.wrong(key, f"{value.isoformat()} has no zone", remedy)
        return value

    def within(self, key: str, *keys: str) -> Entry:
        """Read a table inside this one, which may be left out and has no other keys than these."""
        table = self.table.get(key, {})
        if not isinstance(table, dict):
            raise self.wrong(key, "is not a table", f"write [{key}]")
        label = f"{self.label}, {key}" if self.label else key
        entry = Entry(self.place, label, table, _within(self.lines, key))
        entry.only(*keys)
        return entry

    def texts(self, key: str, shape: Shape) -> tuple[str, ...]:
        """Read a list of texts, which may be left out."""
        values = self.table.get(key, [])
        if not isinstance(values, list):
            raise self.wrong(key, "is not a list", 'write ["..."]')
        return tuple(self._shaped(key, value, shape) for value in values)

    def choice(self, key: str, choices: type[_Choice]) -> _Choice:
        """Read one word of a closed set."""
        remedy = f"write one of {', '.join(choice.value for choice in choices)}"
        word = self.text(key, Shape(LINE.pattern, remedy))
        try:
            return choices(word)
        except ValueError as error:
            raise self.wrong(key, f"{word!a} is unknown", remedy) from error

    def networks(self, key: str) -> tuple[IPv4Network | IPv6Network, ...]:
        """Read a list of address ranges, which may be left out."""
        return tuple(self._network(key, text) for text in self.texts(key, LINE))

    def _network(self, key: str, text: str) -> IPv4Network | IPv6Network:
        try:
            return ip_network(text)
        except ValueError as error:
            raise self.wrong(key, str(error), 'write it like "192.0.2.0/24"') from error

    def _shaped(self, key: str, value: object, shape: Shape) -> str:
        if not isinstance(value, str) or not shape.pattern.fullmatch(value):
            raise self.wrong(key, f"{_shown(value)} is not valid", shape.remedy)
        return value


class Document:
    """A TOML text whose entries are read in the order in which they stand.

    BadInputError says where a text is no TOML.
    """

    def __init__(self, text: str, *, where: str) -> None:
        try:
            table: dict[str, object] = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # TOMLDecodeError is a ValueError
            raise BadInputError(f"{where}: {error}; correct the TOML there") from error
        self._lines = text.split("\n")
        self.root = Entry(where, "", table, _lines_of(self._lines))
        self._reached: dict[str, int] = {}

    def entries(self, holder: Entry, key: str, *, header: str) -> Iterator[Entry]:
        """Read the entries ``[[header]]`` of one table.

        tomllib gives no lines, so the headers are counted: the next entry
        stands at the next line that holds its header.
        """
        tables = holder.table.get(key, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise holder.wrong(key, "is not a list of tables", f"write [[{header}]]")
        for number, table in enumerate(tables, 1):
            line = self._next_line(header)
            place = self.root.place if line is None else f"{self.root.place}:{line}"
            label = f"{key} {table.get('id', number)!a}"
            yield Entry(place, f"{holder.label}, {label}" if holder.label else label, table)

    def in_order(self, mistakes: Iterable[str]) -> list[str]:
        """Sort what is wrong by line; what has none, as it is about all of it, comes first."""
        place = re.compile(rf"{re.escape(self.root.place)}:([0-9]+): ")
        return sorted(mistakes, key=lambda one: int(it[1]) if (it := place.match(one)) else 0)

    def _next_line(self, header: str) -> int | None:
        pattern = re.compile(rf"\s*\[\[\s*{re.escape(header)}\s*\]\]")
        for line in range(self._reached.get(header, 0) + 1, len(self._lines) + 1):
            if pattern.match(self._lines[line - 1]):
                self._reached[header] = line
                return line
        return None


def _lines_of(lines: Iterable[str]) -> dict[str, int]:
    """Find the lines of keys and of [tables]; a key in one has that before it, like ``dns.x``.

    What stands in lists of tables has their lines. Text that only looks like a key, in
    a string of several lines, can be taken for one that comes after it.
    """
    found: dict[str, int] = {}
    before: str | None = ""
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            before = f"{header[2]}." if header[1] == "[" else None
            found.setdefault(header[2], number)
        elif before is not None and (key := _KEY.match(line)):
            found.setdefault(before + key[1], number)
    return found


def _within(lines: Mapping[str, int], key: str) -> dict[str, int]:
    """Give the lines of what is in a table, and under an empty key its own."""
    start = f"{key}."
    found = {name[len(start) :]: line for name, line in lines.items() if name.startswith(start)}
    own = lines.get(key, lines.get(""))
    return found if own is None else {"": own, **found}


def _shown(value: object) -> str:
    """Write a value as TOML has it, not as Python."""
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if isinstance(value, date | time_of_day) else ascii(value)
