# SPDX-License-Identifier: Apache-2.0
"""A daemon that keeps a policy: put in force, changed, proved, survived, and taken away."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest
from support.pins import pinned
from support.running import AGENT_SENSOR, Running, running
from support.scope import Scope

from sensor.daemon.standby import KEPT
from sensor.edge import canary
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.network import Network

pytestmark = pytest.mark.kernel

TIMES = 23
REFUSES = """
version = 1
mode = "enforce"
[[rule]]
id = "no-claude"
tools = ["claude-code"]
verdict = "block"
message = "Not on build hosts."
"""
ALLOWS = 'version = 1\nmode = "enforce"\n'
SHADOWS = REFUSES.replace('mode = "enforce"', 'mode = "shadow"')
_SOON_S = 20.0


class Kept:
    """A daemon with a policy, in a scope of its own; ``tool`` is what it refuses."""

    def __init__(self, daemon: Running, scope: Scope, folder: Path, drivers: Drivers) -> None:
        self.daemon = daemon
        self.scope = scope
        self.folder = folder
        self.file = folder / "policy.toml"
        self.tool = drivers.tool("nothing")
        self.write(REFUSES)

    def write(self, text: str) -> None:
        """Change the file of the policy."""
        self.file.write_text(text, "utf-8")
        self.file.chmod(0o644)

    def start(self) -> None:
        """Start the daemon with it."""
        self.daemon.start(f"--policy={self.file}")

    def is_refused(self) -> bool:
        """Tell whether the tool is refused now: killed, or never executed."""
        try:
            return self.scope.run([self.tool]).wait(30) != 0
        except OSError:  # the starter's own word for EPERM
            return True

    def status(self) -> dict[str, object]:
        """Ask the daemon how it is."""
        told: dict[str, object] = json.loads(self.daemon.command("status", "--json").stdout)
        return told

    def until(self, claim: Callable[[dict[str, object]], bool]) -> dict[str, object]:
        """Ask again and again until the claim holds of it."""
        deadline = time.monotonic() + _SOON_S
        while not claim(status := self.status()):
            assert time.monotonic() < deadline, status
        return status

    def control(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `policy` or `block` on the daemon."""
        return subprocess.run(
            [AGENT_SENSOR, *words, f"--run-dir={self.daemon.run_dir}"],
            capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip

    def canaries(self) -> list[str]:
        """Name the canary's cgroups that are there."""
        return [one.name for one in self.scope.path.iterdir() if "canary" in one.name]


@pytest.fixture(scope="module")
def place(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Give a place for daemons one after another: those that are killed leave their probes."""
    folder = tmp_path_factory.mktemp("kept")
    with Scope() as scope, running(scope, folder) as daemon:
        yield Kept(daemon, scope, folder, drivers)


@pytest.fixture
def kept(place: Kept) -> Iterator[Kept]:
    """Give a daemon that is not started yet, with the policy that refuses, and no blocks."""
    place.write(REFUSES)
    yield place
    place.daemon.kill()
    (place.daemon.state_dir / KEPT).unlink(missing_ok=True)


def generation(status: dict[str, object]) -> int:
    """Give the generation in force."""
    policy = status["policy"]
    assert isinstance(policy, dict)
    return int(policy["generation"])


def is_proved(status: dict[str, object]) -> bool:
    """Tell whether the canary was refused."""
    return status["proved_at"] is not None


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


def test_the_person_who_is_refused_is_told(kept: Kept) -> None:
    """On the terminal that it was typed on, in the rule's own words."""
    kept.start()
    ours, theirs = os.openpty()
    os.fchmod(theirs, 0o620)
    script = f"stty -opost; '{kept.tool}'; echo refused; exec sleep 60"
    shell = kept.scope.run(["setsid", "--ctty", "sh", "-c", script], stdin=theirs, stdout=theirs)
    said = b""
    while b"explain" not in said:
        assert select.select([ours], [], [], _SOON_S)[0], said
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
    assert "started without a policy" in refused.stderr


def test_a_block_holds_until_it_is_removed_over_a_kill(kept: Kept) -> None:
    """Kept in the state directory, listed, and taken away again."""
    kept.write(ALLOWS)
    kept.start()
    assert not kept.is_refused()
    added = kept.control("block", "add", "--tool=claude-code", "--ticket=INC-7", "--for=4h")
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("runtime-1 blocks tool claude-code until ")
    assert kept.is_refused()
    kept.daemon.kill()
    assert kept.is_refused()
    kept.start()
    assert kept.is_refused()
    [listed] = kept.control("block", "ls", "--json").stdout.splitlines()
    assert (json.loads(listed)["id"], json.loads(listed)["ticket"]) == ("runtime-1", "INC-7")
    assert kept.control("block", "rm", "runtime-1").returncode == 0
    assert not kept.is_refused()
    assert kept.control("block", "rm", "runtime-1").returncode == ExitCode.BAD_INPUT


def test_a_block_ends_by_the_kernel_s_clock_with_the_daemon_dead(kept: Kept) -> None:
    """And the next daemon does not know it any more."""
    kept.write(ALLOWS)
    kept.start()
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    added = kept.control("block", "add", "--tool=claude-code", "--ticket=T", f"--until={end}")
    assert added.returncode == 0, added.stderr
    kept.daemon.kill()
    assert kept.is_refused()
    deadline = time.monotonic() + _SOON_S
    while kept.is_refused():
        assert time.monotonic() < deadline
    kept.start()
    assert kept.control("block", "ls", "--json").stdout == ""


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


# As a tool: connects, says so, and at each line that it reads says what became of that
# connection and of another one.
CLIENT = """
import socket, sys
host, port = sys.argv[1], int(sys.argv[2])
one = socket.create_connection((host, port))
print("connected", flush=True)
one.settimeout(1 if len(sys.argv) > 3 else 20)
sys.stdin.readline()
try:
    print(len(one.recv(1)), flush=True)
except OSError as problem:
    print(problem.errno, flush=True)
try:
    socket.create_connection((host, port), 5).close()
    print("through", flush=True)
except OSError as problem:
    print(problem.errno, flush=True)
"""


def test_a_blocked_session_is_cut_off(kept: Kept, network: Network, tmp_path: Path) -> None:
    """What is open ends at once, and nothing new opens; another session goes on."""
    kept.write(ALLOWS)
    kept.start()
    tool = tmp_path / "codex"
    tool.symlink_to(sys.executable)
    argv = network.entered(tool, "-I", "-c", CLIENT, "192.0.2.1", str(network.tcp_port))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    clients = [kept.scope.run(argv, **pipes) for _ in range(2)]  # type: ignore[arg-type]
    for client in clients:
        assert client.stdout
        assert client.stdout.readline() == b"connected\n"
    kept.until(lambda status: status["sessions"] == 2)
    by_pid = {row["pid"]: row["session"] for row in kept.daemon.ask("sessions")}
    blocked = kept.control(
        "block", "add", f"--session={by_pid[clients[0].pid]}", "--ticket=INC-7", "--for=1h"
    )
    assert blocked.returncode == 0, blocked.stderr
    assert clients[0].stdin
    assert clients[0].stdout
    clients[0].stdin.write(b"\n")
    clients[0].stdin.flush()
    said = clients[0].stdout.read()
    assert said.split() == [b"103", b"1"]
    assert clients[1].poll() is None


def test_the_client_of_these_tests_connects_where_nothing_is_blocked(network: Network) -> None:
    """It would not be told apart otherwise."""
    argv = network.entered(
        sys.executable, "-I", "-c", CLIENT, "192.0.2.1", str(network.tcp_port), "quick"
    )
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
        assert client.stdout
        assert client.stdout.readline() == b"connected\n"
        assert client.stdin
        client.stdin.close()
        assert client.stdout.read().split()[-1:] == [b"through"]
