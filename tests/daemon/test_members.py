# SPDX-License-Identifier: Apache-2.0
"""Whom the kernel follows is told in its own tables."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.host import CHECKOUT, Host, copied
from support.loading import Loaded
from support.scope import Scope

from sensor.core.facts import Process
from sensor.daemon.catalogues import catalogue
from sensor.daemon.members import Members
from sensor.daemon.probing import Probing

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.kernel

# More than the kernel's largest pid: nobody else's entry is touched.
FORMER, LATTER = Process(2**22 + 1, 1_000_000_000), Process(2**22 + 1, 2_000_000_000)
ROOT = Process(2**22 + 2, 1)


@pytest.fixture(scope="module")
def members(loaded: Loaded) -> Members:
    """Give the tables of loaded probes."""
    return Members(loaded.pins, lives=lambda _: True)


def test_a_process_is_followed_until_it_is_released(members: Members) -> None:
    """What nobody follows can be released again."""
    assert members.find(FORMER.pid) is None
    members.follow(FORMER, ROOT)
    members.follow(FORMER, ROOT)
    assert members.find(FORMER.pid) == FORMER
    assert list(members.all()) == [(FORMER, ROOT)]
    members.release(FORMER)
    members.release(FORMER)
    assert members.find(FORMER.pid) is None
    assert list(members.all()) == []


def test_a_pid_that_is_used_again_is_not_released(members: Members) -> None:
    """The entry is that of the process which has the pid now."""
    members.follow(LATTER, ROOT)
    members.release(FORMER)
    assert members.find(LATTER.pid) == LATTER
    members.release(LATTER)
    assert members.find(LATTER.pid) is None


def test_a_process_that_has_ended_is_not_followed(loaded: Loaded) -> None:
    """Nobody would take it out again, and whoever gets its pid next would be taken for it."""
    members = Members(loaded.pins)
    members.follow(FORMER, ROOT)
    assert members.find(FORMER.pid) is None
    state = loaded.pins.map("state")
    assert [state.lookup(struct.pack("=I", slot), 8) for slot in (0, 1)] == [bytes(8), bytes(8)]


def test_a_tool_that_runs_is_followed(loaded: Loaded, members: Members) -> None:
    """The kernel enters it by itself, and takes it out when it ends."""
    Probing(loaded.pins, lambda _: None).teach(catalogue())
    reader = copied("cat", loaded.tool.parent / "reader")
    with loaded.scope.run([reader], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"\n")
        process.stdin.flush()
        assert process.stdout.read(1) == b"\n"
        found = members.find(process.pid)
        process.kill()
    assert found
    assert found.pid == process.pid
    assert members.find(process.pid) is None


def test_there_is_no_room_for_ever(tmp_path: Path) -> None:
    """Whoever cannot be followed is not counted, and can be once somebody has made room."""
    with Host() as host, Scope() as scope:
        host.edit(CHECKOUT / "probes/members.c", "#define MEMBERS 32768", "#define MEMBERS 2")
        pins = Loaded(host, scope, copied("echo", tmp_path)).pins
        members = Members(pins, lives=lambda _: True)
        people = [Process(FORMER.pid + number, 1) for number in range(8)]
        followed = [one for one in people if members.follow(one, ROOT)]
        left_out = [one for one in people if one not in followed]
        assert followed
        assert left_out
        assert not members.follow(left_out[0], ROOT)
        assert members.follow(followed[0], ROOT)
        counted = pins.map("state").lookup(struct.pack("=I", 1), 8)
        assert counted == struct.pack("=q", len(followed))
        members.release(followed[0])
        assert members.follow(left_out[0], ROOT)
