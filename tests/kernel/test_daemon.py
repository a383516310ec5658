# SPDX-License-Identifier: Apache-2.0
"""The daemon keeps and tells what the kernel saw, however often it is killed."""

from __future__ import annotations

import json
import random
import subprocess
import threading
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.pins import pinned
from support.running import running
from support.scope import Scope
from support.scripting import until
from support.stage import TIMES

from sensor.edge.store import Store
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.running import Event, Running

pytestmark = pytest.mark.kernel


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Give a cgroup of the test's own."""
    with Scope() as scope:
        yield scope


@pytest.fixture
def daemon(scope: Scope, tmp_path: Path) -> Iterator[Running]:
    """Give a daemon that watches it, not yet started."""
    with running(scope, tmp_path) as daemon:
        yield daemon


def ended(pid: int, events: list[Event]) -> bool:
    """Whether the session that a process began has ended."""
    return any(e["kind"] == "session_end" and e["process"]["pid"] == pid for e in events)


def kinds(events: list[Event], session: str) -> list[str]:
    """Give the kinds of a session's events, in their order."""
    return [event["kind"] for event in events if event["session"] == session]


@pytest.mark.long
def test_a_session_is_told_kept_and_verified(
    daemon: Running, scope: Scope, drivers: Drivers
) -> None:
    """What the hub tells, the store has after the end; the seals hold."""
    daemon.start()
    process = scope.run([drivers.tool("nothing")])
    assert process.wait(SOON_S) == 0
    told = daemon.until(lambda events: ended(process.pid, events))
    assert [event["kind"] for event in told] == ["session_start", "exec", "exit", "session_end"]
    assert daemon.stop() == 0
    *past, stop = daemon.past()
    assert past == told
    assert stop["health"] == {"what": "sensor", "is_well": False}
    assert stop["reason"] == "by SIGTERM; its probes are taken away"
    assert daemon.verify().returncode == 0


@pytest.mark.long
def test_a_clean_end_detaches_and_keep_does_not(daemon: Running, tmp_path: Path) -> None:
    """Pins are what keeps the probes attached."""
    daemon.start("--keep")
    assert daemon.stop() == 0
    assert "link_seen_exec" in pinned(tmp_path / "bpf")
    daemon.start()
    assert daemon.stop() == 0
    assert pinned(tmp_path / "bpf") == []


@pytest.mark.long
def test_a_group_that_this_host_lacks_is_a_problem(daemon: Running, tmp_path: Path) -> None:
    """Nobody but root reads then, which whoever named it did not mean; the start says so too."""
    config = tmp_path / "config.toml"
    config.write_text('[stream]\ngroup = "no-such-group-here"\n', "utf-8")
    daemon.start(f"--config={config}")
    said = daemon.command("status", "--json")
    assert said.returncode == ExitCode.DEGRADED
    [problem] = json.loads(said.stdout)["problems"]
    assert problem.startswith("[stream] group = 'no-such-group-here': this host has no such group")
    assert "groupadd --system no-such-group-here" in problem
    assert any(problem in line for line in daemon.said)


@pytest.mark.long
def test_two_daemons_do_not_share_a_folder(daemon: Running) -> None:
    """The second one says so, and the first goes on."""
    daemon.start()
    second = daemon.another()
    assert second.returncode == 1
    assert "another agent-sensor uses" in second.stderr
    assert daemon.ask("status")[0]["problems"] == []


