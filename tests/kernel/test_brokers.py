# SPDX-License-Identifier: Apache-2.0
"""What a session has others start is the session's: where ancestry is cut, by other signs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.brokering import stand_in, tool
from support.host import copied
from support.policing import policing
from support.stage import TIMES, end_of

if TYPE_CHECKING:
    from support.drivers import Drivers
    from support.network import Network
    from support.stage import Stage
    from support.watching import Event

pytestmark = pytest.mark.kernel

SOME = 5
BLOCKED = """mode = "enforce"
[[rule]]
id = "no"
verdict = "block"
tools = ["claude-code"]
endpoints = ["192.0.2.0/24"]
"""


@pytest.fixture(scope="module")
def claude(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a shell under the name of a tool."""
    return copied("bash", tmp_path_factory.mktemp("tool"))


def session_of(stage: Stage, pid: int) -> str:
    """Give the session that a process began."""
    told = stage.watching.until(
        lambda events: any(_is_start(event) and event["process"]["pid"] == pid for event in events)
    )
    (start,) = (one for one in told if _is_start(one) and one["process"]["pid"] == pid)
    session: str = start["session"]
    return session


def _is_start(event: Event) -> bool:
    return str(event["kind"]) == "session_start"


def over(stage: Stage, session: str) -> None:
    """Wait for the end of a session: what has joined it may take a second."""
    stage.watching.until(
        lambda events: any(
            event["kind"] == "session_end" and event["session"] == session for event in events
        )
    )


def runs(stage: Stage, exe: Path, since: int) -> list[Event]:
    """Give the executions of a file among the events from ``since`` on."""
    return [
        event
        for event in stage.watching.events()[since:]
        if event["kind"] == "exec" and event["process"]["exe"] == str(exe)
    ]


def joined(stage: Stage, exe: Path, since: int, count: int = 1) -> list[Event]:
    """Wait for so many executions of a file, and give them."""
    stage.watching.until(lambda _: len(runs(stage, exe, since)) >= count)
    return runs(stage, exe, since)


def test_a_window_of_a_tmux_that_ran_before_is_the_session_s(
    stage: Stage, claude: Path, tmp_path: Path
) -> None:
    """Each tool that has it opened finds it in its own session, with all that runs there."""
    child = stage.drivers.plain("nothing")
    tmux = f"tmux -S {tmp_path}/socket -f /dev/null"
    environment = {"PATH": "/usr/bin:/bin", "SHELL": "/bin/sh", "HOME": str(tmp_path)}
    server = stage.start([*tmux.split(), "new-session", "-d", "sleep 600"], env=environment)
    assert end_of(server) == 0
    try:
        for _ in range(TIMES):
            since = len(stage.watching.events())
            code = f"{tmux} new-window -d '{child}; {child}'"
            with tool(stage.scope, claude, code) as process:
                told = joined(stage, child, since, 2)
                session = session_of(stage, process.pid)
            assert [(one["session"], one["tool"]) for one in told] == [(session, "claude-code")] * 2
            (window,) = (
                one for one in stage.watching.events(pid=told[0]["process"]["ppid"])
                if one["kind"] == "exec"
            )  # fmt: skip
            (why,) = window["evidence"]
            assert (window["lineage"], window["session"]) == ("client", session)
            assert (why["signal"], why["value"].split()[0]) == ("client", "tmux")
    finally:
        subprocess.run([*tmux.split(), "kill-server"], env=environment, check=True)


@pytest.mark.long
@pytest.mark.parametrize(
    ("broker", "client"),
    [
        ("atd", "at"),
        ("screen", "screen"),
    ],
)
def test_what_a_client_asked_for_is_the_session_s(
    stage: Stage, claude: Path, tmp_path: Path, broker: str, client: str
) -> None:
    """Each time, with the client that was there."""
    child = stage.drivers.plain("nothing")
    asks = copied("bash", tmp_path / "clients", name=client)
    with stand_in(stage.scope, tmp_path, broker) as other:
        for _ in range(TIMES):
            since = len(stage.watching.events())
            with tool(stage.scope, claude, other.asks(asks, f"exec {child}")) as process:
                (told,) = joined(stage, child, since)
                session = session_of(stage, process.pid)
            assert (told["session"], told["lineage"], told["depth"]) == (session, "client", 2)


@pytest.mark.long
@pytest.mark.parametrize("client", ["docker", "podman"])
def test_a_container_joins_by_its_marker_and_never_by_a_client(
    stage: Stage, claude: Path, tmp_path: Path, client: str
) -> None:
    """Others' containers begin while a client is there: it is told that there was one."""
    child, marked = stage.drivers.plain("nothing"), copied("sleep", tmp_path / "run", name="one")
    asks = copied("bash", tmp_path / "clients", name=client)
    with stand_in(stage.scope, tmp_path, "containerd-shim-runc-v2") as shim:
        for _ in range(SOME):
            since = len(stage.watching.events())
            with tool(stage.scope, claude, shim.asks(asks, f"exec {child}")) as process:
                (other,) = joined(stage, child, since)
                session = session_of(stage, process.pid)
                shim.ask(f"CLAUDECODE=1 exec {marked} 1")
                (own,) = joined(stage, marked, since)
            assert (other["session"], other["lineage"]) == (None, "ambiguous")
            assert [why["signal"] for why in other["evidence"]] == ["client", "either"]
            assert other["evidence"][1]["value"] == session
            assert (own["session"], own["lineage"]) == (session, "marker")
            over(stage, session)


