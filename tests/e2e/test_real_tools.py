# SPDX-License-Identifier: Apache-2.0
"""Real AI tools, each in a network and a cgroup of its own, as the sensor tells of them.

What really happened is known from the other side: the lab's name server and
its web servers. The keys are dummies, and every request is answered with 401.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.lab import Lab
from support.scope import Scope
from support.tools import NoPythonError, Package, installed
from support.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Mapping

    from support.lab import Ran, Request
    from support.watching import Event

pytestmark = pytest.mark.e2e

QUESTION = "Say hello."
ANTHROPIC = {"ANTHROPIC_API_KEY": "sk-ant-dummy", "CLAUDE_CODE_MAX_RETRIES": "0"}
QWEN_ENDPOINT = "https://dashscope.aliyuncs.com/compatible-mode/v1"
QWEN = {
    "OPENAI_API_KEY": "sk-dummy",
    "OPENAI_BASE_URL": QWEN_ENDPOINT,
    "OPENAI_MODEL": "qwen3-coder-plus",
}
# Codex retries for 13 s.
PATIENCE_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A tool, how it is asked something, and what the sensor has to tell of it.

    A step is the file that was executed and, for an interpreter, its script:
    ``chain`` are those of the process that the user starts, ``further`` those
    of other processes that are the tool again. ``hosts`` are the model's host
    and what else the tool asks for each time.
    """

    package: Package
    arguments: tuple[str, ...]
    keys: Mapping[str, str]
    tool: str
    vendor: str
    chain: tuple[str, ...]
    further: tuple[str, ...] = ()
    hosts: tuple[str, ...]


