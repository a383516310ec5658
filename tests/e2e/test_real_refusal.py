# SPDX-License-Identifier: Apache-2.0
"""Real AI tools under a policy: the banned one is refused, the approved one goes on working.

What got through is known from the other side: the lab's web servers.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.lab import Lab
from support.policing import policing
from support.tools import installed

from sensor.daemon.catalogues import catalogue

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.lab import Ran
    from support.policing import Policing
    from support.running import Event

pytestmark = pytest.mark.e2e

QUESTION = "Say hello."
ANTHROPIC = {"ANTHROPIC_API_KEY": "sk-ant-dummy", "CLAUDE_CODE_MAX_RETRIES": "0"}
MODEL, PRIVATE, PUBLIC = "api.anthropic.com", "llm.corp.example", "dashscope.aliyuncs.com"
PROXY = "proxy.corp.example"
PATIENCE_S = 60
POLICY = f"""
mode = "enforce"
[dns]
resolvers = ["127.0.0.53"]
[[rule]]
id = "no-external-agents"
tools = ["vendor:anthropic"]
verdict = "block"
message = "Use qwen."
[[rule]]
id = "approved-stays-inside"
tools = ["qwen-code"]
verdict = "allow"
egress_only = ["{PRIVATE}:443"]
[[rule]]
id = "no-vendor-traffic"
endpoints = ["anthropic"]
verdict = "block"
"""


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that keeps the policy in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(POLICY)
        yield police


@pytest.fixture
def lab() -> Iterator[Lab]:
    """Give a network where every host answers."""
    with Lab() as lab:
        yield lab


def run(police: Policing, lab: Lab, *argv: str | Path, **env: str) -> Ran:
    """Run something in the lab and in the scope of the policy."""
    path = f"{installed(tools.NODE).parent}:/usr/bin:/bin"
    return lab.run(argv, scope=police.scope, env={"PATH": path, **env}, timeout_s=PATIENCE_S)


def asked(lab: Lab, name: str) -> list[str]:
    """Give the requests that a host got."""
    return [request.line for request in lab.requests() if request.server_name == name]


def verdicts(events: list[Event]) -> set[tuple[str, str]]:
    """Give what was said of these, and by which rule."""
    return {(event["verdict"], event["rule"]) for event in events}


@pytest.mark.parametrize("package", [tools.CLAUDE_CODE, tools.CLAUDE_CODE_1], ids=str)
def test_claude_code_is_refused(police: Policing, lab: Lab, package: tools.Package) -> None:
    """It asks for no host, and has no session; its start is told as refused."""
    since = police.seq()
    ran = run(police, lab, installed(package), "-p", QUESTION, **ANTHROPIC)
    assert ran.status != 0
    assert lab.names() == set()
    (event,) = police.told(since, "exec", 1)
    assert (event["tool"], event["verdict"]) == ("claude-code", "block")
    assert (event["rule"], event["session"]) == ("no-external-agents", None)
    assert police.told_of(since, "session_start") == []


def changed(folder: Path) -> Path:
    """Give Claude Code under another name, with something else in it than what it is known by."""
    program, copy = installed(tools.CLAUDE_CODE).resolve(), folder / "formatter"
    tool = catalogue().tool("claude-code")
    assert tool
    data = program.read_bytes()
    for text in tool.contents:
        data = data.replace(text.encode(), text.lower().encode())
    copy.write_bytes(data)
    copy.chmod(0o755)
    return copy


def test_claude_code_renamed_and_moved_is_known_by_its_content(
    police: Policing, lab: Lab, tmp_path: Path
) -> None:
    """The first runs until it is known, and then reaches nothing; the second is refused."""
    copy = shutil.copy(installed(tools.CLAUDE_CODE).resolve(), tmp_path / "formatter")
    since = police.seq()
    run(police, lab, copy, "-p", QUESTION, **ANTHROPIC)
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], start["late"]) == ("claude-code", True)
    assert {one["signal"] for one in start["evidence"]} == {"content"}
    assert asked(lab, MODEL) == []
    since = police.seq()
    assert run(police, lab, copy, "-p", QUESTION, **ANTHROPIC).status != 0
    (event,) = police.told(since, "exec", 1)
    assert (event["tool"], event["verdict"]) == ("claude-code", "block")
    assert (event["rule"], event["session"]) == ("no-external-agents", None)


def test_claude_code_under_another_name_reaches_no_model(
    police: Policing, lab: Lab, tmp_path: Path
) -> None:
    """A copy of no name, folder or content that is known runs, and its hello never leaves."""
    copy = changed(tmp_path)
    since = police.seq()
    run(police, lab, copy, "-p", QUESTION, **ANTHROPIC)
    assert MODEL in lab.names()
    assert asked(lab, MODEL) == []
    refused = [e for e in police.told_of(since, "connect") if e["verdict"] == "block"]
    assert verdicts(refused) == {("block", "no-vendor-traffic")}
    assert MODEL in {event["destination"]["name"] for event in refused}


def test_claude_code_under_another_name_reaches_no_model_through_a_proxy(
    police: Policing, lab: Lab, tmp_path: Path
) -> None:
    """It asks the proxy for the model, and that request never leaves."""
    copy = changed(tmp_path)
    since = police.seq()
    run(police, lab, copy, "-p", QUESTION, **ANTHROPIC, HTTPS_PROXY=f"http://{PROXY}:80")
    assert MODEL not in lab.names()
    assert [request.line for request in lab.requests() if MODEL in request.line] == []
    refused = [e for e in police.told_of(since, "connect") if e["verdict"] == "block"]
    assert ("proxy", MODEL) in {
        (event["enforcement"], event["destination"]["name"]) for event in refused
    }


def test_the_approved_tool_works_with_its_private_endpoint(police: Policing, lab: Lab) -> None:
    """Its model's host gets the request, and no other host does."""
    since = police.seq()
    qwen(police, lab, PRIVATE)
    assert asked(lab, PRIVATE)
    assert {request.server_name for request in lab.requests()} == {PRIVATE}
    allowed = [e for e in police.told_of(since, "connect") if e["destination"]["name"] == PRIVATE]
    assert verdicts(allowed) == {("allow", "approved-stays-inside")}


def test_the_approved_tool_cannot_reach_a_public_endpoint(police: Policing, lab: Lab) -> None:
    """What it is told to use does not matter."""
    since = police.seq()
    qwen(police, lab, PUBLIC)
    assert PUBLIC in lab.names()
    assert lab.requests() == []
    refused = [e for e in police.told_of(since, "connect") if e["verdict"] == "block"]
    assert ("block", "approved-stays-inside") in verdicts(refused)
    assert PUBLIC in {event["destination"]["name"] for event in refused}


def qwen(police: Policing, lab: Lab, host: str) -> Ran:
    """Ask Qwen Code something, with its model at a host."""
    return run(
        police, lab, installed(tools.QWEN_CODE), "-p", QUESTION,
        OPENAI_API_KEY="sk-dummy", OPENAI_BASE_URL=f"https://{host}/v1", OPENAI_MODEL="qwen3",
    )  # fmt: skip
