# SPDX-License-Identifier: Apache-2.0
"""Command lines: which of them run, install or remove a tool.

Of a line nothing is kept but the tool and what was done with it. Only the
first word of a simple command counts, or what a package manager is told:
``vim claude`` runs no tool.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.audit.words import Shows

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sensor.core.audit.atlas import Atlas
    from sensor.core.tools import Tool

LONGEST = 16_384
"""Characters of a line that are looked at."""

_BREAKS = re.compile(r"[;|&()]+")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_BEFORE = frozenset(
    {"sudo", "env", "nohup", "time", "exec", "command", "nice", "doas", "then", "do", "else", "!"}
)
_PYTHON = re.compile(r"(python|pypy)[0-9.]*")
_PIP = re.compile(r"pip[0-9.]*")
_SPEC = re.compile(r"((?:@[A-Za-z0-9._-]+/)?[A-Za-z0-9._-]+)(?:[@=<>!~\[].*)?")
_INSTALLS = frozenset({"install", "i", "in", "add", "isntall", "global", "update", "upgrade", "up"})
_REMOVES = frozenset({"uninstall", "un", "remove", "rm", "r", "unlink"})
_NODE = frozenset({"npm", "pnpm", "yarn", "bun", "cnpm"})
_RUNNERS = frozenset({"npx", "bunx", "pnpx", "uvx"})
_DISTRIBUTIONS = {
    **dict.fromkeys(("apt", "apt-get", "aptitude"), "deb"),
    **dict.fromkeys(("dnf", "yum", "zypper"), "rpm"),
    **{name: name for name in ("brew", "snap", "flatpak")},
}
_RUNS = frozenset({"exec", "x", "dlx", "run", "create"})


@dataclass(frozen=True, slots=True)
class Mention:
    """What a command did with a tool; ``weak`` where other software is called the same."""

    tool: Tool
    shows: Shows
    weak: bool = False


class Reader:
    """Finds tools in command lines. Most lines hold no name of any, and cost one search."""

    def __init__(self, atlas: Atlas) -> None:
        self._atlas = atlas
        words = {*atlas.names, *atlas.modules, *atlas.packages["npm"]}
        patterns = {re.escape(word) for word in words}
        patterns |= {name.replace("-", "[-_.]") for name in atlas.packages["pypi"]}
        either = "|".join(sorted(patterns)) or r"(?!)"
        self._any = re.compile(rf"(?<![A-Za-z0-9_-])(?:{either})(?![A-Za-z0-9_-])", re.IGNORECASE)

    def mentions(self, line: str) -> Iterator[Mention]:
        """Go through the tools of one line."""
        line = line[:LONGEST]
        if not self._any.search(line):
            return
        for words in _commands(line):
            yield from self.command(words)

    def command(self, words: Sequence[str]) -> Iterator[Mention]:
        """Go through the tools of one simple command, whose first word is the program."""
        words = _bare(words)
        if not words:
            return
        program, rest = posixpath.basename(words[0]), words[1:]
        if found := self._atlas.names.get(program):
            yield Mention(found[0], Shows.USED, found[1])
        elif program in _NODE or program in _RUNNERS:
            yield from self._node(program, rest)
        elif _PYTHON.fullmatch(program):
            yield from self._python(rest)
        elif _PIP.fullmatch(program):
            yield from self._managed(rest, "pypi")
        elif program in {"pipx", "uv", "conda", "mamba"}:
            yield from self._isolated(rest)
        elif program in _DISTRIBUTIONS:
            yield from self._distribution(_DISTRIBUTIONS[program], rest)

    def _node(self, program: str, rest: Sequence[str]) -> Iterator[Mention]:
        plain = _plain(rest)
        if program == "uvx":
            yield from self._once(rest, "pypi")
        elif program in _RUNNERS:
            yield from self._once(rest, "npm")
        elif plain and plain[0] in _RUNS:
            yield from self._once(rest[rest.index(plain[0]) + 1 :], "npm")
        else:
            yield from self._managed(rest, "npm")

    def _python(self, rest: Sequence[str]) -> Iterator[Mention]:
        if "-m" not in rest[:-1]:
            return
        at = rest.index("-m") + 1
        module, arguments = rest[at].partition(".")[0], rest[at + 1 :]
        if found := self._atlas.modules.get(module):
            yield Mention(found[0], Shows.USED, found[1])
        elif module == "pip":
            yield from self._managed(arguments, "pypi")
        elif module == "pipx":
            yield from self._isolated(arguments)

    def _isolated(self, rest: Sequence[str]) -> Iterator[Mention]:
        """Read what pipx, ``uv tool``, ``uv pip`` or conda are told."""
        plain = _plain(rest)
        if "run" in plain[:2]:
            yield from self._once(rest[rest.index("run") + 1 :], "pypi")
        else:
            yield from self._managed(rest, "pypi")

    def _once(self, rest: Sequence[str], manager: str) -> Iterator[Mention]:
        """Take what ``--package`` or ``--from`` names, else the first plain word."""
        named = [
            rest[at + 1]
            for at, word in enumerate(rest[:-1])
            if word in {"--from", "--package", "-p", "--spec"}
        ]
        named += [word.partition("=")[2] for word in rest if word.startswith("--package=")]
        for word in named or _plain(rest)[:1]:
            if tool := self._package(word, manager):
                yield Mention(tool, Shows.RUN_ONCE)

    def _managed(self, rest: Sequence[str], manager: str) -> Iterator[Mention]:
        plain = _plain(rest)
        verbs = set(plain[:2])
        removes = bool(verbs & _REMOVES)
        if not (removes or verbs & _INSTALLS):
            return
        for word in plain[1:]:
            if tool := self._package(word, manager):
                yield Mention(tool, Shows.REMOVED if removes else Shows.WAS_INSTALLED)

    def _distribution(self, manager: str, rest: Sequence[str]) -> Iterator[Mention]:
        plain = _plain(rest)
        verbs = set(plain[:1])
        removes = bool(verbs & {*_REMOVES, "purge"})
        if not (removes or verbs & _INSTALLS):
            return
        shows = Shows.REMOVED if removes else Shows.WAS_INSTALLED
        for word in plain[1:]:
            name = word.rpartition("/")[2]
            known = self._atlas.packages[manager].get(name)
            if tool := known or self._atlas.strong(name):
                yield Mention(tool, shows, weak=known is None)

    def _package(self, word: str, manager: str) -> Tool | None:
        found = _SPEC.fullmatch(word)
        if found is None:
            return None
        return self._atlas.npm(found[1]) if manager == "npm" else self._atlas.pypi(found[1])


def _commands(line: str) -> Iterator[list[str]]:
    """Cut a line into simple commands, as a shell would, or at blanks where it could not."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";|&()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        words = line.split()
    command: list[str] = []
    for word in words:
        if _BREAKS.fullmatch(word):
            yield command
            command = []
        else:
            command.append(word)
    yield command


def _bare(words: Sequence[str]) -> Sequence[str]:
    """Leave out what stands before the program: assignments, ``sudo -u x`` and the like."""
    at, is_before = 0, False
    while at < len(words):
        word = words[at]
        goes_before = posixpath.basename(word) in _BEFORE
        if goes_before or _ASSIGNMENT.match(word):
            is_before = is_before or goes_before
            at += 1
        elif is_before and word in {"-u", "-g", "-n"}:
            at += 2
        elif is_before and word.startswith("-"):
            at += 1
        else:
            break
    return words[at:]


def _plain(words: Sequence[str]) -> list[str]:
    return [word for word in words if not word.startswith("-")]
