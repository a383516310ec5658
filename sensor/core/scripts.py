# SPDX-License-Identifier: Apache-2.0
"""Scripts: how the kernel knows one, and what was found in it.

An interpreter opens its script after it has been executed: the kernel knows the
word that it was given, and from where that is looked up. The file is user space's
to find.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST_CONSOLE_BYTES = 4096
"""A console script of pip or uv is a tenth of that."""

# What installers write between the shebang and the call (pip: distlib's scripts.py, uv:
# uv-install-wheel's wheel.rs): the one import that is no part of Python.
_IMPORT = re.compile(rb"^from ([A-Za-z_]\w*)(?:\.\w+)* import \w+", re.MULTILINE)
# A path that is too long for the kernel, or has a space in it, is given to a shell to execute.
_PYTHON = re.compile(rb'#!(?:/bin/sh\n\'\'\'exec\' ["\']?)?(/[^\n\0"\']*/python[0-9.]*)')
_START_BYTES = 1024
_CALL = re.compile(rb"^\s+sys\.exit\(\w+(?:\.\w+)*\(\)\)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Script:
    """A script as the kernel knows it (``struct script_key`` of ``probes/tables.h``).

    ``ino`` and ``dev`` are of the folder from which the word is looked up; ``mntns`` is the
    low half of a number that its mount namespace shares with no other until reboot, 0 of one
    that is mounted nowhere.
    """

    hash: int
    ino: int
    dev: int
    mntns: int


@dataclass(frozen=True, slots=True)
class Inside:
    """What was found out of the file that a script is.

    ``path`` has no links any more, as its process sees it. ``package`` is the one that it
    came in, and ``owns`` it where that names it as its own; what lies among sources came
    in none. ``module`` is what a console script of Python calls, and then ``package`` the one
    that has the module. ``tool`` is the id of the one whose texts are in it.
    """

    path: str
    package: str | None = None
    owns: bool = False
    module: str | None = None
    tool: str | None = None


def interpreter_of(text: bytes) -> bytes | None:
    """Give the Python that a console script starts with, itself or by a shell."""
    found = _PYTHON.match(text[:_START_BYTES])
    return found[1] if found else None


def called_module(text: bytes) -> str | None:
    """Name the top package that a console script calls and is nothing else than a call of."""
    if len(text) > MOST_CONSOLE_BYTES or not text.startswith(b"#!") or not _CALL.search(text):
        return None
    found = [one for one in _IMPORT.findall(text) if one not in {b"re", b"sys"}]
    return found[0].decode("ascii") if len(found) == 1 else None
