# SPDX-License-Identifier: Apache-2.0
"""What policy refuses to be executed does not run, however it is started."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.stage import TIMES

if TYPE_CHECKING:
    from support.drivers import Drivers
    from support.policing import Policing

pytestmark = pytest.mark.kernel

PYTHON = Path(sys.executable).resolve()
LOADER = next(path for lib in ("/lib64", "/lib") for path in Path(lib).glob("ld-linux-*.so.*"))
MARKS = "import os; open(os.environ['MARK'], 'x')\n"
TOOLS = 'tools = ["claude-code", "aider"]'
POLICIES = {
    "block": f'mode = "enforce"\n[[rule]]\nid = "no"\n{TOOLS}\nverdict = "block"',
    "would_block": f'mode = "shadow"\n[[rule]]\nid = "no"\n{TOOLS}\nverdict = "block"',
    "alert": f'mode = "observe"\n[[rule]]\nid = "no"\n{TOOLS}\nverdict = "block"',
    "allow": f'mode = "enforce"\n[[rule]]\nid = "no"\n{TOOLS}\nverdict = "allow"',
}


@dataclass(frozen=True)
class Way:
    """One way to start a tool; ``{x}`` is the folder of ``folder``.

    ``by_name`` where the names alone give it away: only that a security module can
    refuse before the image is committed. ``is_long`` where another way is much the
    same to the kernel, and an emulated one takes long.
    """

    name: str
    argv: list[str]
    tool: str = "claude-code"
    by_name: bool = True
    is_long: bool = False
    env: dict[str, str] = field(default_factory=dict)


WAYS = [
    Way("path", ["{x}/bin/claude"]),
    Way("relative path", ["./bin/claude"], is_long=True),
    Way("link with its name", ["{x}/links/claude"]),
    Way("link to its name", ["{x}/links/run"], is_long=True),
    Way("hard link", ["{x}/hard/claude"], is_long=True),
    Way("folder of its package", ["{x}/@anthropic-ai/claude-code/cli"]),
    Way("script", ["{x}/scripts/claude"]),
    Way("script of env", ["{x}/scripts/aider"], tool="aider", is_long=True),
    Way("interpreter", [str(PYTHON), "-S", "{x}/scripts/aider"], tool="aider", by_name=False),
    Way(
        "module",
        [str(PYTHON), "-m", "aider"],
        tool="aider",
        by_name=False,
        env={"PYTHONPATH": "{x}/modules"},
        is_long=True,
    ),
    Way("loader", [str(LOADER), "{x}/dynamic/claude", "{mark}"], by_name=False),
    Way("execveat", ["{x}/plain/execveat", "{x}/bin", "claude"]),
    Way("memfd", ["{x}/plain/memfd", "{x}/lib/cli", "claude"]),
    Way("another thread", ["{x}/plain/thread_exec", "{x}/bin/claude"], is_long=True),
]


def ways(*, long: bool = False) -> list[object]:
    """Give the ways as parameters; all are ``long``, if the test is no other than another."""
    return [
        pytest.param(way, id=way.name, marks=pytest.mark.long if long or way.is_long else ())
        for way in WAYS
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, drivers: Drivers) -> Path:
    """Give a folder with a tool that leaves a mark, under each of the names in ``WAYS``."""
    x = tmp_path_factory.mktemp("x")
    package = "@anthropic-ai/claude-code"
    for name in ("bin", "lib", "links", "hard", "dynamic", "scripts", "plain", "modules", package):
        (x / name).mkdir(parents=True)
    mark = drivers.plain("mark").read_bytes()
    for name in ("bin/claude", "lib/cli", f"{package}/cli"):
        (x / name).write_bytes(mark)
    (x / "dynamic/claude").write_bytes(Path("/usr/bin/touch").read_bytes())
    (x / "links/claude").symlink_to("../lib/cli")
    (x / "links/run").symlink_to("../bin/claude")
    (x / "hard/claude").hardlink_to(x / "lib/cli")
    (x / "scripts/claude").write_text('#!/bin/sh\n: >"$MARK"\n', encoding="utf-8")
    (x / "scripts/aider").write_text(f"#!/usr/bin/env python3\n{MARKS}", encoding="utf-8")
    (x / "modules/aider.py").write_text(MARKS, encoding="utf-8")
    for name in ("execveat", "memfd", "thread_exec"):
        (x / "plain" / name).symlink_to(drivers.plain(name))
    for path in x.rglob("*"):
        if path.is_file() and not path.is_symlink():
            path.chmod(0o755)
    return x


def play(police: Policing, folder: Path, way: Way) -> list[bool]:
    """Start a tool some times, one after another; tell for each whether it has run."""
    have_run = []
    for number in range(TIMES):
        mark = folder / f"mark-{number}"
        env = {key: value.replace("{x}", str(folder)) for key, value in way.env.items()}
        argv = [each.format(x=folder, mark=mark) for each in way.argv]
        police.run(argv, cwd=folder, env={"PATH": "/usr/bin:/bin", "MARK": str(mark)} | env)
        have_run.append(mark.exists())
        mark.unlink(missing_ok=True)
    return have_run


@pytest.mark.parametrize("way", ways())
def test_what_is_refused_never_runs(police: Policing, folder: Path, way: Way) -> None:
    """Twenty-three attempts leave no mark and as many events, with the way that was taken."""
    police.keep(POLICIES["block"])
    since = police.seq()
    assert play(police, folder, way) == [False] * TIMES
    by = police.ways()["exec"] if way.by_name else "kill"
    told = police.told(since, "exec", TIMES)
    assert [event["tool"] for event in told] == [way.tool] * TIMES
    assert [(event["verdict"], event["rule"]) for event in told] == [("block", "no")] * TIMES
    assert [event["enforcement"] for event in told] == [by] * TIMES
    assert police.told(since, "session_start", 0) == []


@pytest.mark.parametrize("verdict", ["would_block", "alert", "allow"])
@pytest.mark.parametrize("way", ways(long=True))
def test_what_is_not_refused_runs(police: Policing, folder: Path, way: Way, verdict: str) -> None:
    """Each leaves its mark, and the event says what policy thinks of it."""
    police.keep(POLICIES[verdict])
    since = police.seq()
    assert play(police, folder, way) == [True] * TIMES
    police.told(since, "session_end", TIMES)
    told = [event for event in police.told_of(since, "exec") if event["depth"] == 0]
    assert {(event["tool"], event["verdict"]) for event in told} == {(way.tool, verdict)}
    assert {event["enforcement"] for event in told} <= {None, "none"}
