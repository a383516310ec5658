# SPDX-License-Identifier: Apache-2.0
"""Maps from the wire, read by name and type: what is not as it has to be is named."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, TypeVar

from sensor.core.quote import quote
from sensor.errors import FrameError

if TYPE_CHECKING:
    from collections.abc import Callable
    from enum import Enum

    from sensor.core.facts import Address

    _Closed = TypeVar("_Closed", bound=Enum)

_Value = TypeVar("_Value")

_REMEMBERED = 1024
_address = lru_cache(_REMEMBERED)(ip_address)


class Fields:
    """A map from the wire that gives each name with the type that it has to have.

    ``where`` is what errors call it. Every method raises FrameError.
    """

    __slots__ = ("_raw", "_where")

    def __init__(self, where: str, raw: dict[str, object]) -> None:
        self._where = where
        self._raw = raw

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def need(self, name: str, kind: type[_Value]) -> _Value:
        """Return what has to be there. ``True`` is no 1: the types are compared as they are."""
        try:
            value = self._raw[name]
        except KeyError:
            raise FrameError(f"{self._where} without {name}") from None
        if type(value) is not kind:
            raise self._wrong(name, f"expected {kind.__name__}, got {type(value).__name__}")
        return value

    def maybe(self, name: str, kind: type[_Value]) -> _Value | None:
        """Return what may be null, yet has to be there."""
        return None if self._raw.get(name, self) is None else self.need(name, kind)

    def maybe_number(self, name: str) -> float | None:
        """Return a number, which some writers make an int where it has no fraction."""
        whole = type(self._raw.get(name)) is int
        return self.need(name, int) if whole else self.maybe(name, float)

    def word(self, name: str, words: type[_Closed], value: str) -> _Closed:
        """Return one of a closed set."""
        try:
            return words(value)
        except ValueError:
            raise self._wrong(name, f"unknown {quote(value)}") from None

    def maybe_word(self, name: str, words: type[_Closed]) -> _Closed | None:
        """Return one of a closed set, or None for null."""
        value = self.maybe(name, str)
        return None if value is None else self.word(name, words, value)

    def part(self, name: str, read: Callable[[Fields], _Value]) -> _Value | None:
        """Return what a map within this one says, None for null."""
        raw = self.maybe(name, dict)
        return None if raw is None else read(Fields(name, raw))

    def items(self, name: str, kind: type[_Value]) -> list[_Value]:
        """Return a list in which everything has one type."""
        items = self.need(name, list)
        for item in items:
            if type(item) is not kind:
                raise self._wrong(
                    name, f"expected a list of {kind.__name__}, got {type(item).__name__} in it"
                )
        return items

    def is_one_of(self, name: str, values: tuple[str | None, ...]) -> bool:
        """Tell whether a name holds one of some few plain values."""
        value = self._raw.get(name)
        return (value is None or type(value) is str) and value in values

    def parts(self, name: str, read: Callable[[Fields], _Value]) -> tuple[_Value, ...]:
        """Return what each map of a list says."""
        raws: list[dict[str, object]] = self.items(name, dict)
        return tuple(read(Fields(name, raw)) for raw in raws)

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self.items(name, str))

    def maybe_texts(self, name: str) -> tuple[str, ...] | None:
        """Return a list of texts, or None for null."""
        return None if self.maybe(name, list) is None else self.texts(name)

    def address(self, name: str, value: str) -> Address:
        """Return an IP address."""
        try:
            return _address(value)
        except ValueError:
            raise self._wrong(name, f"expected an IP address, got {quote(value)}") from None

    def _wrong(self, name: str, why: str) -> FrameError:
        return FrameError(f"{self._where}: {name}: {why}")
