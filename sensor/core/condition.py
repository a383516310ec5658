# SPDX-License-Identifier: Apache-2.0
"""How the daemon is, as people read it and as monitoring wants it.

The daemon names what is wrong under ``problems``, one sentence each. All else
is shown as it comes: the unit of an amount is the end of its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.quote import LINE_LIMIT, quote
from sensor.core.units import duration, size
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

PROBLEMS = "problems"

_COLUMNS = 100
_PROBLEM_COLUMNS = 4096
"""No sentence of the daemon's is longer: its end says what to do."""

_WORDS = {"None": "-", "True": "yes", "False": "no"}
_UNITS: dict[str, Callable[[int], str]] = {
    "_bytes": size,
    "_ns": duration,
    "_s": lambda seconds: duration(seconds * 1_000_000_000),
}


def problems(status: Mapping[str, object]) -> list[str]:
    """Return what is wrong, by the daemon's own word."""
    told = status.get(PROBLEMS)
    return [str(one) for one in told] if isinstance(told, list | tuple) else []


def exit_code(status: Mapping[str, object]) -> ExitCode:
    """Say for monitoring whether all is well."""
    return ExitCode.DEGRADED if problems(status) else ExitCode.OK


def lines(status: Mapping[str, object]) -> Iterator[str]:
    """Write the state first, then each part under its name."""
    wrong = problems(status)
    yield f"{'degraded' if wrong else 'fine'}"
    for text in wrong:
        yield f"  problem: {quote(text, _PROBLEM_COLUMNS)}"
    parts = {name: value for name, value in status.items() if name != PROBLEMS}
    width = max((len(_name(name, value)) for name, value in parts.items()), default=0)
    for name, value in parts.items():
        label = _name(name, value)
        for text in _texts(name, value):
            yield f"{label:{width}}  {text}"
            label = ""


def _texts(name: str, value: object) -> list[str]:
    """Return one text a line for a value; what is in a map or a list stays on one if it fits."""
    match value:
        case dict():
            parts = [f"{_name(key, one)} {_text(key, one)}" for key, one in value.items()]
        case list() | tuple() if any(isinstance(one, dict) for one in value):
            return [_text(name, one) for one in value]
        case list() | tuple():
            parts = [_text(name, one) for one in value]
        case _:
            return [_text(name, value)]
    joined = ", ".join(parts) or "none"
    return [joined] if len(joined) <= _COLUMNS else parts


def _text(name: str, value: object) -> str:
    match value:
        case dict():
            parts = (f"{_name(key, one)} {_text(key, one)}" for key, one in value.items())
            return f"({', '.join(parts)})"
        case list() | tuple():
            return " ".join(_text(name, one) for one in value) or "none"
        case int() if unit := _unit(name, value):
            return _UNITS[unit](value)
        case _:
            return _WORDS.get(str(value)) or quote(str(value), LINE_LIMIT)


def _name(name: object, value: object) -> str:
    """Write a name for people; the unit that the value shows is left out."""
    text = str(name)
    return quote(text.removesuffix(_unit(text, value)).replace("_", " ")).strip('"')


def _unit(name: object, value: object) -> str:
    if not isinstance(value, int) or isinstance(value, bool):
        return ""
    return next((unit for unit in _UNITS if str(name).endswith(unit)), "")