ROWS = {
    "claude-code": Row(
        package=tools.CLAUDE_CODE,
        arguments=("-p", QUESTION),
        keys=ANTHROPIC,
        tool="claude-code",
        vendor="anthropic",
        chain=("claude.exe",),
        hosts=("api.anthropic.com",),
    ),
    "claude-code-1": Row(
        package=tools.CLAUDE_CODE_1,
        arguments=("-p", QUESTION),
        keys=ANTHROPIC,
        tool="claude-code",
        vendor="anthropic",
        chain=("env claude", "node claude"),
        hosts=("api.anthropic.com", "statsig.anthropic.com"),
    ),
    "codex": Row(
        package=tools.CODEX,
        arguments=("exec", "--skip-git-repo-check", QUESTION),
        keys={"CODEX_API_KEY": "sk-dummy"},
        tool="codex",
        vendor="openai",
        chain=("env codex", "node codex", "codex"),
        hosts=("api.openai.com", "chatgpt.com"),
    ),
    "gemini-cli": Row(
        package=tools.GEMINI_CLI,
        arguments=("--skip-trust", "-p", QUESTION),
        keys={"GEMINI_API_KEY": "dummy"},
        tool="gemini-cli",
        vendor="google",
        chain=("env gemini", "node gemini"),
        further=("node gemini",),
        hosts=("generativelanguage.googleapis.com", "play.googleapis.com"),
    ),
    "qwen-code": Row(
        package=tools.QWEN_CODE,
        arguments=("-p", QUESTION),
        keys=QWEN,
        tool="qwen-code",
        vendor="alibaba",
        chain=("env qwen", "node qwen"),
        further=("node cli.js", "node cli.js"),
        hosts=("dashscope.aliyuncs.com",),
    ),
    "opencode": Row(
        package=tools.OPENCODE,
        arguments=("run", "--model", "anthropic/claude-sonnet-4-5", QUESTION),
        keys=ANTHROPIC,
        tool="opencode",
        vendor="anomaly",
        chain=("opencode.exe",),
        hosts=("api.anthropic.com", "models.opencode.ai"),
    ),
    "aider": Row(
        package=tools.AIDER,
        arguments=(
            *("--model", "anthropic/claude-sonnet-4-5", "--no-show-model-warnings"),
            *("--yes-always", "--no-git", "--message", QUESTION),
        ),
        keys=ANTHROPIC,
        tool="aider",
        vendor="aider-ai",
        chain=("python3* aider",),
        hosts=("api.anthropic.com", "raw.githubusercontent.com"),
    ),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a tool: what the sensor told, and what the other side saw."""

    row: Row
    command: str
    ran: Ran
    cgroup_id: int
    names: set[str]
    requests: list[Request]
    events: list[Event] = field(repr=False)

    def of(self, kind: str) -> list[Event]:
        """Give the events of one kind."""
        return [event for event in self.events if event["kind"] == kind]

    @property
    def root(self) -> int:
        """The process that the user started."""
        (start,) = self.of("session_start")
        pid: int = start["process"]["pid"]
        return pid


@pytest.fixture(scope="module", params=ROWS)
def run(request: pytest.FixtureRequest) -> Run:
    """Run the tool once outside the scope, where it only tells its version, then once inside."""
    row = ROWS[request.param]
    try:
        command = installed(row.package)
    except NoPythonError as error:
        pytest.skip(str(error))
    env = {"PATH": f"{installed(tools.NODE).parent}:/usr/bin:/bin", **row.keys}
    with Lab() as lab, Scope() as outside, Scope() as scope, Watching(scope) as watching:
        repository = lab.home / "repository"
        repository.mkdir()
        lab.run([command, "--version"], scope=outside, env=env, timeout_s=PATIENCE_S)
        names, requests = lab.names(), lab.requests()
        assert not names, "a tool that only tells its version asks for a host"
        ran = lab.run(
            [command, *row.arguments], scope=scope, env=env, cwd=repository, timeout_s=PATIENCE_S
        )
        watching.until(lambda events: any(e["kind"] == "session_end" for e in events))
        names, requests = lab.names(), lab.requests()
        cgroup_id = scope.path.stat().st_ino
    return Run(
        row=row,
        command=str(command),
        ran=ran,
        cgroup_id=cgroup_id,
        names=names,
        requests=requests,
        events=watching.events(),
    )


def step(event: Event) -> str:
    """Name what an exec runs: the file, and the script if there is one."""
    process = event["process"]
    return " ".join(
        PurePosixPath(process[part]).name for part in ("exe", "script") if process[part]
    )


def test_the_tool_asks_its_model(run: Run) -> None:
    """The run is a real one: it ends by itself, after its model's host has refused it."""
    assert run.ran.status is not None, run.ran
    assert run.row.hosts[0] in {request.server_name for request in run.requests}, run.ran


def test_a_run_is_one_session(run: Run) -> None:
    """The session starts with the process that the user started and ends with its last one."""
    (start,), (end,) = run.of("session_start"), run.of("session_end")
    assert start["session"] == end["session"]
    assert {event["session"] for event in run.events} == {start["session"]}


def test_every_event_bears_the_tool_and_its_vendor(run: Run) -> None:
    """Whatever a descendant does is told as the tool's."""
    told = {(event["tool"], event["vendor"]) for event in run.events}
    assert told == {(run.row.tool, run.row.vendor)}


def test_the_first_exec_bears_the_command_as_typed(run: Run) -> None:
    """A link of the package manager is told as what it was called, not only as its target."""
    first = run.of("exec")[0]
    assert first["process"]["name_typed"] == run.command
    assert first["process"]["pid"] == run.root


def test_the_exec_chain_is_told_step_by_step(run: Run) -> None:
    """The user's process becomes env, then node, then the program, in this order."""
    steps = [step(event) for event in run.of("exec") if event["process"]["pid"] == run.root]
    assert len(steps) == len(run.row.chain), steps
    assert all(map(fnmatchcase, steps, run.row.chain)), steps


def test_a_tool_that_starts_itself_again_is_told_each_time(run: Run) -> None:
    """Gemini CLI and Qwen Code run as two and three processes of node."""
    others = [event for event in run.of("exec") if event["process"]["pid"] != run.root]
    assert Counter(run.row.further) <= Counter(map(step, others))


def test_every_name_that_was_asked_for_is_told(run: Run) -> None:
    """The names of the resolve events are those that the name server was asked for."""
    assert set(run.row.hosts) <= run.names
    assert {event["destination"]["name"] for event in run.of("resolve")} == run.names


def test_every_host_that_was_reached_is_told_by_its_name(run: Run) -> None:
    """Each server name that a TLS handshake gave is that of a connect event."""
    reached = {request.server_name for request in run.requests}
    destinations = [event["destination"] for event in run.of("connect")]
    told = {d["name"] for d in destinations if (d["port"], d["transport"]) == (443, "tcp")}
    assert reached <= told <= run.names


def test_nothing_outside_the_scope_is_told(run: Run) -> None:
    """The same tool in a cgroup beside the scope has left no event."""
    cgroups = {event["process"]["cgroup_id"] for event in run.of("exec")}
    assert cgroups == {run.cgroup_id}
    assert [run.command, "--version"] not in [e["process"]["argv"][-2:] for e in run.of("exec")]


def test_nothing_is_lost(run: Run) -> None:
    """A real tool's pace is far below what the ring holds."""
    assert not run.of("loss")
