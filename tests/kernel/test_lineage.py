# SPDX-License-Identifier: Apache-2.0
"""What a tool starts belongs to its session, however it was started, until the last has ended."""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.stage import TIMES, Stage

if TYPE_CHECKING:
    from support.scope import Argument

pytestmark = pytest.mark.kernel


@pytest.mark.parametrize("how", ["spawn", "vfork"])
def test_a_child_is_told_in_the_session_of_its_parent(stage: Stage, how: str) -> None:
    """posix_spawn and vfork hand on the session; the child's exec names its parent."""
    child = stage.drivers.plain("nothing")
    for run in stage.play(stage.drivers.tool(how), child):
        _, told = run.of("exec")
        assert told["process"]["exe"] == str(child)
        assert told["process"]["ppid"] == run.pid
        assert told["depth"] == 1
        assert told["tool"] == "claude-code"


def test_depth_counts_the_images_below_the_tool(stage: Stage) -> None:
    """The tool is 0, what it starts is 1, and what that starts is 2."""
    spawn, nothing = stage.drivers.plain("spawn"), stage.drivers.plain("nothing")
    for run in stage.play(stage.drivers.tool("spawn"), spawn, spawn, nothing):
        assert [event["depth"] for event in run.of("exec")] == [0, 1, 2, 3]
        assert len({event["process"]["pid"] for event in run.of("exec")}) == 4


def test_the_end_of_a_chain_of_forks_is_told(stage: Stage) -> None:
    """Five forks down, an exec and a connect still belong to the session."""
    port = stage.network.tcp_port
    chain, tcp = stage.drivers.tool("fork_chain"), stage.drivers.plain("tcp")
    argv: list[Argument] = [chain, "5", tcp, "::1", str(port)]
    for run in stage.play(*stage.network.entered(*argv)):
        last = run.of("exec")[-1]
        assert last["process"]["exe"] == str(tcp)
        (connect,) = run.of("connect")
        assert connect["process"]["pid"] == last["process"]["pid"] != run.pid


def test_a_tool_in_a_pid_namespace_has_the_pid_of_the_host(stage: Stage) -> None:
    """The sensor's numbers are those that its host can look up, whatever the tool sees."""
    since = len(stage.watching.events())
    argv: list[Argument] = ["unshare", "--pid", "--fork", stage.drivers.tool("nothing")]
    above = [stage.start(argv) for _ in range(TIMES)]
    assert [process.wait(SOON_S) for process in above] == [0] * TIMES
    events = stage.watching.until(
        lambda events: sum(event["kind"] == "session_end" for event in events[since:]) == TIMES
    )[since:]
    told = [event["process"]["ppid"] for event in events if event["kind"] == "exec"]
    assert sorted(told) == sorted(process.pid for process in above)


@pytest.mark.parametrize(
    "how",
    [
        77,
        -signal.SIGKILL,
        *(pytest.param(how, marks=pytest.mark.long) for how in (0, 1, 255, -signal.SIGTERM)),
    ],
)
def test_an_exit_tells_its_status_or_signal(stage: Stage, how: int) -> None:
    """The status is the one that wait(2) gives the parent."""
    for run in stage.play(stage.drivers.tool("finish"), str(how)):
        (told,) = run.of("exit")
        assert told["process"]["pid"] == run.pid
        assert told["process"]["status"] == (how << 8 if how >= 0 else -how)
        assert run.status == how


def test_a_daemon_keeps_its_session_open(stage: Stage) -> None:
    """A double fork with setsid leaves the session only by ending; then the session ends."""
    since = len(stage.watching.events())
    tool = stage.drivers.tool("daemon")
    started = [stage.start([tool], stdin=subprocess.PIPE) for _ in range(TIMES)]
    ended = {process.pid: process.wait(SOON_S) for process in started}
    stage.watching.until(
        lambda events: {*ended} <= {e["process"]["pid"] for e in events[since:] if _is_exit(e)}
    )
    stage.everything_is_told()
    # Of this test alone: the host may have given a pid to somebody before.
    told = stage.watching.events()[since:]
    sessions = {e["session"] for e in told if e["process"] and e["process"]["pid"] in ended}
    assert not [e for e in told if e["kind"] == "session_end" and e["session"] in sessions]
    for process in started:
        assert process.stdin
        process.stdin.close()
    for run in stage.runs(ended, since):
        assert run.events[-1]["kind"] == "session_end"
        assert len(run.of("session_end")) == 1


def _is_exit(event: dict[str, object]) -> bool:
    return event["kind"] == "exit"
