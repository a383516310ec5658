# SPDX-License-Identifier: Apache-2.0
"""The policy in force is that of the daemon's file and blocks, or it is said that it is not."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from sensor.core.policy.model import Mode
from sensor.daemon import live_policy
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
POLICY = 'version = 1\nmode = "shadow"\n[[rule]]\nid = "no"\ntools = ["aider"]\nverdict = "block"\n'
BLOCK = {
    "id": "runtime-3", "tools": ["codex"], "sessions": [], "users": [], "endpoints": [],
    "ticket": "T", "reason": None, "message": None, "expires": "2027-01-31T00:00:00Z",
}  # fmt: skip


class Asked:
    """A daemon that says this of itself."""

    def __init__(self, policy: dict[str, object] | None, *blocks: dict[str, object]) -> None:
        self._policy = policy
        self._blocks = list(blocks)
        self.hello = SimpleNamespace(seq=41)

    def status(self) -> dict[str, object]:
        """Give what ``status`` says."""
        ways = {"exec": "lsm", "connect": "cgroup"}
        return {"policy": self._policy, "enforcement": ways, "scope": "/sys/fs/cgroup/x"}

    def control(self, do: str) -> dict[str, object]:
        """Give the blocks."""
        assert do == "block_ls"
        return {"blocks": self._blocks}


def ask(*said: object) -> live_policy.Live:
    """Ask a daemon that says so."""
    return live_policy.ask(Asked(*said))  # type: ignore[arg-type]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a policy that was written before it was put in force."""
    path = tmp_path / "policy.toml"
    path.write_text(POLICY, "utf-8")
    os.utime(path, (NOW.timestamp() - 60, NOW.timestamp() - 60))
    return path


def told(file: Path) -> dict[str, object]:
    """Give what a daemon says of its policy."""
    return {"file": str(file), "generation": 1, "since": "2026-11-23T14:00:00Z"}


def test_the_file_is_what_is_in_force(file: Path) -> None:
    """With the blocks of responders before its rules."""
    live = ask(told(file), BLOCK)
    assert [rule.id for rule in live.policy.rules] == ["runtime-3", "no"]
    assert live.policy.mode is Mode.SHADOW
    assert (live.by_name, str(live.scope), live.newest_seq) == ("lsm", "/sys/fs/cgroup/x", 41)


def test_a_file_that_changed_since_is_not_what_is_in_force(file: Path) -> None:
    """The remedy is a reload."""
    os.utime(file, (NOW.timestamp() + 2, NOW.timestamp() + 2))
    with pytest.raises(BadInputError, match="policy reload"):
        ask(told(file))


def test_blocks_alone_are_a_policy(tmp_path: Path) -> None:
    """Where a daemon was started without a file."""
    live = ask(told(tmp_path / "none"), BLOCK)
    assert [rule.id for rule in live.policy.rules] == ["runtime-3"]
    assert live.policy.mode is Mode.ENFORCE


def test_a_daemon_without_a_policy_keeps_none() -> None:
    """It observes."""
    live = ask(None)
    assert live.policy.rules == ()
    assert live.policy.mode is Mode.OBSERVE
