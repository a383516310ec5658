# SPDX-License-Identifier: Apache-2.0
"""A tool under a name of no account is known by what its program holds."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.policing import policing
from support.scope import Scope
from support.watching import Watching

from sensor.daemon.catalogues import catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.drivers import Drivers
    from support.policing import Policing
    from support.running import Event
    from support.scope import Argument

pytestmark = [pytest.mark.kernel, pytest.mark.long]

TOOL = "claude-code"
LARGE = 21 << 20
POLICY = f"""
mode = "enforce"
[[rule]]
id = "no"
tools = ["{TOOL}"]
verdict = "block"
running = "kill"
"""
LARGE_TIMES, BATCH = 200, 1000
SMALL_TIMES = int(os.environ.get("AGENT_SENSOR_STORM", "2000"))
KILLED = -9


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that refuses the tool, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(POLICY)
        yield police


def large(program: Path, path: Path, *parts: bytes, size: int = LARGE) -> Path:
    """Lay a program that holds some bytes more at a path, with a hole up to a size."""
    path.write_bytes(b"\0".join([program.read_bytes(), *parts]))
    os.truncate(path, size)
    path.chmod(0o755)
    return path


def markers() -> list[bytes]:
    """Give what the program of the tool holds, as the catalogue has it."""
    tool = catalogue().tool(TOOL)
    assert tool
    return [text.encode() for text in tool.contents]


@pytest.fixture
def disguised(tmp_path: Path, drivers: Drivers) -> Path:
    """Give a program of a harmless name that holds what the tool holds, and goes on until told."""
    return large(drivers.plain("stay"), tmp_path / "formatter", *markers())


def until(claim: Callable[[], object]) -> None:
    """Wait for something, no longer than a while."""
    end = time.monotonic() + SOON_S
    while not claim():
        assert time.monotonic() < end


def searched(police: Policing) -> dict[str, int]:
    """Say how many files were looked into, by what came of it."""
    (status,) = police.daemon.ask("status")
    found: dict[str, int] = status["contents"]["searched"]
    return found


def ends(police: Policing, argv: Sequence[Argument]) -> int:
    """Run a program that goes on until it is ended; give its status."""
    process = police.scope.run(argv, stdin=subprocess.PIPE)
    try:
        return process.wait(SOON_S)
    finally:
        assert process.stdin
        process.stdin.close()


def evidence(event: Event) -> set[str]:
    """Give the kinds of signal that an event's tool was known by."""
    return {one["signal"] for one in event["evidence"]}


def test_the_first_is_ended_and_the_second_does_not_run(police: Policing, disguised: Path) -> None:
    """It is told as the tool by its content, late; from then on the kernel knows it."""
    since = police.seq()
    assert ends(police, [disguised]) == KILLED
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], start["late"], evidence(start)) == (TOOL, True, {"content"})
    assert start["process"]["exe"] == str(disguised)
    (ended,) = police.told(since, "exec", 1)
    assert (ended["verdict"], ended["enforcement"]) == ("block", "kill")
    police.told(since, "session_end", 1)
    since = police.seq()
    assert ends(police, [disguised]) != 0
    (event,) = police.told(since, "exec", 1)
    assert (event["tool"], event["verdict"], event["rule"]) == (TOOL, "block", "no")
    assert event["enforcement"] == police.ways()["exec"]
    assert evidence(event) == {"content"}
    assert police.told_of(since, "session_start") == []


def appended(program: Path) -> list[Argument]:
    """Add to a program what changes its size and sum."""
    with program.open("ab") as file:
        file.write(os.urandom(4096))
    return [program]


def hollow(program: Path) -> list[Argument]:
    """Make a program as large as nobody would read."""
    os.truncate(program, 1 << 40)
    return [program]


def under(name: str) -> Callable[[Path], list[Argument]]:
    """Give a program a name that says something, and not what it is."""
    return lambda program: [program.rename(program.with_name(name))]


def linked(program: Path) -> list[Argument]:
    """Give a program a second name, which also moves its change time."""
    other = program.with_name("linter")
    other.hardlink_to(program)
    return [other]


def elsewhere(program: Path) -> list[Argument]:
    """Lay it where only a container sees it."""
    place = program.parent / "mnt"
    place.mkdir()
    script = 'mount -t tmpfs tmpfs "$2" && cp --sparse=always "$1" "$2/x" && exec "$2/x"'
    return ["unshare", "--mount", "sh", "-c", script, "sh", program, place]


@pytest.mark.parametrize(
    "disguise",
    [appended, hollow, linked, elsewhere, under("node"), under("goose")],
    ids=["appended", "hollow", "linked", "elsewhere", "interpreter", "namesake"],
)
def test_no_disguise_changes_what_is_inside(
    police: Policing, disguised: Path, disguise: Callable[[Path], list[Argument]]
) -> None:
    """Each is a file that nobody knew, and is known for what it holds."""
    since = police.seq()
    assert ends(police, disguise(disguised)) == KILLED
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], start["late"]) == (TOOL, True)
    assert "content" in evidence(start)


def test_a_file_in_memory_is_known(police: Policing, disguised: Path, drivers: Drivers) -> None:
    """It has no path, and nobody who comes later can open it."""
    since = police.seq()
    assert ends(police, [drivers.plain("memfd"), disguised, "formatter"]) == KILLED
    (start,) = police.told(since, "session_start", 1)
    assert (start["tool"], start["process"]["fileless"]) == (TOOL, True)


