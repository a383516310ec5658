# SPDX-License-Identifier: Apache-2.0
"""An audit follows a detection: a process of its own, whose findings come back as facts."""

from __future__ import annotations

import selectors
import sys
import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.homes import CLAUDE, npm_package, plant
from support.story import CATALOGUE, StoryHost, events

from sensor.core.audit.trigger import Occasion, On
from sensor.core.config import Config
from sensor.core.engine import Engine
from sensor.core.event import Event, Kind, ProcessView, Verdict
from sensor.core.facts import Fact, Found
from sensor.core.tools import Category
from sensor.daemon import audit_worker, probing
from sensor.daemon.audit_worker import Auditing
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATIENCE_S = 60
EXEC = Event(
    v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07Z", at_ns=1, kind=Kind.EXEC,
    verdict=Verdict.ALERT, tool="codex", process=ProcessView(pid=1, started_ns=1, uid=1000),
)  # fmt: skip


class Loop:
    """The daemon's loop, as far as an audit is concerned."""

    def __init__(self, on: On = On.ALERT, *high_risk: str) -> None:
        self.said: list[str] = []
        self.facts: list[Fact] = []
        self.selector = selectors.DefaultSelector()
        config = Config(audit_on=on, high_risk=high_risk)
        self.auditing = Auditing(config, CATALOGUE, say=self.said.append)

    def turn(self) -> None:
        """Take one turn, as the daemon does."""
        self.auditing.turn(self.selector, self.facts.append)

    def run(self) -> None:
        """Go on until no audit runs or waits."""
        until = time.monotonic() + PATIENCE_S
        self.turn()
        while self.selector.get_map():
            assert time.monotonic() < until
            for key, mask in self.selector.select(1):
                key.data(mask)
            self.turn()


@pytest.fixture
def loop() -> Iterator[Loop]:
    """Return a loop, and leave no process behind."""
    loop = Loop()
    yield loop
    loop.auditing.close()
    loop.selector.close()


def test_what_is_found_comes_back_as_facts(
    tmp_path: Path, loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One audit after the other; the engine makes events of them."""
    home = plant(tmp_path, {CLAUDE: npm_package("@anthropic-ai/claude-code", "2.1.330")})
    asked = []

    def command(uid: int) -> list[str]:
        asked.append(uid)
        return probing.command("audit", "--worker", "--no-sessions", "--home", str(home))

    monkeypatch.setattr(audit_worker, "command", command)
    loop.auditing.hear(EXEC)
    loop.auditing.hear(EXEC)
    loop.auditing.hear(replace(EXEC, process=ProcessView(pid=2, started_ns=1, uid=0)))
    loop.run()
    assert asked == [1000, 0]
    assert loop.said == []
    first, second = loop.facts
    assert isinstance(first, Found)
    assert isinstance(second, Found)
    assert (first.tool, first.inventory.state, first.inventory.versions) == (
        "claude-code", "installed", ("2.1.330",),
    )  # fmt: skip
    (told,) = events(Engine(CATALOGUE, StoryHost()), first)
    assert (told.kind, told.inventory) == (Kind.INVENTORY, first.inventory)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("print('nothing')", "the audit of user 1000 says what is no finding"),
        ("raise SystemExit(5)", "the audit of user 1000 ended with 5"),
    ],
)
def test_a_worker_that_fails_is_told_of(
    loop: Loop, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    """And stops nothing."""
    monkeypatch.setattr(audit_worker, "command", lambda _uid: [sys.executable, "-c", script])
    loop.auditing.hear(EXEC)
    loop.run()
    assert loop.facts == []
    assert loop.said[0].startswith(said)


def test_a_worker_that_cannot_be_started_is_told_of(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The daemon goes on."""
    monkeypatch.setattr(audit_worker, "command", lambda _uid: ["/no/such/program"])
    loop.auditing.hear(EXEC)
    loop.run()
    assert loop.said[0].startswith("user 1000 cannot be audited: ")


def test_more_than_can_wait_are_left_out_aloud(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A host of a thousand users is audited by hand."""
    monkeypatch.setattr(audit_worker, "MOST_WAITING", 1)
    for uid in (1, 2):
        loop.auditing.hear(replace(EXEC, process=ProcessView(pid=2, started_ns=1, uid=uid)))
    assert loop.said == ["user 2 is not audited: 1 audits wait already"]


def test_the_daemons_end_is_its_own(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """No audit outlives it."""
    script = "import time; time.sleep(600)"
    monkeypatch.setattr(audit_worker, "command", lambda _uid: [sys.executable, "-c", script])
    loop.auditing.hear(EXEC)
    loop.turn()
    loop.auditing.close()


def test_nothing_happens_unless_it_is_configured() -> None:
    """Off is the default."""
    loop = Loop(On.OFF)
    loop.auditing.hear(EXEC)
    loop.run()
    assert (loop.facts, loop.said) == ([], [])
    assert "--user" in audit_worker.command(7)


@pytest.mark.parametrize(
    ("on", "word", "policys", "is_audited"),
    [
        (On.HIGH_RISK, "vendor:openai", None, True),
        (On.HIGH_RISK, "category:cli", None, True),
        (On.HIGH_RISK, "claude-code", None, False),
        (On.ALERT, "codex", Occasion(On.OFF), False),
        (On.OFF, "codex", Occasion(On.ALERT), True),
        (On.OFF, "codex", Occasion(On.HIGH_RISK, frozenset({"aider"})), False),
    ],
)
def test_a_policy_that_says_when_goes_before_the_configuration(
    monkeypatch: pytest.MonkeyPatch, on: On, word: str, policys: Occasion | None, *,
    is_audited: bool,
) -> None:  # fmt: skip
    """Both name tools in the same words."""
    asked: list[int] = []

    def command(uid: int) -> list[str]:
        asked.append(uid)
        return [sys.executable, "-c", ""]

    monkeypatch.setattr(audit_worker, "command", command)
    loop = Loop(on, word)
    loop.auditing.hear(EXEC, policys)
    loop.run()
    loop.selector.close()
    assert asked == [1000] * is_audited


def test_a_tool_that_nobody_knows_is_refused() -> None:
    """Nothing would ever be audited for it."""
    with pytest.raises(BadInputError, match=r"^configuration: audit: high_risk: 'clod' is no tool"):
        Loop(On.HIGH_RISK, "clod")


def test_words_of_the_configuration_go_by_the_catalogue_that_is_in_force(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What a category holds may have changed."""
    monkeypatch.setattr(audit_worker, "command", lambda _uid: [sys.executable, "-c", ""])
    loop = Loop(On.HIGH_RISK, "category:cli")
    tools = tuple(
        replace(tool, category=Category.CLIENT) if tool.id == "codex" else tool
        for tool in CATALOGUE.tools
    )
    loop.auditing.learn(replace(CATALOGUE, tools=tools))
    loop.auditing.hear(EXEC)
    loop.turn()
    assert not loop.selector.get_map()
    loop.auditing.learn(CATALOGUE)
    loop.auditing.hear(EXEC)
    loop.turn()
    assert loop.selector.get_map()
    loop.run()
    loop.selector.close()