@pytest.mark.long
def test_nothing_is_lost_by_kills_but_what_is_declared(
    daemon: Running, scope: Scope, drivers: Drivers
) -> None:
    """Killed 23 times under load: seqs do not repeat, holes are declared, sessions go on."""
    keeper = scope.run([drivers.tool("stay")], stdin=subprocess.PIPE)
    stop = threading.Event()
    load = threading.Thread(target=_work, args=(scope, drivers, stop))
    load.start()
    try:
        for _ in range(TIMES):
            daemon.start()
            stop.wait(random.uniform(0, 0.7))  # noqa: S311  # a moment, not a secret
            daemon.kill()
    finally:
        stop.set()
        load.join()
    daemon.start()
    assert keeper.stdin
    keeper.stdin.close()
    keeper.wait(SOON_S)
    events = daemon.until(lambda events: ended(keeper.pid, events))
    assert daemon.stop() == 0
    assert daemon.verify().returncode == 0
    _check_seqs(events)
    mine = {e["session"] for e in events if (e["process"] or {}).get("pid") == keeper.pid}
    assert len(mine) == 1
    told = kinds(events, mine.pop())
    assert (told[0], told[-1]) == ("session_start", "session_end")


def _work(scope: Scope, drivers: Drivers, stop: threading.Event) -> None:
    tool = drivers.tool("nothing")
    while not stop.is_set():
        scope.run([tool]).wait(SOON_S)


def _check_seqs(events: list[Event]) -> None:
    """Every number is there once, or in a gap that says so."""
    seqs = [event["seq"] for event in events]
    assert seqs == sorted(set(seqs))
    declared = [
        range(event["gap"]["first_seq"], event["gap"]["last_seq"] + 1)
        for event in events
        if event["kind"] == "gap" and event["gap"]["first_seq"] is not None
    ]
    missing = set(range(1, seqs[-1])) - set(seqs)
    assert [seq for seq in sorted(missing) if not any(seq in gap for gap in declared)] == []


@pytest.mark.long
def test_a_session_goes_on_over_a_clean_restart(
    daemon: Running, scope: Scope, drivers: Drivers
) -> None:
    """Who stops the service does not end the tools: one session, one end, when it is over."""
    daemon.start()
    keeper = scope.run([drivers.tool("stay")], stdin=subprocess.PIPE)
    daemon.until(lambda events: any(event["kind"] == "exec" for event in events))
    assert daemon.stop() == 0
    daemon.start()
    assert keeper.stdin
    keeper.stdin.close()
    keeper.wait(SOON_S)
    events = daemon.until(lambda events: ended(keeper.pid, events))
    told = [event["kind"] for event in events if event["kind"].startswith("session")]
    assert told == ["session_start", "session_end"]


@pytest.mark.long
def test_a_gap_begins_where_the_sensor_was_stopped(daemon: Running) -> None:
    """On a quiet host too; after a kill nobody knows, and the words do not claim it."""
    stops = []
    for options in ["--keep"], []:
        daemon.start(*options)
        assert daemon.stop() == 0
        stops.append(daemon.past()[-1])
    daemon.start()
    with Store(daemon.store, read_only=True) as store:
        until(lambda: store.last_seq > stops[-1]["seq"])
    daemon.kill()
    daemon.start()
    events = daemon.past()
    assert [stop["reason"] for stop in stops] == [
        "by SIGTERM; its probes stay attached", "by SIGTERM; its probes are taken away"
    ]  # fmt: skip
    gaps = [(event["gap"]["from_at"], event["reason"]) for event in events if event["gap"]]
    was, left = "the sensor was not running", "probes left attached have recorded meanwhile"
    assert gaps == [
        (stops[0]["at"], f"{was}; {left}"),
        (stops[1]["at"], f"{was}, and nothing recorded meanwhile"),
        (events[-2]["at"], f"{was} for some of this time; {left}"),
    ]


@pytest.mark.long
def test_sessions_of_the_time_between_are_told(
    daemon: Running, scope: Scope, drivers: Drivers
) -> None:
    """The probes record while nobody is there; the next daemon tells it, behind a gap."""
    daemon.start()
    daemon.kill()
    process = scope.run([drivers.tool("nothing")])
    process.wait(SOON_S)
    daemon.start()
    events = daemon.until(lambda events: ended(process.pid, events))
    session = next(e["session"] for e in events if (e["process"] or {}).get("pid") == process.pid)
    assert kinds(events, session) == ["session_start", "exec", "exit", "session_end"]
    assert not any(event["late"] for event in events if event["session"] == session)
