# SPDX-License-Identifier: Apache-2.0
"""Options by which a reader says which events, of which time, and how they look."""

from __future__ import annotations

from typing import TYPE_CHECKING, ParamSpec, TypeVar

import click

from sensor.cli import chrome
from sensor.core.filter import EVERYTHING, Filter
from sensor.core.mistakes import guess
from sensor.core.quote import quote
from sensor.core.when import FORMS
from sensor.core.words import UNKNOWN_CLIENT, Enforcement, Kind, Verdict
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")

_WHO = {
    "tools": ("--tool", "Of this tool, by its id in the catalogue, like claude-code."),
    "vendors": ("--vendor", "Of tools of this vendor."),
    "users": ("--user", "Of this user, by name or number."),
    "sessions": ("--session", "Of this session."),
}
_WHAT = {
    "kinds": ("--kind", "Of this kind.", [kind.value for kind in Kind]),
    "verdicts": (
        "--verdict",
        "With this verdict; block: judged so, also where it was not refused (see --enforcement).",
        [verdict.value for verdict in Verdict],
    ),
    "enforcements": (
        "--enforcement",
        "Refused in this way; none: not refused.",
        [enforcement.value for enforcement in Enforcement],
    ),
}

since = click.option("--since", metavar="WHEN", help=f"From here on: {FORMS}.")
since_yesterday = click.option(
    "--since",
    metavar="WHEN",
    default="24h",
    show_default=True,
    help=f"From here on: {FORMS}; 0 is the beginning.",
)
until = click.option("--until", metavar="WHEN", help="Up to here, written as for --since.")
as_json = click.option("--json", "as_json", is_flag=True, help="One JSON object a line.")
wall = click.option(
    "--wall", is_flag=True, help="Date and time of this host's zone, with its offset."
)
with_seq = click.option(
    "--seq", "with_seq", is_flag=True, help="Each event's seq first: what `explain` is asked by."
)
all_children = click.option(
    "--all-children", is_flag=True, help="Show what children start, at any depth."
)
color = click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="NO_COLOR is honoured too.",
)


def who(command: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Add the options that name whose events are wanted; each may be given several times."""
    for name, (option, text) in reversed(_WHO.items()):
        command = click.option(option, name, multiple=True, metavar="NAME", help=text)(command)
    return command


def what(command: Callable[_Given, _Result]) -> Callable[_Given, _Result]:
    """Add the options that name which events are wanted; each may be given several times."""
    for name, option, text in (
        ("rules", "--rule", "Judged by this rule of the policy, or `default`."),
        ("endpoints", "--endpoint", "To this AI service."),
    ):
        command = click.option(option, name, multiple=True, metavar="NAME", help=text)(command)
    for name, (option, text, words) in reversed(_WHAT.items()):
        command = click.option(option, name, multiple=True, type=click.Choice(words), help=text)(
            command
        )
    return command


def wanted(**given: tuple[str, ...]) -> Filter:
    """Make a filter of what was given: any of one option's values, and so for each option.

    A name that the catalogue lacks is said on stderr and taken all the same: what is
    stored may be of tools that have left it.
    """
    found = Filter(**{name: frozenset(values) for name, values in given.items()})
    for unknown in _unknown(found):
        chrome.say(unknown)
    return found


def nothing(wanted: Filter, what: str) -> None:
    """Say that nothing was found, and whether that is so of the time or of what was asked for."""
    chrome.say(f"no {what} in that time" if wanted == EVERYTHING else f"no {what} matches")


def _unknown(wanted: Filter) -> Iterator[str]:
    if not (wanted.tools or wanted.vendors or wanted.endpoints):
        return
    from sensor.daemon.catalogues import catalogue  # reads files: only here

    try:
        known = catalogue()
    except (SensorError, OSError):
        return  # Who reads need not be the one who may read the owner's files.
    names: tuple[tuple[str, frozenset[str], set[str]], ...] = (
        ("tool", wanted.tools, {UNKNOWN_CLIENT, *(tool.id for tool in known.tools)}),
        ("vendor", wanted.vendors, {tool.vendor for tool in known.tools}),
        ("endpoint", wanted.endpoints, {one.id for one in known.endpoints}),
    )
    for what, given, ids in names:
        for name in sorted(given - ids):
            remedy = guess(name, ids, "`agent-sensor catalog ls` lists what is known")
            yield f"--{what} {quote(name)}: this host's catalogue has no such {what}; {remedy}"
