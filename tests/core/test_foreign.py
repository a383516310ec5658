# SPDX-License-Identifier: Apache-2.0
"""What other schemas want is worked out from what an event says."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from sensor.core.event import Event, Kind, ProcessView
from sensor.core.facts import Process
from sensor.core.foreign import (
    command_line,
    container,
    entity,
    exit_code,
    name_of,
    present,
    rest,
    wall_ns,
)
from sensor.core.form import fields_of

EVENT = Event(
    v=1, seq=7, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=5_000,
    kind=Kind.EXEC,
)  # fmt: skip


def view(**fields: object) -> ProcessView:
    """Describe a process."""
    return ProcessView(pid=9, started_ns=3, **fields)  # type: ignore[arg-type]  # by their names


def test_absent_things_are_left_out() -> None:
    """An empty list says nothing either; zero and no do."""
    assert present({"a": None, "b": [], "c": 0, "d": False, "e": ""}) == {
        "c": 0, "d": False, "e": "",
    }  # fmt: skip


def test_a_process_has_one_name_whoever_tells_of_it() -> None:
    """The name as a parent is that as itself."""
    assert entity(EVENT, view()) == entity(EVENT, Process(9, 3)) == "b:9:3"


def test_a_time_since_boot_has_a_wall_clock() -> None:
    """By the clock of the event itself, to the nanosecond."""
    assert wall_ns(EVENT, 5_000) % 1_000_000_000 == 512_345_678
    assert wall_ns(EVENT, 4_000) == wall_ns(EVENT, 5_000) - 1_000


@pytest.mark.parametrize(("exe", "name"), [("/usr/bin/node", "node"), (None, None), ("x", "x")])
def test_a_name_is_the_last_part_of_the_path(exe: str | None, name: str | None) -> None:
    """Of the resolved file, which the process did not choose."""
    assert name_of(view(exe=exe)) == name


@pytest.mark.parametrize(
    ("inside", "described"),
    [(None, None), ("box", {"name": "box"}), ("4c" * 32, {"uid": "4c" * 32})],
)
def test_a_container_has_an_id_or_a_name(
    inside: str | None, described: dict[str, object] | None
) -> None:
    """What the id is called, schemas do not agree on."""
    assert container(view(container=inside), "uid") == described


def test_a_command_line_can_be_taken_apart_again() -> None:
    """Arguments with blanks stay one; arguments that were not read stay absent."""
    argv = ("claude", "-p", "say it's so", "")
    line = command_line(view(argv=argv))
    assert line is not None
    assert tuple(shlex.split(line)) == argv
    assert command_line(view()) is None


@pytest.mark.parametrize(
    ("status", "code"), [(None, None), (0, 0), (3 << 8, 3), (9, 137), (11 | 0x80, 139)]
)
def test_an_exit_code_is_that_of_a_shell(status: int | None, code: int | None) -> None:
    """A signal counts from 128; whether there was a core file does not matter."""
    assert exit_code(view(status=status)) == code


def test_what_is_not_mapped_is_kept_in_its_part() -> None:
    """A part of which all is mapped is gone; one of which nothing is stays whole."""
    event = replace(
        EVENT, process=view(cwd="/src"), parent=Process(1, 2), loss=("exec", 3), tool="codex"
    )
    mapped = {"": {*fields_of(EVENT)} - {"tool", "process", "parent", "loss"}}
    own = {"process": {"pid", "started_ns", "truncated"}, "parent": {"pid", "started_ns"}}
    assert rest(event, mapped | own) == {
        "tool": "codex", "process": {"cwd": "/src"}, "loss": {"what": "exec", "count": 3},
    }  # fmt: skip
