# SPDX-License-Identifier: Apache-2.0
"""Records become facts: the layouts are C's, text is safe, damage is said."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.records import HTTPS, SHELL, TOOL, V4, exec_record, head
from support.structs import checked, laid_out, measured

from sensor.core.facts import (
    Close,
    Exec,
    Exit,
    File,
    Fork,
    Loss,
    Ruled,
    Signal,
)
from sensor.core.scripts import Script
from sensor.core.spelling import as_spelled
from sensor.core.words import Enforcement, Verdict
from sensor.errors import DamagedRecordError
from sensor.wire import probe

if TYPE_CHECKING:
    from pathlib import Path

LAYOUTS = {
    "exec_record": probe.EXEC,
    "fork_record": probe.FORK,
    "exit_record": probe.EXIT,
    "connect_record": probe.CONNECT,
    "close_record": probe.CLOSE,
    "answer_record": probe.ANSWER,
    "hello_record": probe.HELLO,
}


def test_the_layouts_are_those_of_the_header(tmp_path: Path) -> None:
    """Every member lies where the compiler of probes/events.h puts it."""
    assert measured("events.h", LAYOUTS, tmp_path) == laid_out(LAYOUTS)


def test_the_head_is_the_beginning_of_every_record(tmp_path: Path) -> None:
    """The kind is read before the rest is."""
    heads = {"record_head": probe.HEAD}
    assert measured("events.h", heads, tmp_path) == laid_out(heads)
    assert all(
        layout.codes[: len(probe.HEAD.codes)] == probe.HEAD.codes for layout in LAYOUTS.values()
    )


def test_an_execution_is_read() -> None:
    """Paths are turned round, strings lose their terminators, argv keeps its arguments."""
    assert probe.read(exec_record()) == Exec(
        at_ns=100,
        process=SHELL,
        parent=TOOL,
        root=TOOL,
        signals=Signal.NAME,
        exe="/opt/bin/codex.js",
        name_typed="/usr/bin/codex",
        interpreter="/usr/bin/node",
        argv=("node", "/usr/bin/codex", "-p"),
        cwd="/home/src",
        uid=1001,
        loginuid=1000,
        tty="pts/3",
        cgroup_id=55,
        file=File(dev=1 << 20 | 2, ino=11, ctime_ns=12, size_bytes=13),
        fileless=False,
        tool=4,
        tools=(),
    )


def test_paths_that_are_no_text_are_shown_and_found() -> None:
    """What is shown is also another file's name; what finds the file is the bytes."""
    words = (b"\xff\0opt\0", b"\xfe\0", b"./\xff\0", b"", b"x\0\xfd\0")
    fact = probe.read(exec_record(strings=words))
    assert isinstance(fact, Exec)
    assert (fact.exe, fact.cwd, fact.name_typed) == ("/opt/\\xff", "/\\xfe", "./\\xff")
    found = as_spelled(fact)
    assert (found.exe, found.cwd, found.name_typed) == ("/opt/\udcff", "/\udcfe", "./\udcff")
    assert (fact.argv, found.argv) == (("x", "\\xfd"), ("x", "\udcfd"))


def test_what_the_kernel_did_not_give_is_none() -> None:
    """Absent is None: names that could not be read, no login, no terminal."""
    record = exec_record(strings=(b"sh\0", b"", b"", b"", b""), loginuid=0xFFFFFFFF, tty=b"")
    fact = probe.read(record)
    assert isinstance(fact, Exec)
    assert (fact.name_typed, fact.interpreter, fact.loginuid, fact.tty) == (None,) * 4
    assert (fact.argv, fact.cwd) == ((), "/")


def test_a_kernel_without_audit_gives_no_loginuid() -> None:
    """Where the flag says so, the number in the field is none."""
    fact = probe.read(exec_record(flags=1 << 7, loginuid=0))
    assert isinstance(fact, Exec)
    assert fact.loginuid is None


@pytest.mark.parametrize(
    ("bit", "name"),
    [
        (1, "exe"),
        (2, "cwd"),
        (3, "name_typed"),
        (4, "interpreter"),
        (5, "argv"),
        (6, "argv"),
    ],
)
def test_what_was_cut_is_named(bit: int, name: str) -> None:
    """Each flag of the kernel names one field."""
    fact = probe.read(exec_record(flags=1 << bit))
    assert isinstance(fact, Exec)
    assert fact.truncated == (name,)


def test_a_path_that_was_cut_has_no_root() -> None:
    """The leaf is kept, and the missing front shows."""
    fact = probe.read(exec_record(flags=1 << 1))
    assert isinstance(fact, Exec)
    assert fact.exe == "…/opt/bin/codex.js"


def test_a_large_file_that_nobody_knows_is_told_as_such() -> None:
    """And one that was looked into before, with the signal for that."""
    fact = probe.read(exec_record(flags=1 << 10))
    assert isinstance(fact, Exec)
    assert fact.unsearched
    assert Signal(16) is Signal.CONTENT


