# SPDX-License-Identifier: Apache-2.0
"""Shell histories: when which command line was typed, where the shell noted it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sensor.core.wall import NS_PER_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    # A time in ns since 1970, if it was noted, and the line.
    Typed = tuple[int | None, str]

_BASH_TIME = re.compile(r"#([0-9]{9,11})")
_ZSH = re.compile(r": ([0-9]{9,11}):[0-9]+;(.*)")
_FISH_TIME = re.compile(r"  when: ([0-9]{9,11})")
_FISH_COMMAND = "- cmd: "


def bash(lines: Iterable[str]) -> Iterator[Typed]:
    """Read ``.bash_history``; with HISTTIMEFORMAT, ``#`` and a time stand before each line."""
    at_ns = None
    for line in lines:
        if found := _BASH_TIME.fullmatch(line):
            at_ns = int(found[1]) * NS_PER_S
        else:
            yield at_ns, line


def zsh(lines: Iterable[str]) -> Iterator[Typed]:
    """Read ``.zsh_history``, with EXTENDED_HISTORY or without."""
    for line in lines:
        if found := _ZSH.fullmatch(line):
            yield int(found[1]) * NS_PER_S, found[2]
        else:
            yield None, line


def fish(lines: Iterable[str]) -> Iterator[Typed]:
    """Read ``fish_history``: a command, and the time after it."""
    command: str | None = None
    for line in lines:
        if line.startswith(_FISH_COMMAND):
            if command is not None:
                yield None, command
            command = line.removeprefix(_FISH_COMMAND)
        elif command is not None and (found := _FISH_TIME.fullmatch(line)):
            yield int(found[1]) * NS_PER_S, command
            command = None
    if command is not None:
        yield None, command


HISTORIES: dict[str, Callable[[Iterable[str]], Iterator[Typed]]] = {
    ".bash_history": bash,
    ".sh_history": bash,
    ".ash_history": bash,
    ".histfile": zsh,
    ".zsh_history": zsh,
    ".zhistory": zsh,
    ".local/share/fish/fish_history": fish,
}
"""By their place in a home."""

STARTS = (
    ".bashrc", ".bash_profile", ".bash_login", ".bash_aliases", ".profile", ".zshrc", ".zprofile",
    ".zshenv", ".zlogin", ".config/fish/config.fish",
)  # fmt: skip
"""Shell start files, by their place in a home."""
