# SPDX-License-Identifier: Apache-2.0
"""A policing daemon over folders of the test's, whose clock and user database the test plays."""

from __future__ import annotations

from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sensor.core.policy.model import Accounts
from sensor.daemon import whom
from sensor.daemon.policing import Policing
from support.enforcing import Scene
from support.policies import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    import pytest

    from sensor.core.facts import Fact
    from sensor.core.former import Former

POLICY = """version = 1
mode = "shadow"
[[rule]]
id = "no"
tools = ["some-cli"]
users = ["amy"]
cgroups = ["/a/b/c"]
verdict = "block"
"""


EXCEPTION = """[[exception]]
rule = "no"
users = ["amy"]
ticket = "T-{number}"
expires = 2030-01-0{number}T00:00:00Z
"""


class Engine:
    """Counts the policies that it is told of, and how often it judges anew."""

    told = 0
    judged = 0
    running: frozenset[str] = frozenset()

    def __init__(self) -> None:
        self.remembered: list[Former] = []
        self.trail: list[str | None] = []

    def remember(self, former: Former) -> None:
        """Know the policy of a run before."""
        self.remembered.append(former)

    def runs(self, session: str) -> bool:
        """Tell whether a session runs."""
        return session in self.running

    def judge(self, *, at_ns: int) -> list[object]:
        """Judge what runs and is open."""
        assert at_ns
        self.judged += 1
        return []

    def policy(self, _enforced: object, *, at_ns: int, why: str | None) -> list[object]:
        """Take another policy, with what became of which blocks."""
        assert at_ns
        self.told += 1
        self.trail.append(why)
        return []

    def cordon(self, _catalogue: object) -> list[object]:
        """Take who is blocked."""
        return []


class Wall:
    """A clock that is moved by hand."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        """Say what time it is."""
        return self.at


class Story:
    """A policing daemon over folders of the test's, in shadow; the clock is moved by hand."""

    def __init__(self, folder: Path) -> None:
        self.top = folder / "top"
        self.top.mkdir()
        self.engine = Engine()
        self.now_s = 1000.0
        self.asked = 0
        self.is_due = False
        self.facts: list[Fact] = []
        self.file = folder / "policy.toml"
        self.file.write_text(POLICY, "utf-8")
        proving: Any = SimpleNamespace(
            end=lambda: None, turn=lambda: self.is_due, timeout=lambda: None, lose=lambda _: None
        )
        sensing: Any = SimpleNamespace(
            engine=self.engine, taken_in=dict, see=self.facts.append, do=lambda _: None
        )
        sweeping: Any = SimpleNamespace(turn=lambda: None)
        self.policing = Policing(
            self.file, CATALOGUE, Scene(folder, top=self.top).enforcing, proving,
            state_dir=folder, may_be_missing=False, sensing=sensing, sweeping=sweeping,
            now_s=lambda: self.now_s,
        )  # fmt: skip

    def ask(self, _policy: object) -> Accounts:
        """Look a user up."""
        self.asked += 1
        return Accounts({"amy": 7}, {})

    def begin(self) -> None:
        """Put policy in force."""
        self.policing.begin()
        self.engine.told = 0

    def turn(self) -> None:
        """Go through the daemon's loop once."""
        self.policing.cradles.heed()
        self.policing.turn()


@contextmanager
def told(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Give a daemon whose policy is not in force yet, until the ``with`` ends."""
    story = Story(folder)
    monkeypatch.setattr(whom, "accounts_of", story.ask)
    yield story
    story.policing.close()
