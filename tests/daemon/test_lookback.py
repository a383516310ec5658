# SPDX-License-Identifier: Apache-2.0
"""A run finds in the store when the one before spoke last, and what it left running."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.story import CATALOGUE, CLAUDE, CODEX, StoryHost, at, events, exec_, exit_, fork

from sensor.core.engine import Engine
from sensor.core.facts import Gap, Health
from sensor.core.words import SENSOR
from sensor.daemon.lookback import Before, look_back
from sensor.edge.store import Store
from sensor.wire.frame import body
from sensor.wire.row import row_of, wall_ns

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.event import Event
    from sensor.core.facts import Fact


class Elsewhere(StoryHost):
    """The same host after a reboot."""

    boot_id = "another boot"


def kept(path: Path, *facts: Fact, host: StoryHost | None = None) -> list[Event]:
    """Store what an engine tells of these facts."""
    with Store(path) as store:
        engine = Engine(CATALOGUE, host or StoryHost(), first_seq=store.last_seq + 1)
        told = events(engine, *facts)
        store.append([row_of(event, body(event)) for event in told])
    return told


def looked_back(path: Path) -> Before:
    """Look back from the boot of all stories."""
    with Store(path, read_only=True) as store:
        return look_back(store, boot_id=StoryHost.boot_id, booted_wall_ns=StoryHost.wall_offset_ns)


def test_the_first_run_has_nobody_before_it(tmp_path: Path) -> None:
    """An empty store is no gap."""
    path = tmp_path / "events.db"
    Store(path).close()
    before = looked_back(path)
    assert before == Before(0, None, was_stopped=False, sessions=())
    assert before.gap(5, 1, booted_wall_ns=3, was_loaded=False) is None


def test_who_was_stopped_was_down_since_then(tmp_path: Path) -> None:
    """However long nothing had been told before."""
    path = tmp_path / "events.db"
    stop = Health(at_ns=9_000, what=SENSOR, is_well=False, why="by SIGTERM")
    kept(path, exec_(9, *CLAUDE), exit_(9), stop)
    before = looked_back(path)
    assert before.was_stopped
    gap = before.gap(10_000, before.last_seq + 1, booted_wall_ns=3, was_loaded=False)
    assert gap == Gap(
        at_ns=10_000,
        from_wall_ns=StoryHost.wall_offset_ns + 9_000,
        why="the sensor was not running, and nothing recorded meanwhile",
    )
    kept_on = before.gap(10_000, before.last_seq + 1, booted_wall_ns=3, was_loaded=True)
    assert kept_on
    assert kept_on.why == "the sensor was not running; probes left attached have recorded meanwhile"


@pytest.mark.parametrize(
    "last", [exit_(9), Health(at_ns=9_000, what="probes", is_well=False, why="detached")]
)
def test_who_was_killed_may_have_run_for_long_after_its_last_word(
    tmp_path: Path, last: Fact
) -> None:
    """The gap begins there, and does not claim that it is all downtime."""
    path = tmp_path / "events.db"
    told = kept(path, exec_(9, *CLAUDE), last)
    before = looked_back(path)
    gap = before.gap(10_000, before.last_seq + 1, booted_wall_ns=3, was_loaded=False)
    assert gap
    assert gap.from_wall_ns == wall_ns(told[-1].at)
    some = "the sensor was not running for some of this time"
    assert gap.why == f"{some}, and nothing recorded meanwhile"


def test_what_was_told_and_is_not_kept_leaves_the_end_unknown(tmp_path: Path) -> None:
    """It came after the stop that is kept: somebody ran then."""
    path = tmp_path / "events.db"
    kept(path, Health(at_ns=9_000, what=SENSOR, is_well=False, why="by SIGTERM"))
    gap = looked_back(path).gap(10_000, 4, booted_wall_ns=3, was_loaded=True)
    assert gap
    assert gap.seqs == (2, 3)
    assert "for some of this time" in gap.why
    nothing = Before(0, None, was_stopped=False, sessions=())
    lost = nothing.gap(10_000, 4, booted_wall_ns=3, was_loaded=True)
    assert lost
    assert (lost.from_wall_ns, lost.seqs) == (3, (1, 3))


def test_a_session_without_an_end_goes_on(tmp_path: Path) -> None:
    """One that ended does not; the last event's number and time are known."""
    path = tmp_path / "events.db"
    told = kept(
        path,
        exec_(9, *CLAUDE),
        fork(9, 12),
        exec_(12, *CODEX, parent=at(9), root=9),
        exit_(12, root=9),
    )
    before = looked_back(path)
    assert (before.last_seq, before.spoke_wall_ns) == (told[-1].seq, wall_ns(told[-1].at))
    assert before.sessions == (told[0],)


def test_sessions_of_another_boot_are_over(tmp_path: Path) -> None:
    """Their processes ended with it."""
    path = tmp_path / "events.db"
    kept(path, exec_(9, *CLAUDE), host=Elsewhere())
    assert looked_back(path).sessions == ()


def test_more_sessions_than_a_page_are_gone_through(tmp_path: Path) -> None:
    """Whatever there is of this boot is read."""
    path = tmp_path / "events.db"
    kept(path, *(fact for pid in range(9, 400) for fact in (exec_(pid, *CLAUDE), exit_(pid))))
    left = kept(path, exec_(500, *CLAUDE))
    assert looked_back(path).sessions == (left[0],)
