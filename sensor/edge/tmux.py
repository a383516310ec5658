# SPDX-License-Identifier: Apache-2.0
"""A tmux server of one's own, which starts programs for whoever asks it (tmux(1))."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

from sensor.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PATIENCE_S = 10.0
_ENVIRONMENT = {"PATH": os.defpath, "SHELL": "/bin/sh", "LC_ALL": "C.UTF-8"}
_LASTS_S = 600


def begin(folder: Path, *, enter: Callable[[], None]) -> None:
    """Start a server whose socket is in a folder; ``enter`` runs in its process first.

    It ends when it is killed. Raises UnsupportedError where there is none to be had.
    """
    if shutil.which("tmux", path=_ENVIRONMENT["PATH"]) is None:
        raise UnsupportedError("no tmux is on this host")
    start = ["-f", os.devnull, "new-session", "-d", f"sleep {_LASTS_S}"]
    try:
        done = subprocess.run(
            [*_command(folder), *start], env=_ENVIRONMENT, cwd=folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=_PATIENCE_S, check=False,
            preexec_fn=enter,  # the prover has no threads
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise UnsupportedError(f"tmux did not start within {_PATIENCE_S:.0f} s") from None
    if done.returncode:
        raise UnsupportedError(f"tmux: {done.stderr.strip() or f'status {done.returncode}'}")


def asking(folder: Path, argv: Sequence[str], *, after_s: int) -> list[str]:
    """Give the command that has the server run a program after a while, and waits for it.

    It passes its standard input on to the program, and gives what that says. All it is
    given as arguments is ignored.
    """
    tmux = shlex.join(_command(folder))
    asked, said = (shlex.quote(str(folder / name)) for name in ("asked", "said"))
    window = f"sleep {after_s}; {shlex.join(argv)} <{asked} >{said}; {tmux} wait-for -S over"
    code = (
        f"cat >{asked} && {tmux} new-window -d {shlex.quote(window)} && {tmux} wait-for over"
        f" && cat {said}"
    )
    return ["/bin/sh", "-c", code, "sh"]


def _command(folder: Path) -> list[str]:
    return ["tmux", "-S", str(folder / "socket")]
