# SPDX-License-Identifier: Apache-2.0
"""A daemon that keeps a policy: put in force, changed, proved, survived, and taken away."""

from __future__ import annotations

import os
import signal
import threading
from typing import TYPE_CHECKING

import pytest
from support.keeping import ALLOWS, REFUSES, SHADOWS, generation, is_proved
from support.patience import SOON_S, is_readable
from support.pins import pinned

from sensor.edge import canary
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from support.keeping import Kept

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

TIMES = 23


def test_what_is_refused_is_proved_and_goes_with_the_daemon(kept: Kept) -> None:
    """From the start; a clean stop takes all away, the canary's cgroup too."""
    kept.start()
    assert kept.is_refused()
    status = kept.until(is_proved)
    assert status["mode"] == "enforce"
    ways = status["enforcement"]
    assert isinstance(ways, dict)
    assert ways["exec"] in {"lsm", "kill"}
    assert ways["connect"] == "cgroup"
    assert str(status["proved"]).startswith("enforcing (proved ")
    assert status["problems"] == []
    assert {str(kept.status()["proved_at"]) for _ in range(3)} == {status["proved_at"]}
    assert kept.daemon.command("status").returncode == ExitCode.OK
    assert kept.canaries()
    assert kept.daemon.stop() == 0
    assert not kept.is_refused()
    assert pinned(kept.folder / "bpf") == []
    assert kept.canaries() == []
    assert not (kept.daemon.run_dir / canary.NAME).is_symlink()


def test_a_bad_file_leaves_the_old_policy_in_force(kept: Kept) -> None:
    """Who asks is told why; a good one is in force at once, by a signal too."""
    kept.start()
    kept.write(REFUSES + "[[rule]]\nid = 7\n")
    asked = kept.control("policy", "reload")
    assert asked.returncode == ExitCode.BAD_INPUT
    assert f"{kept.file}:" in asked.stderr
    assert kept.is_refused()
    before = generation(kept.status())
    kept.write(ALLOWS)
    assert kept.control("policy", "reload").returncode == 0
    assert not kept.is_refused()
    assert generation(kept.status()) == before + 1
    kept.write(REFUSES)
    os.kill(kept.daemon.pid, signal.SIGHUP)
    kept.until(lambda status: generation(status) == before + 2)
    assert kept.is_refused()
    kept.file.chmod(0o666)
    assert "others than root can change it" in kept.control("policy", "reload").stderr
    assert kept.is_refused()
    assert kept.daemon.command("status").returncode == ExitCode.DEGRADED
    kept.file.chmod(0o644)
    assert kept.control("policy", "reload").returncode == 0
    assert kept.status()["problems"] == []


def test_the_person_who_is_refused_is_told(kept: Kept) -> None:
    """On the terminal that it was typed on, in the rule's own words."""
    kept.start()
    ours, theirs = os.openpty()
    os.fchmod(theirs, 0o620)
    script = f"stty -opost; '{kept.tool}'; echo refused; exec sleep 60"
    shell = kept.scope.run(["setsid", "--ctty", "sh", "-c", script], stdin=theirs, stdout=theirs)
    said = b""
    while b"explain" not in said:
        assert is_readable(ours, SOON_S), said
        said += os.read(ours, 4096)
    assert b"agent-sensor: Not on build hosts. (agent-sensor explain " in said
    shell.kill()
    shell.wait()
    os.close(ours)
    os.close(theirs)


def test_shadow_refuses_nothing_and_says_so(kept: Kept) -> None:
    """There is nothing to prove then."""
    kept.write(SHADOWS)
    kept.start()
    assert not kept.is_refused()
    status = kept.status()
    assert status["mode"] == "shadow"
    assert status["proved_at"] is None
    assert "observing only since" in str(status["proved"])
    assert "because the policy's mode is shadow" in str(status["proved"])


def test_a_daemon_does_not_start_with_a_bad_policy(kept: Kept) -> None:
    """Nothing stays attached."""
    kept.write("version = 1\n")
    with pytest.raises(AssertionError, match="mode: is missing"):
        kept.start()
    assert not kept.is_refused()


def test_a_bad_policy_leaves_what_a_kill_left_in_force(kept: Kept) -> None:
    """The daemon does not start, and the kernel goes on refusing."""
    kept.start()
    kept.daemon.kill()
    kept.write("version = 1\n")
    with pytest.raises(AssertionError, match="mode: is missing"):
        kept.start()
    assert kept.is_refused()


def test_what_is_refused_while_nobody_is_there_is_told_with_its_rule(kept: Kept) -> None:
    """The next daemon has another generation in force, and knows what the one before meant."""
    kept.start()
    asked = ("query", "--since=0", "--kind=exec", "--verdict=block")
    before = len(kept.daemon.ask(*asked))
    kept.daemon.kill()
    assert kept.is_refused()
    kept.start()
    (told,) = kept.daemon.ask(*asked)[before:]
    assert (told["rule"], told["reason"]) == ("no-claude", "Not on build hosts.")


def test_a_kill_leaves_verdicts_in_force_until_unload(kept: Kept) -> None:
    """The next daemon goes on from there; without one, `unload` takes them away."""
    kept.start()
    before = generation(kept.status())
    kept.daemon.kill()
    assert kept.is_refused()
    kept.start()
    assert kept.is_refused()
    assert generation(kept.status()) == before + 1
    kept.daemon.kill()
    assert kept.canaries()
    done = kept.control("unload", f"--bpffs={kept.folder / 'bpf'}", f"--scope={kept.scope.path}")
    assert done.returncode == 0, done.stderr
    assert not kept.is_refused()
    assert kept.canaries() == []


def test_a_daemon_without_a_policy_takes_back_what_was_in_force(kept: Kept) -> None:
    """Its file is gone: whoever took it away meant that; and it says what it cannot do now."""
    kept.start()
    kept.daemon.kill()
    kept.daemon.start()
    assert not kept.is_refused()
    assert kept.status()["policy"] is None
    refused = kept.control("block", "add", "--tool=claude-code", "--ticket=T", "--for=1h")
    assert refused.returncode == ExitCode.BAD_INPUT
    assert "this daemon was started without one" in refused.stderr


def test_nothing_gets_through_while_policy_changes(kept: Kept) -> None:
    """Reloaded 23 times under a storm of executions: none ran."""
    kept.start()
    passed: list[int] = []
    stop = threading.Event()

    def storm() -> None:
        while not stop.is_set():
            passed.append(not kept.is_refused())

    thread = threading.Thread(target=storm)
    thread.start()
    try:
        for turn in range(TIMES):
            kept.write(f"{REFUSES}\n# {turn}\n")
            assert kept.control("policy", "reload").returncode == 0
    finally:
        stop.set()
        thread.join()
    assert len(passed) > TIMES
    assert sum(passed) == 0