@pytest.mark.long
def test_a_unit_of_systemd_run_is_the_session_s_and_a_service_is_not(
    stage: Stage, claude: Path, tmp_path: Path
) -> None:
    """By the name of its cgroup, while the client is there."""
    child, service = stage.drivers.plain("nothing"), stage.drivers.named("service", "nothing")
    asks = copied("bash", tmp_path / "clients", name="systemd-run")
    unit = stage.scope.path / "run-u7.service"
    unit.mkdir()
    moves = f"echo \\$BASHPID >{unit}/cgroup.procs; exec {child}"
    with stand_in(stage.scope, tmp_path, "systemd") as systemd:
        for _ in range(TIMES):
            since = len(stage.watching.events())
            with tool(stage.scope, claude, systemd.asks(asks, moves)) as process:
                (told,) = joined(stage, child, since)
                session = session_of(stage, process.pid)
                systemd.ask(f"exec {service}")
                stage.everything_is_told()
            assert (told["session"], told["lineage"]) == (session, "cgroup")
            assert {"signal": "cgroup", "value": unit.name} in told["evidence"]
            assert runs(stage, service, since) == []


@pytest.mark.long
def test_a_marker_is_enough_for_the_tool_s_user_and_for_nobody_else(
    stage: Stage, claude: Path, tmp_path: Path
) -> None:
    """Without any client; what nobody of the tool's user started is not told of."""
    child, other = copied("sleep", tmp_path / "run", name="one"), Path("/usr/bin/sleep")
    as_nobody = "exec setpriv --reuid=65534 --clear-groups env CLAUDECODE=1"
    with stand_in(stage.scope, tmp_path, "atd") as atd:
        for _ in range(SOME):
            since = len(stage.watching.events())
            with tool(stage.scope, claude, "true") as process:
                session = session_of(stage, process.pid)
                atd.ask(f"CLAUDECODE=1 exec {child} 1")
                (told,) = joined(stage, child, since)
                atd.ask(f"{as_nobody} {other} 1")
                atd.ask(f"exec {other} 1")
                stage.everything_is_told()
            assert (told["session"], told["lineage"], told["depth"]) == (session, "marker", None)
            assert [one["line"] for one in runs(stage, other, since)] == []
            over(stage, session)


@pytest.mark.long
def test_of_two_sessions_none_is_chosen(stage: Stage, claude: Path, tmp_path: Path) -> None:
    """It is told that there are two."""
    child = copied("sleep", tmp_path / "run", name="one")
    since = len(stage.watching.events())
    with (
        stand_in(stage.scope, tmp_path, "atd") as atd,
        tool(stage.scope, claude, "true") as one,
        tool(stage.scope, claude, "true") as two,
    ):
        sessions = sorted(session_of(stage, process.pid) for process in (one, two))
        atd.ask(f"CLAUDECODE=1 exec {child} 1")
        (told,) = joined(stage, child, since)
    assert (told["session"], told["lineage"]) == (None, "ambiguous")
    either = [why["value"] for why in told["evidence"] if why["signal"] == "either"]
    assert either == sessions


def test_brokers_wake_nobody_without_a_session_and_builds_never(
    stage: Stage, claude: Path, tmp_path: Path
) -> None:
    """What they start is told while somebody is followed; what that starts is not."""
    child = stage.drivers.plain("nothing")
    spawn = stage.drivers.plain("spawn")
    with stand_in(stage.scope, tmp_path, "atd") as atd:
        stage.everything_is_told()
        before = stage.watching.wake_ups()
        done = tmp_path / "done"
        atd.ask(f"for i in 1 2 3 4 5 6 7 8 9; do {child}; done; echo >{done}")
        _await(done)
        assert stage.watching.wake_ups() == before
        with tool(stage.scope, claude, "true") as process:
            session_of(stage, process.pid)
            before = stage.watching.wake_ups()
            for _ in range(TIMES):
                assert end_of(stage.start([spawn, child])) == 0
            assert stage.watching.wake_ups() == before


def _await(path: Path) -> None:
    """Wait until a file is there: what writes it is no child of ours."""
    with subprocess.Popen(
        ["sh", "-c", 'until [ -s "$1" ]; do sleep 0.02; done', "sh", path]
    ) as waits:
        assert waits.wait(60) == 0


@pytest.mark.long
def test_what_joins_a_session_is_refused_what_the_session_is(
    drivers: Drivers, network: Network, tmp_path: Path, claude: Path
) -> None:
    """From then on, in the kernel; the same program of nobody's goes through."""
    start, status = tmp_path / "start", tmp_path / "status"
    os.mkfifo(start)
    os.mkfifo(status)
    enter = " ".join(
        map(str, network.entered(drivers.plain("tcp"), "192.0.2.1", str(network.tcp_port)))
    )
    waits = f"exec sh -c 'read -r _ <{start}; {enter}; echo \\$? >{status}'"
    asks = copied("bash", tmp_path / "clients", name="at")
    with policing(tmp_path) as police, stand_in(police.scope, tmp_path, "atd") as atd:
        police.start(BLOCKED)
        for _ in range(SOME):
            since = police.seq()
            line = waits.replace("'", "\\x27")
            with tool(
                police.scope, claude, atd.asks(asks, f"eval \\$'{line}'".replace("'", "'\\''"))
            ):
                police.told(since, "exec", 3)
                start.write_text("\n")
                assert status.read_text() == "1\n"
            (told,) = (one for one in police.told_of(since, "connect"))
            assert (told["verdict"], told["enforcement"], told["rule"]) == ("block", "cgroup", "no")
            assert told["tool"] == "claude-code"
            atd.ask(waits.replace("\\$", "$"))
            start.write_text("\n")
            assert status.read_text() == "0\n"
