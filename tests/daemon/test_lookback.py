# SPDX-License-Identifier: Apache-2.0
"""A run finds in the store when the one before spoke last, and what it left running."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.story import CATALOGUE, CLAUDE, CODEX, StoryHost, at, events, exec_, exit_, fork

from sensor.core.engine import Engine
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
    assert looked_back(path) == Before(0, None, ())


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