def test_one_that_has_ended_already_is_told_and_known(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """It was too fast to be ended; the file is known by then, and the next one is refused."""
    program = large(drivers.plain("mark"), tmp_path / "formatter", *markers())
    since = police.seq()
    police.run([program], env={"MARK": str(tmp_path / "first")})
    police.told(since, "session_end", 1)
    (run,) = police.told(since, "exec", 1)
    assert (run["verdict"], run["enforcement"]) == ("block", "none")
    police.run([program], env={"MARK": str(tmp_path / "second")})
    assert (tmp_path / "second").exists() is False


def test_what_it_started_meanwhile_ends_with_it(police: Policing, disguised: Path) -> None:
    """Its children are of the session that nobody had seen begin."""
    shell = large(Path("/bin/bash"), disguised.with_name("linter"), *markers())
    since = police.seq()
    assert ends(police, [shell, "-c", "sleep 600 & sleep 600; true"]) == KILLED
    (start,) = police.told(since, "session_start", 1)
    (end,) = police.told(since, "session_end", 1)
    assert end["session"] == start["session"]
    assert end["processes"] >= 3
    assert police.scope.procs() == []


def test_within_another_tool_it_has_a_session_of_its_own(
    police: Policing, disguised: Path, tmp_path: Path
) -> None:
    """What the outer one started was of its session until it was known."""
    outer = shutil.copy("/bin/bash", tmp_path / "codex")
    since = police.seq()
    assert ends(police, [outer, "-c", f"{disguised}; exit 7"]) == 7
    first, second = police.told(since, "session_start", 2)
    assert (first["tool"], second["tool"]) == ("codex", TOOL)
    assert second["parent_session"] == first["session"]
    police.told(since, "session_end", 2)


def test_one_that_may_run_on_reaches_nothing_any_more(police: Policing, tmp_path: Path) -> None:
    """Where the rule does not end it, what it connects to from then on is refused."""
    police.keep(POLICY.replace('running = "kill"\n', ""))
    shell = large(Path("/bin/bash"), tmp_path / "formatter", *markers())
    since = police.seq()
    process = police.scope.run(
        ["unshare", "--net", shell], stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    police.told(since, "session_start", 1)
    _, said = process.communicate(b"exec 3<>/dev/tcp/192.0.2.1/9\n", timeout=SOON_S)
    police.keep(POLICY)
    assert b"not permitted" in said
    (event,) = police.told(since, "connect", 1)
    assert (event["tool"], event["verdict"], event["rule"]) == (TOOL, "block", "no")


def test_a_storm_tells_what_is_large_and_loses_nothing(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """Each large file is looked into once; what is small costs nobody a look."""
    before, since = searched(police), police.seq()
    nothing = drivers.plain("nothing")
    script = 'i=0; while [ $i -lt "$2" ]; do cp "$1" x.$i; ./x.$i; rm x.$i; i=$((i+1)); done'
    for _ in range(SMALL_TIMES // BATCH):
        police.run(["sh", "-c", script, "sh", nothing, str(BATCH)], cwd=tmp_path)
    for number in range(LARGE_TIMES):
        program = large(nothing, tmp_path / f"large-{number}")
        police.run([program])
        police.run([program])
    until(lambda: searched(police).get("nothing", 0) >= before.get("nothing", 0) + LARGE_TIMES)
    after = searched(police)
    assert after["nothing"] == before.get("nothing", 0) + LARGE_TIMES
    assert after.get("dropped", 0) == before.get("dropped", 0)
    assert police.told_of(since, "loss") == []


def test_what_ran_before_the_sensor_is_looked_into(tmp_path: Path, disguised: Path) -> None:
    """A daemon that starts finds it, as any other tool that runs already."""
    with policing(tmp_path) as police:
        process = police.scope.run([disguised], stdin=subprocess.PIPE)
        police.start(POLICY)
        assert process.wait(SOON_S) == KILLED
        (start,) = police.told(0, "session_start", 1)
        assert (start["tool"], evidence(start)) == (TOOL, {"content"})


def test_what_is_known_outlives_the_daemon(tmp_path: Path, disguised: Path) -> None:
    """Killed, it leaves the file known; the next one does not have to find it out again."""
    with policing(tmp_path) as police:
        police.start(POLICY)
        assert ends(police, [disguised]) == KILLED
        police.told(0, "session_end", 1)
        police.daemon.kill()
        assert ends(police, [disguised]) != 0
        police.start(POLICY)
        assert ends(police, [disguised]) != 0
        assert searched(police) == {}


def test_a_sensor_in_the_foreground_looks_too(disguised: Path) -> None:
    """The first is told late, the second as it starts; nothing is refused."""
    with Scope() as scope, Watching(scope) as watching:
        for times in (1, 2):
            process = scope.run([disguised], stdin=subprocess.PIPE)
            watching.until(partial(_has_sessions, times))
            process.communicate(timeout=SOON_S)
            assert process.returncode == 0
    late = [event["late"] for event in watching.events() if event["kind"] == "session_start"]
    assert late == [True, False]


def _has_sessions(times: int, events: list[Event]) -> bool:
    return [event["kind"] for event in events].count("session_start") == times