def test_what_a_broker_started_is_told_as_such() -> None:
    """User space finds out for whom."""
    fact = probe.read(exec_record(flags=1 << 11))
    assert isinstance(fact, Exec)
    assert fact.brokered
    assert not fact.unsearched


def test_a_script_is_told_as_the_kernel_knows_it() -> None:
    """By the hash of the word, and from where; whether it is to be looked into is a flag."""
    fact = probe.read(exec_record(script=(5, 6, 7, 8), flags=1 << 12, signals=32))
    assert isinstance(fact, Exec)
    assert (fact.script, fact.unseen, fact.signals) == (Script(5, 6, 7, 8), True, Signal.SCRIPT)
    fact = probe.read(exec_record())
    assert isinstance(fact, Exec)
    assert (fact.script, fact.unseen) == (None, False)


def test_a_file_without_a_name_is_fileless() -> None:
    """The kernel has counted its links."""
    fact = probe.read(exec_record(flags=1))
    assert isinstance(fact, Exec)
    assert fact.fileless


def test_bytes_that_are_no_text_are_escaped() -> None:
    """A process may call itself anything; what is no UTF-8 is shown as its bytes."""
    fact = probe.read(exec_record(strings=(b"a\xff\0", b"", b"", b"", b"\x1b[2J\0\xfe\0")))
    assert isinstance(fact, Exec)
    assert fact.exe == "/a\\xff"
    assert fact.argv == ("\x1b[2J", "\\xfe")


def test_what_policy_said_of_an_execution_is_read() -> None:
    """With the tools that the kernel has the process in the sessions of, the outermost first."""
    fact = probe.read(exec_record(ruling=(7, 2, 4, 1), flags=1 << 9, tools=(5, 3, 0, 0)))
    assert isinstance(fact, Exec)
    assert fact.ruled == Ruled(7, 2, Verdict.BLOCK, Enforcement.LSM)
    assert (fact.refused, fact.unsure, fact.tools) == (True, False, (5, 3))
    unsure = probe.read(exec_record(flags=1 << 8))
    assert isinstance(unsure, Exec)
    assert (unsure.refused, unsure.unsure) == (False, True)


def test_a_fork_is_read() -> None:
    """The child is the process of the fact."""
    record = probe.FORK.pack(*head(2), 80, 70, 7, 1001, 3, 0, 0, 0)
    assert probe.read(record) == Fork(
        at_ns=100, process=SHELL, parent=TOOL, root=TOOL, uid=1001, tools=(3,)
    )


def test_an_exit_is_read() -> None:
    """The status is that of wait(2)."""
    record = probe.EXIT.pack(*head(3), 80, 256, 0)
    assert probe.read(record) == Exit(at_ns=100, process=SHELL, root=TOOL, status=256)


@pytest.mark.parametrize(("established", "expected"), [(95, 95), (0, None)])
def test_a_close_is_read(established: int, expected: int | None) -> None:
    """A connection that never came up has no time of it."""
    record = probe.CLOSE.pack(*head(5), 80, 5, 90, established, 11, 22, V4, HTTPS, 111, 0)
    assert probe.read(record) == Close(
        at_ns=100,
        process=SHELL,
        root=TOOL,
        cookie=5,
        address=IPv4Address("192.0.2.1"),
        port=443,
        opened_ns=90,
        established_ns=expected,
        sent_bytes=11,
        received_bytes=22,
        error=111,
    )


MESSAGE = bytes.fromhex("0001 8180 0001 0000 0000 0000 03 61ff62 00 0001 0001".replace(" ", ""))


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (b"", "too short"),
        (probe.HEAD.pack(*head(3)), "too short"),
        (probe.HEAD.pack(*head(99)), "unknown kind 99"),
        (exec_record()[:-1], "strings want more"),
        (probe.ANSWER.pack(*head(6), 80, 5, V4, 12, 12) + b"short", "message wants more"),
        (probe.ANSWER.pack(*head(6), 80, 5, V4, 12, 12) + bytes(12), "no answer"),
        (exec_record(ruling=(7, 2, 5, 0)), "verdict 5"),
    ],
)
def test_a_damaged_record_is_refused(record: bytes, why: str) -> None:
    """The error says where it broke."""
    with pytest.raises(DamagedRecordError, match=why):
        probe.read(record)


@given(st.integers(1, 8), st.binary(max_size=600))
def test_any_bytes_give_a_fact_or_a_wire_error(kind: int, rest: bytes) -> None:
    """No record can stop the sensor."""
    with suppress(DamagedRecordError):
        assert probe.read(probe.HEAD.pack(*head(kind)) + rest)


def test_losses_are_what_the_counters_moved() -> None:
    """Each slot that grew is one fact; a slot that stands still is none."""
    before = [0] * len(probe.LOST)
    now = before.copy()
    now[probe.LOST.index("connect")] = 3
    assert list(probe.losses(before, now, 5)) == [Loss(at_ns=5, what="connect", count=3)]


def test_every_slot_of_the_loss_map_has_a_name(tmp_path: Path) -> None:
    """LOST is as long as enum lost_slot of the header."""
    checked("events.h", f"LOST_SLOTS == {len(probe.LOST)}", tmp_path)
