# SPDX-License-Identifier: Apache-2.0
"""A tool that is a script is known by what is in it, whatever it is called and wherever it lies."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.policing import policing
from support.scripting import KILLED, POLICY, TOOL, ends, evidence, script
from support.stage import TIMES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.policing import Policing
    from support.scope import Argument

pytestmark = [pytest.mark.kernel, pytest.mark.long]


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that refuses the tool, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(POLICY)
        yield police


@pytest.fixture
def node(drivers: Drivers) -> Path:
    """Give what has an interpreter's name and goes on until its input ends."""
    return drivers.named("node", "stay")


def test_each_run_is_ended(police: Policing, node: Path, tmp_path: Path) -> None:
    """It is told as the tool by its text, late; and so the next, as the kernel tells it again."""
    path = script(tmp_path / "formatter.js")
    for _ in range(TIMES):
        since = police.seq()
        assert ends(police, [node, path]) == KILLED
        (start,) = police.told(since, "session_start", 1)
        assert (start["tool"], start["late"], evidence(start)) == (TOOL, True, {"script"})
        assert start["process"]["script"] == str(path)
        (ended,) = police.told(since, "exec", 1)
        assert (ended["verdict"], ended["enforcement"], ended["rule"]) == ("block", "kill", "no")
        police.told(since, "session_end", 1)


def by_name(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Give it to the interpreter by its whole path."""
    return [node, script(path)], path.parent


def relative(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Give it by a path from the working directory."""
    script(path)
    return [node, f"../{path.parent.name}/{path.name}"], path.parent


def by_shebang(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Have its first line name the interpreter."""
    return [script(path, first=f"#!{node}\n")], path.parent


def by_weak_name(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Give it a name that says something, and not what it is."""
    return [script(path.with_name("goose"), first=f"#!{node}\n")], path.parent


def by_env(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Have env(1) find the interpreter, as npm's own links do."""
    script(path, first="#!/usr/bin/env -S PATH=" + f"{node.parent} node --no-warnings\n")
    return [f"./{path.name}"], path.parent


def behind_options(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Put options before it, one of them with a value."""
    return [node, "--trace-warnings", "-r", "./first.js", "--", script(path)], path.parent


def behind_a_long_path(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Lay it deeper than what is scanned of arguments."""
    return [node, script(path.parent.joinpath(*["deep" * 10] * 10, path.name))], path.parent


def by_folder(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Give the folder whose manifest says what is run."""
    script(path.parent / "lib" / "start.js")
    (path.parent / "package.json").write_text('{"main": "lib/start"}')
    return [node, path.parent], path.parent


def without_its_end(node: Path, path: Path) -> tuple[list[Argument], Path]:
    """Leave out what the interpreter adds itself."""
    script(path.with_suffix(".js"))
    return [node, path.with_suffix("")], path.parent


WAYS = [
    by_name, relative, by_shebang, by_weak_name, by_env, behind_options, behind_a_long_path,
    by_folder, without_its_end,
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_it_is_known_however_it_is_started(
    police: Policing,
    node: Path,
    tmp_path: Path,
    way: Callable[[Path, Path], tuple[list[Argument], Path]],
) -> None:
    """Each of so many scripts is a file that nobody knew."""
    for number in range(TIMES):
        since = police.seq()
        argv, cwd = way(node, tmp_path / str(number) / "formatter.mjs")
        assert ends(police, argv, cwd) == KILLED
        (start,) = police.told(since, "session_start", 1)
        assert (start["tool"], start["late"], evidence(start)) == (TOOL, True, {"script"})


def test_a_script_that_only_its_process_can_see_is_known(
    police: Policing, node: Path, tmp_path: Path
) -> None:
    """It is looked up below the root of the process, as in a container."""
    place = tmp_path / "mnt"
    place.mkdir()
    path = script(tmp_path / "x.js")
    line = 'mount -t tmpfs tmpfs "$3" && cp "$2" "$3/x.js" && exec "$1" "$3/x.js"'
    since = police.seq()
    argv: list[Argument] = ["unshare", "--mount", "sh", "-c", line, "sh", node, path, place]
    assert ends(police, argv) == KILLED
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], evidence(start)) == (TOOL, {"script"})


def test_one_that_has_ended_already_is_told_and_known(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """Hardly one of them is ended in time: the others come to their own end."""
    node, path = drivers.named("node", "mark"), script(tmp_path / "x.js")
    since = police.seq()
    for number in range(TIMES):
        police.run([node, path], env={"MARK": str(tmp_path / str(number))})
        police.told(since, "session_end", number + 1)
    assert [*tmp_path.glob("[0-9]*")]
    told = police.told(since, "session_start", TIMES)
    assert {event["tool"] for event in told} == {TOOL}


def test_within_another_tool_it_has_a_session_of_its_own(
    police: Policing, node: Path, tmp_path: Path, drivers: Drivers
) -> None:
    """What a session starts is looked into as well."""
    outer, path = drivers.named("codex", "spawn"), script(tmp_path / "x.js")
    since = police.seq()
    ends(police, [outer, node, path])
    first, second = police.told(since, "session_start", 2)
    assert (first["tool"], second["tool"]) == ("codex", TOOL)
    assert second["parent_session"] == first["session"]
    police.told(since, "session_end", 2)


CONSOLE = """#!/usr/bin/python3
import sys
from aider.main import main
if __name__ == "__main__":
    sys.exit(main())
"""


def test_a_console_script_is_known_by_what_it_calls(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """Under whatever name: it is the one import that says what it is."""
    python = drivers.named("python3", "nothing")
    for number in range(TIMES):
        since = police.seq()
        police.run([python, "-W", "ignore", script(tmp_path / f"x{number}", inside=CONSOLE)])
        (start,) = police.told(since, "session_start", 1)
        assert start["tool"] == "aider"
        assert start["evidence"] == [{"signal": "module", "value": "aider"}]


def test_a_link_is_known_by_what_it_leads_to(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """As npm's own links are: by the folder of the package, and by its manifest."""
    node = drivers.named("node", "nothing")
    package = tmp_path / "lib" / "@qwen-code" / "qwen-code"
    script(package / "cli.js", inside="nothing")
    link = tmp_path / "formatter"
    link.symlink_to(package / "cli.js")
    since = police.seq()
    police.run([node, link])
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], evidence(start)) == ("qwen-code", {"path"})
    moved = package.rename(tmp_path / "elsewhere")
    manifest = '{"name": "@qwen-code/qwen-code", "bin": {"qwen": "cli.js"}}'
    (moved / "package.json").write_text(manifest)
    police.run([node, moved / "cli.js"])
    _, start = police.told(since, "session_start", 2)
    assert (start["tool"], evidence(start)) == ("qwen-code", {"package"})


def test_what_ran_before_the_sensor_is_looked_into(node: Path, tmp_path: Path) -> None:
    """A daemon that starts finds it, as any other tool that runs already."""
    with policing(tmp_path) as police:
        process = police.scope.run([node, script(tmp_path / "x.js")], stdin=subprocess.PIPE)
        police.start(f'{POLICY}running = "kill"\n')
        assert process.wait(SOON_S) == KILLED
        (start,) = police.told(0, "session_start", 1)
        assert (start["tool"], evidence(start)) == (TOOL, {"script"})
