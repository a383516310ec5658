# SPDX-License-Identifier: Apache-2.0
"""A terminal with a shell in it, for a script that types and reads as a person would."""

from __future__ import annotations

import os
import pty
import re
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from support.patience import is_readable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

# An emulated guest boots within a minute on an idle machine.
WITHIN_S = 1800
PROMPT = "here$ "
# Ours, or a guest's shell's: demo@build-host:~$
PROMPTS = re.compile(r"^(?:here|\w+@[\w-]+:\S+)\$ ", re.MULTILINE)
# What comes from others than the command may come after it has ended.
LATE_S = 60
# What a terminal shows otherwise: colours, titles, modes.
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07|\r|\x07")
CHUNK_BYTES = 65536


class TerminalError(Exception):
    """What was waited for did not come; the text has what came instead."""


class Terminal:
    """Runs a shell in ``folder``; writes each line that it shows to ``log``."""

    def __init__(self, log: Path, folder: Path, environ: Mapping[str, str]) -> None:
        self._log = log.open("a")
        self._new = ""
        self._pid, self._fd = pty.fork()
        if not self._pid:
            os.chdir(folder)
            words = {"PS1": PROMPT, "TERM": "dumb", "LC_ALL": "C.UTF-8"}
            os.execve("/bin/bash", ["bash", "--norc", "--noediting"], {**environ, **words})  # noqa: S606

    def type(self, line: str) -> None:
        """Type the line and Enter; what was shown before counts no more."""
        self._new = ""
        os.write(self._fd, f"{line}\n".encode())

    def shows(self, pattern: str, *, within_s: float = WITHIN_S) -> None:
        """Wait until a line that came since the last typing matches the pattern.

        Raises:
            TerminalError: It does not come, in time or within a minute of the command's end.

        """
        sought = re.compile(pattern, re.MULTILINE)
        deadline = time.monotonic() + within_s
        while not sought.search(self._new):
            if PROMPTS.search(self._new):
                deadline = min(deadline, time.monotonic() + LATE_S)
            if not self._read(deadline):
                raise TerminalError(f"waited for {pattern!r}, and saw:\n{self._new}")

    def prompts(self) -> None:
        """Wait for the shell to ask for a command.

        Raises:
            TerminalError: It does not.

        """
        deadline = time.monotonic() + WITHIN_S
        while not PROMPTS.search(self._new):
            if not self._read(deadline):
                raise TerminalError(f"waited for a prompt, and saw:\n{self._new}")

    def close(self) -> None:
        """End the shell and what it runs, as closing a window does."""
        with suppress(ProcessLookupError):
            os.killpg(self._pid, signal.SIGHUP)
        os.close(self._fd)
        os.waitpid(self._pid, 0)
        self._log.close()

    def _read(self, deadline: float) -> bool:
        """Take what comes next; False when nothing does any more."""
        ready = is_readable(self._fd, max(0.0, deadline - time.monotonic()))
        if not ready:
            return False
        try:
            came = os.read(self._fd, CHUNK_BYTES).decode("utf-8", "backslashreplace")
        except OSError:  # EIO: nobody has the other end any more
            return False
        text = CONTROLS.sub("", came)
        self._log.write(text)
        self._log.flush()
        self._new += text
        return True
