# SPDX-License-Identifier: Apache-2.0
"""Probes taken away from under a daemon: only where that was meant, and it says so."""

from __future__ import annotations

import re
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.keeping import is_proved
from support.pins import pinned
from support.running import AGENT_SENSOR

from sensor.core.condition import problems
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from support.keeping import Kept
    from support.running import Event

pytestmark = [pytest.mark.kernel, pytest.mark.long]

NONE = {"exec": "none", "connect": "none", "name": "none"}


def unload(kept: Kept, *options: str) -> subprocess.CompletedProcess[str]:
    """Unload the daemon's own instance."""
    bpffs = f"--bpffs={kept.folder / 'bpf'}"
    return kept.control("unload", bpffs, f"--scope={kept.scope.path}", *options)


def hooks(status: dict[str, object]) -> dict[str, bool]:
    """Give the hooks, and whether each is there."""
    found = status["hooks"]
    assert isinstance(found, dict)
    return found


def health(kept: Kept, since: int, count: int) -> list[str]:
    """Wait for so many events of health after a seq; give what they are about."""

    def after(events: list[Event]) -> list[str]:
        return [e["health"]["what"] for e in events if e["seq"] > since and e["kind"] == "health"]

    return after(kept.daemon.until(lambda events: len(after(events)) >= count))


def newest(kept: Kept) -> int:
    """Give the newest seq."""
    return int(str(kept.status()["newest_seq"]))


def test_a_daemon_that_runs_is_not_blinded(kept: Kept) -> None:
    """Who tries is told which process runs, and what to do; it goes on refusing."""
    kept.start()
    kept.until(is_proved)
    before = pinned(kept.folder / "bpf")
    said = unload(kept)
    assert said.returncode == ExitCode.FAILED
    assert said.stdout == ""
    assert f"process {kept.daemon.pid}" in said.stderr
    assert "--force" in said.stderr
    assert pinned(kept.folder / "bpf") == before
    assert kept.is_refused()
    assert kept.status()["problems"] == []


def test_what_a_killed_daemon_left_is_told_with_what_takes_it_away(kept: Kept) -> None:
    """The pins go on refusing; the command that is named ends it, and then nothing is left."""
    kept.start()
    kept.daemon.kill()
    assert kept.is_refused()
    said = kept.daemon.command("status")
    assert said.returncode == ExitCode.FAILED
    assert (
        "its probes are still attached and go on refusing what its policy refuses; " in said.stderr
    )
    [command] = re.findall("`(agent-sensor unload .*)` takes them away", said.stderr)
    assert subprocess.run([AGENT_SENSOR, *shlex.split(command)[1:]], check=False).returncode == 0
    assert pinned(kept.folder / "bpf") == []
    assert not kept.is_refused()
    assert "unload" not in kept.daemon.command("status").stderr


def test_what_is_attached_and_refuses_nothing_is_not_said_to_refuse(kept: Kept) -> None:
    """As of an observer that was killed."""
    kept.daemon.start()
    kept.daemon.kill()
    said = kept.daemon.command("status").stderr
    assert "its probes are still attached; `agent-sensor unload" in said


def test_a_daemon_that_is_blinded_says_so_at_once(kept: Kept) -> None:
    """In its status, on the stream and in its log; what it cannot do it refuses; an end is one."""
    kept.start()
    kept.until(is_proved)
    before = newest(kept)
    assert unload(kept, "--force").returncode == 0
    assert not kept.is_refused()
    status = kept.status()
    assert kept.daemon.command("status").returncode == ExitCode.DEGRADED
    assert status["enforcement"] == NONE
    assert set(hooks(status).values()) == {False}
    first = problems(status)[0]
    assert "detached" in first
    assert "restart" in first
    assert str(status["proved"]).startswith("not proved since ")
    assert "detached" in str(status["proved"])
    assert health(kept, before, 2) == ["probes", "enforcement"]
    assert any("detached" in line for line in kept.daemon.said)
    for words in (("policy", "reload"), ("block", "add", "--tool=*", "--ticket=T", "--for=1h")):
        refused = kept.control(*words)
        assert refused.returncode == ExitCode.FAILED
        assert "restart" in refused.stderr
    assert kept.daemon.stop() == 0
    kept.start()
    assert kept.is_refused()


def test_an_observer_that_is_blinded_says_so_too(kept: Kept) -> None:
    """Also where others have been pinned in their place since: they are not its own."""
    kept.daemon.start()
    before = newest(kept)
    bpffs, scope = f"--bpffs={kept.folder / 'bpf'}", f"--scope={kept.scope.path}"
    assert unload(kept, "--force").returncode == 0
    assert kept.control("load", bpffs, scope).returncode == 0
    status = kept.status()
    assert set(hooks(status).values()) == {False}
    [problem] = problems(status)
    assert "detached" in problem
    assert health(kept, before, 1) == ["probes"]


def test_a_hook_that_is_taken_away_alone_is_named(kept: Kept) -> None:
    """What was refused by it may not be: nothing is promised any more."""
    kept.start()
    [pin] = (kept.folder / "bpf").rglob("link_seen_connect4")
    pin.unlink()
    status = kept.status()
    assert [name for name, is_there in hooks(status).items() if not is_there] == ["seen_connect4"]
    assert status["enforcement"] == NONE
    assert "seen_connect4" in problems(status)[0]
