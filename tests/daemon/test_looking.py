# SPDX-License-Identifier: Apache-2.0
"""Looks are taken in a thread, answered always, and show nothing but what was asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.patience import is_readable

from sensor.core.actions import Look
from sensor.core.facts import File, Process, Seen
from sensor.core.identity import Identifier
from sensor.core.looking import look as looked_for
from sensor.daemon import looking
from sensor.daemon.catalogues import shipped
from sensor.daemon.looking import Looking, seen
from sensor.edge import proc

if TYPE_CHECKING:
    from collections.abc import Iterator

PATIENCE_S = 10
WAITS = "import sys; print(flush=True); sys.stdin.read()"


def look(
    process: Process, *, exe: str = sys.executable, variables: frozenset[str] = frozenset(),
    state: tuple[str, ...] = (), module: str | None = None,
) -> Look:  # fmt: skip
    """Ask for a look."""
    info = os.stat(exe)  # noqa: PTH116  # as the kernel tells it
    dev = os.major(info.st_dev) << 20 | os.minor(info.st_dev)
    file = File(dev=dev, ino=info.st_ino, ctime_ns=1, size_bytes=1)
    return Look(
        process=process, file=file, uid=os.getuid(), exe=exe, program=None if module else exe,
        module=module, python=sys.executable if module else None, variables=variables, state=state,
    )  # fmt: skip


@contextmanager
def waiting(**environment: str) -> Iterator[Process]:
    """Give a process that waits."""
    child = subprocess.Popen(
        [sys.executable, "-c", WAITS], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env=environment,
    )  # fmt: skip
    assert child.stdout
    child.stdout.readline()
    try:
        yield proc.entry(child.pid).process
    finally:
        child.communicate(timeout=PATIENCE_S)


def test_a_process_is_shown_by_names_paths_and_ancestors(tmp_path: Path) -> None:
    """Of its variables the names that were asked for; what is not there is not told."""
    with waiting(WANTED_NAME="hunter2", OTHER="x") as process:
        state = (str(tmp_path), str(tmp_path / "gone"), "~", "~/gone-for-sure")
        found = seen(look(process, variables=frozenset({"WANTED_NAME", "ABSENT"}), state=state))
    assert (found.process, found.variables, found.no_look) == (process, ("WANTED_NAME",), False)
    assert found.state == (str(tmp_path), "~")
    assert found.ancestors[0].process.pid == os.getpid()
    assert "hunter2" not in repr(found)


def test_the_package_of_a_module_is_that_of_its_python() -> None:
    """The one that runs the tests has pytest installed."""
    with waiting() as process:
        found = seen(look(process, module="pytest"))
    assert (found.package, found.owns) == ("pypi:pytest", True)


def test_a_process_that_has_ended_is_known_by_its_file_alone(tmp_path: Path) -> None:
    """If that still is the host's file of the path; else nothing was looked at."""
    gone = Process(4194303, 1)
    program = tmp_path / "bin" / "x"
    program.parent.mkdir()
    program.write_text("")
    (tmp_path / "package.json").write_text('{"name": "named", "bin": "bin/x"}')
    found = seen(look(gone, exe=str(program)))
    assert (found.package, found.owns, found.no_look) == ("npm:named", True, False)
    asked = look(gone, exe=str(program))
    program.unlink()
    assert seen(asked).no_look


@pytest.mark.parametrize("waited_for", [True, False], ids=["gone", "zombie"])
def test_a_process_that_ends_while_it_is_looked_at_is_known_by_its_file(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    waited_for: bool,  # noqa: FBT001
) -> None:
    """Its root goes with it, and a path below that leads nowhere any more."""
    program = copied("cat", tmp_path / "bin", name="tool")
    (tmp_path / "package.json").write_text(json.dumps({"name": "@some/tool", "bin": "bin/tool"}))
    child = subprocess.Popen([program], stdin=subprocess.PIPE)

    def ending(*_: object) -> tuple[str, ...]:
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | (0 if waited_for else os.WNOWAIT))
        return ()

    monkeypatch.setattr(looking, "_variables", ending)
    found = seen(look(proc.entry(child.pid).process, exe=str(program)))
    child.wait()
    assert child.stdin
    child.stdin.close()
    assert (found.package, found.no_look) == ("npm:@some/tool", False)


@pytest.mark.parametrize("runs", [True, False], ids=["running", "ended"])
def test_a_program_is_found_whose_path_is_no_text(tmp_path: Path, runs: bool) -> None:  # noqa: FBT001
    """Its package is the one beside it, not that of the file that is called by the text for it."""
    for folder, package in ((os.fsdecode(b"\xff"), "stranger"), (r"\xff", "@openai/codex")):
        program = copied("cat", tmp_path / folder, name="codex")
        (tmp_path / folder / "package.json").write_text(
            json.dumps({"name": package, "bin": {"codex": "codex"}})
        )
    program = tmp_path / os.fsdecode(b"\xff") / "codex"
    with subprocess.Popen([program], stdin=subprocess.PIPE) as child:
        image = proc.image(proc.entry(child.pid), Process(1, 0))
        assert image
        assert image.exe == rf"{tmp_path}/\xff/codex"
        if not runs:
            child.communicate(timeout=PATIENCE_S)
        found = seen(looked_for(image, Identifier(shipped())))
    assert (found.package, found.owns, found.no_look) == ("npm:stranger", True, False)


