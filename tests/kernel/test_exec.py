# SPDX-License-Identifier: Apache-2.0
"""Every way to execute a tool is told, once each time, with what was really run."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.stage import TIMES, Stage

if TYPE_CHECKING:
    from support.drivers import Drivers

pytestmark = pytest.mark.kernel

PYTHON = Path(sys.executable).resolve()
SHELL = Path("/bin/sh").resolve()
LOADER = next(path for lib in ("/lib64", "/lib") for path in Path(lib).glob("ld-linux-*.so.*"))


@dataclass(frozen=True)
class Way:
    """One way to start a tool; ``{x}`` is the folder of ``folder`` in all its texts.

    ``is_long`` where another way is much the same to the kernel, and an emulated one
    takes long.
    """

    name: str
    argv: list[str]
    process: dict[str, object]
    tool: str = "claude-code"
    env: dict[str, str] = field(default_factory=dict)
    events: int = 1
    is_long: bool = False


WAYS = [
    Way("path", ["{x}/bin/claude"], {"exe": "{x}/bin/claude", "name_typed": "{x}/bin/claude"}),
    Way(
        "relative path",
        ["./bin/claude"],
        {"exe": "{x}/bin/claude", "name_typed": "./bin/claude"},
        is_long=True,
    ),
    Way("link with its name", ["{x}/links/claude"], {"exe": "{x}/lib/cli"}),
    Way("link to its name", ["{x}/links/run"], {"exe": "{x}/bin/claude"}, is_long=True),
    Way(
        "relative link",
        ["links/claude"],
        {"exe": "{x}/lib/cli", "name_typed": "links/claude"},
        is_long=True,
    ),
    Way("hard link", ["{x}/hard/claude"], {"exe": "{x}/hard/claude"}),
    Way(
        "script",
        ["{x}/scripts/claude", "-p"],
        {
            "exe": str(SHELL),
            "name_typed": "{x}/scripts/claude",
            "script": "{x}/scripts/claude",
            "interpreter": "/bin/sh",
            "argv": ["/bin/sh", "{x}/scripts/claude", "-p"],
        },
    ),
    Way(
        "script of env",
        ["{x}/scripts/aider"],
        {"exe": str(PYTHON), "script": "{x}/scripts/aider"},
        tool="aider",
        events=2,
        is_long=True,
    ),
    Way(
        "argument of an interpreter",
        [str(PYTHON), "-S", "{x}/scripts/aider", "--yes"],
        {"exe": str(PYTHON), "script": "{x}/scripts/aider"},
        tool="aider",
    ),
    Way(
        "module of an interpreter",
        [str(PYTHON), "-S", "-m", "aider"],
        {"exe": str(PYTHON), "argv": [str(PYTHON), "-S", "-m", "aider"]},
        tool="aider",
        env={"PYTHONPATH": "{x}/modules"},
    ),
    Way(
        "argument of the loader",
        [str(LOADER), "--preload", "", "{x}/dynamic/claude"],
        {
            "exe": str(LOADER.resolve()),
            "argv": [str(LOADER), "--preload", "", "{x}/dynamic/claude"],
        },
    ),
    Way("execveat", ["{x}/plain/execveat", "{x}/bin", "claude"], {"exe": "{x}/bin/claude"}),
    Way(
        "fexecve of a memfd",
        ["{x}/plain/memfd", "{x}/lib/cli", "claude"],
        {"exe": "/memfd:claude", "fileless": True},
    ),
    Way(
        "another thread",
        ["{x}/plain/thread_exec", "{x}/bin/claude", "-p"],
        {"exe": "{x}/bin/claude", "argv": ["{x}/bin/claude", "-p"]},
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, drivers: Drivers) -> Path:
    """Give a folder with a tool under each of the names in ``WAYS``."""
    x = tmp_path_factory.mktemp("x")
    for name in ("bin", "lib", "links", "hard", "dynamic", "scripts", "plain", "modules/aider"):
        (x / name).mkdir(parents=True)
    (x / "bin/claude").write_bytes(drivers.plain("nothing").read_bytes())
    (x / "lib/cli").write_bytes(drivers.plain("nothing").read_bytes())
    (x / "dynamic/claude").write_bytes(Path("/bin/true").read_bytes())
    (x / "links/claude").symlink_to("../lib/cli")
    (x / "links/run").symlink_to("../bin/claude")
    (x / "hard/claude").hardlink_to(x / "lib/cli")
    (x / "scripts/claude").write_text("#!/bin/sh\n", encoding="utf-8")
    (x / "scripts/aider").write_text("#!/usr/bin/env python3\n", encoding="utf-8")
    (x / "modules/aider/__main__.py").touch()
    for name in ("execveat", "memfd", "thread_exec"):
        (x / "plain" / name).symlink_to(drivers.plain(name))
    for path in (x / "bin/claude", x / "lib/cli", x / "dynamic/claude", *(x / "scripts").iterdir()):
        path.chmod(0o755)
    return x


def at(folder: Path, value: object) -> object:
    """Put the folder into a text of the table, or into a list of them."""
    if isinstance(value, list):
        return [at(folder, each) for each in value]
    return value.replace("{x}", str(folder)) if isinstance(value, str) else value


@pytest.mark.parametrize(
    "way",
    [pytest.param(way, id=way.name, marks=pytest.mark.long if way.is_long else ()) for way in WAYS],
)
def test_an_exec_is_told_with_what_was_run(stage: Stage, folder: Path, way: Way) -> None:
    """Twenty-three runs are twenty-three execs of the tool, with its file and its names."""
    env = {"PATH": "/usr/bin:/bin"} | {key: str(at(folder, v)) for key, v in way.env.items()}
    argv = [str(at(folder, each)) for each in way.argv]
    runs = stage.play(*argv, cwd=folder, env=env)
    assert [len(run.of("exec")) for run in runs] == [way.events] * TIMES
    for run in runs:
        assert run.status == 0
        told = run.of("exec")[-1]
        assert (told["tool"], told["process"]["pid"]) == (way.tool, run.pid)
        assert {key: told["process"][key] for key in way.process} == {
            key: at(folder, value) for key, value in way.process.items()
        }
        assert told["process"]["truncated"] == []


def test_an_exec_tells_who_where_and_which_file(stage: Stage, folder: Path) -> None:
    """User, working directory, parent, cgroup and inode are those of the process."""
    program = folder / "bin/claude"
    found = program.stat()
    for run in stage.play(program, cwd=folder):
        process = run.of("exec")[0]["process"]
        assert process["uid"] == os.getuid()
        assert process["ppid"] == os.getpid()
        assert process["cwd"] == str(folder)
        assert process["cgroup"].endswith(stage.scope.path.name)
        assert process["ino"] == found.st_ino
        assert process["dev"] == os.major(found.st_dev) << 20 | os.minor(found.st_dev)
        assert process["tty"] is None
        assert process["fileless"] is False


def test_an_exec_tells_the_terminal(stage: Stage, folder: Path) -> None:
    """A tool that runs in a terminal is told with that terminal."""
    controller, terminal = os.openpty()
    try:
        name = os.ttyname(terminal).removeprefix("/dev/")
        runs = stage.play("setsid", "--ctty", folder / "bin/claude", stdin=terminal)
    finally:
        os.close(terminal)
        os.close(controller)
    assert [run.of("exec")[0]["process"]["tty"] for run in runs] == [name] * TIMES


def test_a_copy_in_memory_is_fileless(stage: Stage, folder: Path) -> None:
    """A tool that executes a memfd stays in its session, and the new image has no file."""
    for run in stage.play(stage.drivers.tool("memfd"), folder / "bin/claude", "claude"):
        first, second = run.of("exec")
        assert [first["process"]["fileless"], second["process"]["fileless"]] == [False, True]
        assert first["session"] == second["session"]
        assert "memfd:claude" in second["process"]["exe"]


def test_a_path_beyond_the_buffer_is_told_as_cut(
    stage: Stage, folder: Path, tmp_path: Path
) -> None:
    """The end of the path is there, and the event says that its beginning is not."""
    deep = stage.drivers.plain("deep")
    for run in stage.play(deep, "25", folder / "bin/claude", "claude", cwd=tmp_path):
        (told,) = run.of("exec")
        assert told["process"]["exe"].endswith("d/claude")
        assert len(told["process"]["exe"]) > 3000
        assert {"exe", "cwd"} == set(told["process"]["truncated"])


def test_an_argv_beyond_the_buffer_is_told_as_cut(stage: Stage, folder: Path) -> None:
    """At least 4 KiB are there, and the event says that the rest is not."""
    argv = [str(folder / "bin/claude"), *["a" * 999] * 20]
    for run in stage.play(*argv):
        (told,) = run.of("exec")
        assert told["process"]["truncated"] == ["argv"]
        kept = told["process"]["argv"]
        assert sum(map(len, kept)) >= 4096
        assert kept[:5] == argv[:5]


def test_hostile_arguments_are_carried_and_never_shown_raw(stage: Stage, folder: Path) -> None:
    """Newlines, escape sequences and invalid UTF-8 come through JSON; the line has none of them."""
    hostile: list[str | bytes] = ["one\ntwo", "\x1b[2J\x1b]0;x\x07", b"\xff\xfe", "", "\u202eabc"]
    for run in stage.play(folder / "bin/claude", *hostile):
        (told,) = run.of("exec")
        assert told["process"]["argv"][1:] == [
            "one\ntwo", "\x1b[2J\x1b]0;x\x07", "\\xff\\xfe", "", "\u202eabc",
        ]  # fmt: skip
        assert told["line"].isprintable()
