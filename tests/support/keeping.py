# SPDX-License-Identifier: Apache-2.0
"""A daemon under test that keeps a policy, in a scope of the test's own."""

from __future__ import annotations

import json
import subprocess
import time
from typing import TYPE_CHECKING

from support.patience import SOON_S
from support.running import AGENT_SENSOR

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.drivers import Drivers
    from support.running import Running
    from support.scope import Scope

REFUSES = """
version = 1
mode = "enforce"
[[rule]]
id = "no-claude"
tools = ["claude-code"]
verdict = "block"
message = "Not on build hosts."
"""
ALLOWS = 'version = 1\nmode = "enforce"\n'
SHADOWS = REFUSES.replace('mode = "enforce"', 'mode = "shadow"')


class Kept:
    """A daemon with a policy, in a scope of its own; ``tool`` is what it refuses."""

    def __init__(self, daemon: Running, scope: Scope, folder: Path, drivers: Drivers) -> None:
        self.daemon = daemon
        self.scope = scope
        self.folder = folder
        self.file = folder / "policy.toml"
        self.tool = drivers.tool("nothing")
        self.write(REFUSES)

    def write(self, text: str) -> None:
        """Change the file of the policy."""
        self.file.write_text(text, "utf-8")
        self.file.chmod(0o644)

    def start(self) -> None:
        """Start the daemon with it."""
        self.daemon.start(f"--policy={self.file}")

    def is_refused(self) -> bool:
        """Tell whether the tool is refused now: killed, or never executed."""
        try:
            return self.scope.run([self.tool]).wait(SOON_S) != 0
        except OSError:  # the starter's own word for EPERM
            return True

    def status(self) -> dict[str, object]:
        """Ask the daemon how it is."""
        told: dict[str, object] = json.loads(self.daemon.command("status", "--json").stdout)
        return told

    def until(self, claim: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        """Ask again and again until the claim holds of it."""
        deadline = time.monotonic() + SOON_S
        while not claim(status := self.status()):
            assert time.monotonic() < deadline, status
        return status

    def control(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `policy` or `block` on the daemon."""
        return subprocess.run(
            [AGENT_SENSOR, *words, f"--run-dir={self.daemon.run_dir}"],
            capture_output=True, text=True, check=False, timeout=SOON_S,
        )  # fmt: skip

    def canaries(self) -> list[str]:
        """Name the canary's cgroups that are there."""
        return [one.name for one in self.scope.path.iterdir() if "canary" in one.name]


def generation(status: dict[str, object]) -> int:
    """Give the generation in force."""
    policy = status["policy"]
    assert isinstance(policy, dict)
    return int(policy["generation"])


def is_proved(status: dict[str, object]) -> bool:
    """Tell whether the canary was refused."""
    return status["proved_at"] is not None
