# SPDX-License-Identifier: Apache-2.0
"""The process table holds members, remembers strangers, and never outgrows its bounds."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from support.story import CATALOGUE, GIT, SECOND, SHELL, at, exec_, fork

from sensor.core import lineage
from sensor.core.event import ProcessView
from sensor.core.identity import Identity
from sensor.core.lineage import Lineage, Member
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import Session

if TYPE_CHECKING:
    import pytest

SESSION = Session(
    id="k3v9q2xa",
    tool=CATALOGUE.tools[0],
    identity=Identity(),
    root=at(9),
    started_ns=9,
    names=Names(Endpoints(CATALOGUE)),
)
IMAGE = ProcessView(pid=9, started_ns=at(9).started_ns, ppid=SHELL.pid, exe="/usr/bin/claude")


def member(pid: int, *, depth: int | None = 0, image: ProcessView | None = IMAGE) -> Member:
    """Return a process that ran its image itself."""
    return Member(
        process=at(pid),
        ppid=SHELL.pid,
        session=SESSION,
        depth=depth,
        image=image,
        recorded=image is not None,
    )


def test_a_member_is_found_until_it_ends() -> None:
    """The end gives back what the process was."""
    table, one = Lineage(), member(9)
    assert table.member(at(9)) is None
    assert table.add(one) is None
    assert table.member(at(9)) is one
    assert table.end(at(9)) is one
    assert table.member(at(9)) is None
    assert table.end(at(9)) is None


def test_the_members_are_named() -> None:
    """Each by its pid and start."""
    table = Lineage()
    assert table.processes() == ()
    table.add(member(1))
    table.add(member(2))
    assert table.processes() == (at(1), at(2))


def test_a_child_has_its_parent_s_image_under_its_own_pid() -> None:
    """A fork runs on; its exec, if one comes, is its own."""
    child = member(9).child(at(10))
    assert (child.depth, child.recorded, child.ppid) == (0, False, 9)
    assert child.view() == ProcessView(
        pid=10, started_ns=at(10).started_ns, ppid=9, exe="/usr/bin/claude"
    )
    assert child.child(at(11)).view().ppid == 10


def test_a_process_shows_the_image_that_it_ran() -> None:
    """Nothing is copied for the many that exec at once."""
    assert member(9).view() is IMAGE


def test_a_process_of_unknown_image_shows_its_pid() -> None:
    """All else is None."""
    assert member(9, image=None).view() == ProcessView(
        pid=9, started_ns=at(9).started_ns, ppid=SHELL.pid
    )


def test_depth_grows_with_each_image_and_stays_unknown() -> None:
    """What cannot be counted from the tool on is not counted at all."""
    assert member(9).below() == 1
    assert member(9, depth=3).below() == 4
    assert member(9, depth=None).below() is None


def test_the_member_longest_unchanged_makes_room() -> None:
    """A new image makes a process young again."""
    table = Lineage(2)
    first, second = member(1), member(2)
    assert table.add(first) is None
    assert table.add(second) is None
    assert table.add(member(1)) is None
    assert table.add(member(3)) is second
    assert len(table) == 2


def test_a_stranger_is_remembered_until_it_joins() -> None:
    """Its connections can close after it has ended, and are still nobody's."""
    table = Lineage()
    table.reject(at(9))
    assert table.end(at(9)) is None
    assert table.is_stranger(at(9))
    table.add(member(9))
    assert not table.is_stranger(at(9))


def test_the_oldest_stranger_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel follows none of them any more."""
    monkeypatch.setattr(lineage, "STRANGERS", 2)
    table = Lineage()
    for pid in (1, 2, 3):
        table.reject(at(pid))
    assert [table.is_stranger(at(pid)) for pid in (1, 2, 3)] == [False, True, True]


def found(pid: int, *, depth: int, session: Session = SESSION) -> Member:
    """Return a process that /proc showed half a minute after its birth."""
    shown_ns = at(pid).started_ns + 30 * SECOND
    return replace(member(pid, depth=depth), session=session, found_ns=shown_ns)


def table_of(*members: Member) -> Lineage:
    """Return a table of members."""
    table = Lineage()
    for one in members:
        table.add(one)
    return table


def test_a_new_image_is_below_the_one_before_and_else_below_the_parent() -> None:
    """Nobody is around a stranger's."""
    image = exec_(10, *GIT, parent=at(9), root=9)
    assert table_of(member(9), member(10, depth=1)).around(image) == (SESSION, 2)
    assert table_of(member(9)).around(image) == (SESSION, 1)
    assert table_of(member(8)).around(image) is None


def test_the_record_of_what_was_found_already_is_below_the_parent() -> None:
    """Where that one is in the same session; what comes after is below what was found."""
    record = exec_(10, *GIT, parent=at(9), root=9)
    later = exec_(10, *GIT, parent=at(9), root=9, after_ns=31 * SECOND)
    table = table_of(member(9), found(10, depth=1))
    assert (table.around(record), table.around(later)) == ((SESSION, 1), (SESSION, 2))
    assert table_of(found(10, depth=1)).around(record) == (SESSION, 2)
    inner = replace(SESSION, id="a2k4v9qx", root=at(10))
    within = table_of(member(9), found(10, depth=0, session=inner))
    assert within.around(record) == (inner, 1)


def test_a_fork_puts_right_how_deep_a_child_is_that_was_found() -> None:
    """It is what its parent is, until its images are told; one that told of itself stays."""
    child = found(10, depth=2)
    table = table_of(member(9, depth=1), child)
    assert table.is_child(fork(9, 10))
    assert (child.depth, child.found_ns) == (1, None)
    known = member(11, depth=4)
    table.add(known)
    assert table.is_child(fork(9, 11))
    assert known.depth == 4
    assert not table.is_child(fork(9, 12))