def test_a_pid_that_is_somebody_else_s_is_not_looked_at() -> None:
    """A pid alone is no identity."""
    other = Process(os.getpid(), 1)
    found = seen(look(other, variables=frozenset(os.environ)))
    assert (found.variables, found.ancestors) == ((), ())


def answers(looks: Looking, count: int) -> list[Seen]:
    """Wait for so many answers."""
    found: list[Seen] = []
    while len(found) < count:
        assert is_readable(looks, PATIENCE_S)
        found += looks.take()
    return found


def test_every_look_is_answered() -> None:
    """Also where looking fails: then there was none."""

    def fails(asked: Look) -> Seen:
        if asked.process.pid == 2:
            raise PermissionError
        return Seen(at_ns=1, process=asked.process, package="npm:x")

    looks = Looking(fails)
    looks.begin()
    for pid in (1, 2, 3):
        looks.ask(look(Process(pid, 1)))
    assert looks.settle(PATIENCE_S)
    told = answers(looks, 3)
    assert [(one.process.pid, one.no_look) for one in told] == [(1, False), (2, True), (3, False)]
    assert list(looks.take()) == []
    looks.close()


def test_where_too_many_wait_there_is_no_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that does not answer holds up nobody but those behind it."""
    monkeypatch.setattr(looking, "QUEUED", 1)
    is_busy, may_go = threading.Event(), threading.Event()

    def hangs(asked: Look) -> Seen:
        is_busy.set()
        may_go.wait(PATIENCE_S)
        return Seen(at_ns=1, process=asked.process)

    looks = Looking(hangs)
    looks.begin()
    looks.ask(look(Process(1, 1)))
    assert is_busy.wait(PATIENCE_S)
    looks.ask(look(Process(2, 1)))
    looks.ask(look(Process(3, 1)))
    (told,) = answers(looks, 1)
    assert (told.process.pid, told.no_look) == (3, True)
    assert not looks.settle(0)
    may_go.set()
    assert looks.settle(PATIENCE_S)
    assert [one.process.pid for one in answers(looks, 2)] == [1, 2]
    looks.close()


def test_before_it_is_told_to_begin_there_is_no_thread() -> None:
    """A daemon that still has rights can have none; what it asks is answered at once."""
    looks = Looking(lambda asked: Seen(at_ns=1, process=asked.process))
    looks.ask(look(Process(1, 1)))
    assert not any(thread.name == "looks" for thread in threading.enumerate())
    (told,) = answers(looks, 1)
    assert told.process.pid == 1
    assert looks.settle(0)
    looks.close()
    assert not any(thread.name == "looks" for thread in threading.enumerate())


def test_the_variables_of_another_user_s_image_are_left_out() -> None:
    """Whoever had the process looked at, it was not for these."""
    with waiting(WANTED="x") as process:
        asked = replace(look(process, variables=frozenset({"WANTED"})), uid=os.getuid() + 1)
        assert seen(asked).variables == ()


def broker(folder: Path, name: str, code: str) -> subprocess.Popen[bytes]:
    """Start a shell under a broker's name."""
    return subprocess.Popen(
        [copied("bash", folder, name=name), "-c", code], stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )  # fmt: skip


def test_the_variables_of_a_job_of_at_are_those_that_its_shell_sets(tmp_path: Path) -> None:
    """They are in no environment yet; of other shells the input is left alone."""
    job = tmp_path / "job"
    job.write_text("#!/bin/sh\nWANTED=hunter2; export WANTED\n")
    for name, found in (("atd", ("WANTED",)), ("xtd", ())):
        started = broker(tmp_path, name, f"sleep 60 <{job} & echo $!; read -r _; kill $!")
        assert started.stdout
        child = proc.entry(int(started.stdout.readline())).process
        while Path(f"/proc/{child.pid}/exe").readlink().name != "sleep":
            threading.Event().wait(0.01)
        shown = seen(look(child, variables=frozenset({"WANTED"})))
        started.communicate(b"\n", timeout=PATIENCE_S)
        assert shown.variables == found
        assert shown.ancestors[0].exe == str(tmp_path / name)


def test_a_broker_is_named_when_what_it_started_has_ended(tmp_path: Path) -> None:
    """Unless it has ended too, or the pid is somebody else's."""
    started = broker(tmp_path, "atd", "echo; read -r _")
    assert started.stdout
    started.stdout.readline()
    entry = proc.entry(started.pid)
    asked = replace(look(Process(4194303, 1)), broker=entry.process)
    (image,) = seen(asked).ancestors
    assert image.exe == str(tmp_path / "atd")
    assert seen(replace(asked, broker=Process(started.pid, 1))).ancestors == ()
    started.communicate(b"\n", timeout=PATIENCE_S)
    assert seen(asked).ancestors == ()


def test_a_broker_that_is_init_is_named_as_any_other() -> None:
    """Of a process that init itself has started, as systemd starts services, it is the parent."""
    me = proc.entry(os.getpid()).process
    asked = look(proc.entry(1).process)  # which is nobody's child, as far as a process can be seen
    assert seen(asked).ancestors == ()
    (image,) = seen(replace(asked, broker=me)).ancestors
    assert image.exe == str(Path(sys.executable).resolve())
