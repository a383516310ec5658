# SPDX-License-Identifier: Apache-2.0
"""Mistakes: all that is wrong with a text, found in one reading of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

from sensor.errors import BadInputError, MistakesError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sensor.errors import SensorError

_Said = ParamSpec("_Said")
_Value = TypeVar("_Value")


class Mistakes:
    """Reads on after a mistake, with a value that nobody is given: :meth:`refuse` comes before."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def read(
        self,
        otherwise: _Value,
        reader: Callable[_Said, _Value],
        *said: _Said.args,
        **named: _Said.kwargs,
    ) -> _Value:
        """Give what a reader reads, or ``otherwise`` where it finds mistakes."""
        try:
            return reader(*said, **named)
        except BadInputError as problem:
            self._found += each(problem)
        return otherwise

    def refuse(self, in_order: Callable[[list[str]], list[str]] = list) -> None:
        """Raise what was found, if anything was."""
        refuse(in_order(self._found))


def each(problem: SensorError) -> list[str]:
    """Return the mistakes that an error is of; most are one."""
    return problem.mistakes if isinstance(problem, MistakesError) else [str(problem)]


def refuse(mistakes: Iterable[str]) -> None:
    """Raise BadInputError where there is a mistake, MistakesError where there are several."""
    match list(dict.fromkeys(mistakes)):
        case []:
            return
        case [one]:
            raise BadInputError(one)
        case several:
            raise MistakesError(several)


def guess(word: str, known: Iterable[str], remedy: str, *, before: str = "") -> str:
    """Put what was probably meant in front of a remedy, where a known word is near.

    ``before`` is what stands before all of them.
    """
    from difflib import get_close_matches  # noqa: PLC0415  # only where something is wrong

    near = get_close_matches(word, sorted(set(known)), n=1)
    return f"did you mean {before + near[0]!a}? Otherwise {remedy}" if near else remedy
