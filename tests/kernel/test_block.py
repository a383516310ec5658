# SPDX-License-Identifier: Apache-2.0
"""What responders block: from now on, over a kill, until it ends or is removed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from support.keeping import ALLOWS
from support.patience import SOON_S

from sensor.errors import ExitCode

if TYPE_CHECKING:
    from pathlib import Path

    from support.keeping import Kept
    from support.network import Network

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]


def trail(kept: Kept) -> list[str]:
    """Give what the stream says of what became of blocks."""
    told = kept.daemon.past("--kind=policy")
    return [str(event["reason"]) for event in told if event["reason"]]


def test_a_block_holds_until_it_is_removed_over_a_kill(kept: Kept) -> None:
    """Kept in the state directory, listed, and taken away again."""
    kept.write(ALLOWS)
    kept.start()
    assert not kept.is_refused()
    added = kept.control("block", "add", "--tool=claude-code", "--ticket=INC-7", "--for=4h")
    assert added.returncode == 0, added.stderr
    assert added.stdout.startswith("runtime-1 blocks tool claude-code until ")
    said = kept.control("policy", "reload").stdout
    assert said.startswith(f"in force: {kept.file}, 0 rules, 1 block, generation ")
    assert kept.is_refused()
    kept.daemon.kill()
    assert kept.is_refused()
    kept.start()
    assert kept.is_refused()
    [listed] = kept.control("block", "ls", "--json").stdout.splitlines()
    assert (json.loads(listed)["id"], json.loads(listed)["ticket"]) == ("runtime-1", "INC-7")
    shown = kept.control("policy", "show", str(kept.file))
    assert shown.stdout.startswith("before all rules: runtime-1 blocks tool claude-code until ")
    told = json.loads(kept.control("policy", "show", str(kept.file), "--json").stdout)
    assert told["blocks"] == [json.loads(listed)]
    other = kept.folder / "other.toml"
    other.write_text(ALLOWS, "utf-8")
    assert "runtime-1" not in kept.control("policy", "show", str(other)).stdout
    assert kept.control("block", "rm", "runtime-1").returncode == 0
    assert "runtime-1" not in kept.control("policy", "show", str(kept.file)).stdout
    assert not kept.is_refused()
    assert kept.control("block", "rm", "runtime-1").returncode == ExitCode.BAD_INPUT
    what = r"tool claude-code, until .*Z, ticket INC-7"
    added_then, removed = trail(kept)
    assert re.fullmatch(f"runtime-1 added by uid 0(, logged in as [0-9]+)?: {what}", added_then)
    assert re.fullmatch(f"runtime-1 removed by uid 0(, logged in as [0-9]+)?: {what}", removed)


def test_a_block_ends_by_the_kernel_s_clock_with_the_daemon_dead(kept: Kept) -> None:
    """And the next daemon does not know it any more."""
    kept.write(ALLOWS)
    kept.start()
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
    added = kept.control("block", "add", "--tool=claude-code", "--ticket=T", f"--until={end}")
    assert added.returncode == 0, added.stderr
    kept.daemon.kill()
    assert kept.is_refused()
    deadline = time.monotonic() + SOON_S
    while kept.is_refused():
        assert time.monotonic() < deadline
    kept.start()
    assert kept.control("block", "ls", "--json").stdout == ""
    assert trail(kept)[-1] == f"runtime-1 ended: tool claude-code, until {end}, ticket T"


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
