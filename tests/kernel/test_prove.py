# SPDX-License-Identifier: Apache-2.0
"""`prove` against a live policy: each technique comes to what the table says, and nothing stays."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.policing import policing
from support.running import AGENT_SENSOR

from sensor.core.proof.techniques import TECHNIQUES
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.policing import Policing

pytestmark = [pytest.mark.kernel, pytest.mark.long]

NO = """
[[rule]]
id = "no"
tools = ["claude-code", "aider"]
verdict = "block"
"""
KILLS = f'{NO}running = "kill"\n'
RULES = f"""{NO}
[[rule]]
id = "inside"
tools = ["qwen-code"]
verdict = "allow"
egress_only = ["llm.corp.example:443"]
[[rule]]
id = "names"
endpoints = ["blocked.example", "203.0.113.0/24", "2001:db8:7::/48"]
verdict = "block"
"""
MISSED = {
    "renamed-copy", "hard-link-away", "shell-script", "overlong", "memfd-renamed", "raw-socket",
    "hard-coded-plain", "hello-records", "no-sni-unasked", "fronting", "proxy-second", "socks",
}  # fmt: skip
DETECTED = {one.id for one in TECHNIQUES if one.late}
# These do not wait: they may be over before they are known.
WAIT = DETECTED - {"interpreter-flag", "loader-flag"}
AS_RUNNING = {one.id for one in TECHNIQUES if one.as_running}
# What a kernel or host may lack.
OPTIONAL = {
    "tmux", "fast-open", "io-uring", "mptcp", "mptcp-fast-open", "compat", "overlay", "execveat",
    "loader", "loader-flag", "raw-socket",
}  # fmt: skip
DEFECTS = {one.id: one.defect for one in TECHNIQUES if one.defect}


def prove(police: Policing, *options: str) -> subprocess.CompletedProcess[str]:
    """Run it to its end."""
    return subprocess.run(
        [AGENT_SENSOR, "prove", "--run-dir", police.daemon.run_dir, *options],
        capture_output=True, text=True, check=False, timeout=5 * SOON_S,
    )  # fmt: skip


def left(police: Policing) -> list[str]:
    """Name what is there of any run."""
    folders = (police.scope.path, Path(tempfile.gettempdir()))
    mounts = Path("/proc/self/mounts").read_text("utf-8").splitlines()
    return [
        *(str(path) for folder in folders for path in folder.glob("agent-sensor-prove-*")),
        *(line for line in mounts if "agent-sensor-prove" in line),
    ]


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that refuses, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(f'mode = "enforce"\n{RULES}')
        yield police


@pytest.fixture(scope="module")
def enforced(police: Policing) -> dict[str, dict[str, str]]:
    """Give the rows of a run against a policy that is enforced, by technique."""
    police.keep(f'mode = "enforce"\n{RULES}')
    done = prove(police, "--json")
    rows = json.loads(done.stdout)
    assert [row["technique"] for row in rows] == [one.id for one in TECHNIQUES]
    assert all(set(row) == {"technique", "expected", "result", "detail"} for row in rows)
    wrong = [
        row for row in rows if row["result"] not in {row["expected"], "not possible on this kernel"}
    ]
    assert done.returncode == (ExitCode.DEGRADED if wrong else ExitCode.OK), done.stderr
    assert left(police) == []
    return {row["technique"]: row for row in rows}


def expected(technique: str) -> str:
    """Say what has to come of a technique where policy is enforced."""
    if technique in MISSED:
        return "missed"
    return "detected" if technique in DETECTED else "refused"


@pytest.mark.parametrize(
    "technique",
    [
        pytest.param(
            one.id,
            marks=[pytest.mark.xfail(strict=True, reason=one.defect)] if one.defect else [],
        )
        for one in TECHNIQUES
    ],
)
def test_a_technique_comes_to_what_the_table_says(
    enforced: dict[str, dict[str, str]], technique: str
) -> None:
    """With the rule and the way that were told; what a kernel lacks is skipped with its word."""
    row = enforced[technique]
    assert row["expected"] == expected(technique)
    if row["result"] == "not possible on this kernel" and technique in OPTIONAL:
        pytest.skip(row["detail"])
    assert row["result"] == row["expected"], row["detail"]


@pytest.mark.parametrize(("mode", "told"), [("shadow", "would_block"), ("observe", "alert")])
def test_what_is_not_enforced_is_detected(police: Policing, mode: str, told: str) -> None:
    """Everything goes through, and is told with the verdict of the mode."""
    police.keep(f'mode = "{mode}"\n{RULES}')
    rows = json.loads(prove(police, "--json").stdout)
    for row in rows:
        if row["technique"] in DEFECTS or row["result"] == "not possible on this kernel":
            continue
        wanted = "missed" if row["technique"] in MISSED else "detected"
        assert (row["expected"], row["result"]) == (wanted, wanted), row
        assert wanted == "missed" or f"told as {told}, rule " in row["detail"]
    assert left(police) == []


@pytest.mark.parametrize(
    ("rule", "ended"), [(NO, WAIT - AS_RUNNING), (KILLS, WAIT)], ids=["no", "kills"]
)
def test_what_is_known_late_is_ended(police: Policing, rule: str, ended: set[str]) -> None:
    """A program that is known by what it holds only where the rule ends what runs already."""
    police.keep(f'mode = "enforce"\n{RULES.replace(NO, rule)}')
    rows = json.loads(prove(police, "--json").stdout)
    details = {row["technique"]: row["detail"] for row in rows if row["technique"] in WAIT}
    assert set(details) == WAIT
    by_kill = {name for name, detail in details.items() if "block by kill, rule no" in detail}
    assert by_kill == ended, details


def test_a_policy_that_blocks_nothing_proves_nothing(police: Policing) -> None:
    """Every row says so, and so does the exit code."""
    police.keep('mode = "enforce"\n')
    done = prove(police)
    assert done.returncode == ExitCode.DEGRADED
    assert "nothing was proved" in done.stderr
    head, *rows = done.stdout.splitlines()
    assert head.split() == ["TECHNIQUE", "EXPECTED", "RESULT", "DETAIL"]
    assert len(rows) == len(TECHNIQUES)
    assert all(row.count("nothing to prove") == 2 for row in rows)


def test_a_file_that_is_not_in_force_is_not_proved(police: Policing) -> None:
    """It would be held to what nobody keeps."""
    police.keep(f'mode = "enforce"\n{RULES}')
    file = Path(police.daemon.ask("status")[0]["policy"]["file"])
    before, later = file.stat().st_mtime, time.time() + 60
    os.utime(file, (later, later))
    done = prove(police)
    os.utime(file, (before, before))
    assert done.returncode == ExitCode.BAD_INPUT
    assert "run agent-sensor policy reload" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
def test_nothing_is_left_behind_by_an_interruption(
    police: Policing, number: signal.Signals
) -> None:
    """In the middle of it: no cgroup, no folder, no mount, no process."""
    police.keep(f'mode = "enforce"\n{RULES}')
    argv: list[str | Path] = [AGENT_SENSOR, "prove", "--run-dir", police.daemon.run_dir]
    with subprocess.Popen(argv, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        deadline = time.monotonic() + SOON_S
        while not (cgroups := [*police.scope.path.glob("agent-sensor-prove-*")]) or not (
            cgroups[0] / "cgroup.procs"
        ).read_text("ascii"):
            assert time.monotonic() < deadline
            assert run.poll() is None, run.communicate()
        os.killpg(run.pid, number)
        _, said = run.communicate(timeout=SOON_S)
        assert run.returncode == ExitCode.FAILED
        assert "nothing is left behind" in said
        with pytest.raises(ProcessLookupError):
            os.killpg(run.pid, 0)
    assert left(police) == []


def read(police: Policing, *command: str) -> str:
    """Give what a reader says of what is stored."""
    places = (f"--run-dir={police.daemon.run_dir}", f"--state-dir={police.daemon.state_dir}")
    done = subprocess.run(
        [AGENT_SENSOR, *command, *places],
        capture_output=True, text=True, check=True, timeout=SOON_S,
    )  # fmt: skip
    return done.stdout


def test_nobody_is_said_to_have_used_what_was_tried(police: Policing, tmp_path: Path) -> None:
    """Sessions are marked; neither an audit nor the test of a policy counts them for root."""
    police.keep(f'mode = "enforce"\n{RULES}')
    prove(police)
    police.stored(police.seq())
    runs = [
        json.loads(line)
        for line in read(police, "sessions", "--since=0", "--json").split("\n")[:-1]
    ]
    assert {run["tool"] for run in runs} >= {"aider", "qwen-code"}
    assert all(run["proof"] for run in runs)
    assert json.loads(read(police, "audit", f"--home={tmp_path}", "--no-contents", "--json")) == []
    policy = str(police.daemon.ask("status")[0]["policy"]["file"])
    (sums,) = read(police, "policy", "test", policy, "--since=0", "--json").splitlines()
    told = json.loads(sums)
    assert (told["judged"], told["not_judged"]) == (0, {})
    assert told["proofs"] > len(TECHNIQUES)
