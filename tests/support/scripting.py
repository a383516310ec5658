# SPDX-License-Identifier: Apache-2.0
"""Scripts that hold what a tool's holds, and what runs them: by its name an interpreter."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.catalogues import catalogue
from support.patience import SOON_S

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.policing import Policing
    from support.running import Event
    from support.scope import Argument

TOOL = "claude-code"
POLICY = f"""
mode = "enforce"
[[rule]]
id = "no"
tools = ["{TOOL}"]
verdict = "block"
"""
KILLED = -9


def text() -> str:
    """Give what the tool's script holds, as the catalogue has it."""
    tool = catalogue().tool(TOOL)
    assert tool
    return "".join(f"process.env.{one};\n" for one in tool.scripts)


def script(path: Path, *, inside: str | None = None, first: str = "") -> Path:
    """Lay the tool's script, or another one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{first}{text() if inside is None else inside}", "utf-8")
    path.chmod(0o755)
    return path


def ends(police: Policing, argv: Sequence[Argument], cwd: Path = Path("/")) -> int:
    """Run what goes on until it is ended; give its status."""
    process = police.scope.run(argv, stdin=subprocess.PIPE, cwd=cwd)
    try:
        return process.wait(SOON_S)
    finally:
        assert process.stdin
        process.stdin.close()


def runs(police: Policing, argv: Sequence[Argument], cwd: Path = Path("/")) -> None:
    """Run what is no tool, and end it; nothing else has."""
    _, status = police.run(argv, stdin=subprocess.DEVNULL, cwd=cwd)
    assert status == 0


def until(claim: Callable[[], object]) -> None:
    """Wait for something, no longer than a while."""
    end = time.monotonic() + SOON_S
    while not claim():
        assert time.monotonic() < end
        time.sleep(0.01)


def searched(police: Policing) -> dict[str, int]:
    """Say how much was looked into, by what came of it."""
    (status,) = police.daemon.ask("status")
    found: dict[str, int] = status["contents"]["searched"]
    return found


def evidence(event: Event) -> set[str]:
    """Give the kinds of signal that an event's tool was known by."""
    return {one["signal"] for one in event["evidence"]}


def known(police: Policing) -> int:
    """Count the scripts that the kernel knows as tools."""
    (status,) = police.daemon.ask("status")
    count: int = status["contents"]["scripts"]
    return count
