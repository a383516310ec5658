# SPDX-License-Identifier: Apache-2.0
"""What is no AI tool is no event, and does not even wake the sensor."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.scope import Scope
from support.stage import TIMES, Stage, end_of
from support.watching import Watching

if TYPE_CHECKING:
    from pathlib import Path

    from support.drivers import Drivers
    from support.scope import Argument

pytestmark = pytest.mark.kernel


def ordinary(stage: Stage, folder: Path) -> list[list[Argument]]:
    """Give programs that a build may run; some come near to a tool's name."""
    near = folder / "claude-monet"
    near.write_bytes(stage.drivers.plain("nothing").read_bytes())
    near.chmod(0o755)
    plain, tcp = stage.drivers.plain, str(stage.network.tcp_port)
    return [
        [plain("nothing"), "claude", "codex"],
        [near],
        ["/bin/sh", "-c", "exit 0", "claude"],
        [plain("vfork"), plain("nothing")],
        [plain("memfd"), plain("nothing"), "cc1"],
        stage.network.entered(plain("tcp"), "127.0.0.1", tcp),
        stage.network.entered(plain("sendto"), "::1", str(stage.network.udp_port)),
        stage.network.entered(plain("threads"), "3", "127.0.0.1", tcp),
    ]


def test_ordinary_programs_are_no_event_and_no_wake_up(stage: Stage, tmp_path: Path) -> None:
    """Programs with ordinary names execute, fork and connect, and the sensor sleeps on."""
    programs = ordinary(stage, tmp_path)
    stage.everything_is_told()
    told, woken = len(stage.watching.events()), stage.watching.wake_ups()
    for argv in programs:
        for _ in range(TIMES):
            assert end_of(stage.start(argv)) == 0
    assert stage.watching.wake_ups() == woken
    stage.everything_is_told()
    assert stage.watching.wake_ups() > woken  # by the tool
    stage_itself = stage.drivers.tool("nothing")
    new = stage.watching.events()[told:]
    assert {e["process"]["exe"] for e in new if e["kind"] == "exec"} == {str(stage_itself)}
    assert len({event["session"] for event in new}) == 1


@pytest.mark.long
def test_each_sensor_sees_its_own_scope_alone(stage: Stage, beside: Stage) -> None:
    """Two sensors side by side: a tool in one's scope is nothing to the other."""
    tool = stage.drivers.tool("nothing")
    since = len(beside.watching.events())
    ours = {run.pid for run in stage.play(tool)}
    others = {run.pid for run in beside.play(tool)}
    assert {event["process"]["pid"] for event in beside.watching.events()[since:]} == others
    stage.everything_is_told()
    assert not others & {e["process"]["pid"] for e in stage.watching.events()[-10:]}
    assert ours <= {event["process"]["pid"] for event in stage.watching.events()}


@pytest.mark.long
def test_without_all_children_only_the_first_generation_is_told(drivers: Drivers) -> None:
    """The tool's own execs and those of its children are told; deeper ones are not."""
    tool, child, grandchild = (
        drivers.tool("spawn"),
        drivers.plain("spawn"),
        drivers.plain("nothing"),
    )
    with Scope() as scope, Watching(scope) as watching:
        assert scope.run([tool, child, grandchild]).wait(SOON_S) == 0
        events = watching.until(lambda e: any(x["kind"] == "session_end" for x in e))
    told = [(e["depth"], e["process"]["exe"]) for e in events if e["kind"] == "exec"]
    assert told == [(0, str(tool)), (1, str(child))]
