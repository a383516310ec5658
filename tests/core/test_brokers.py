# SPDX-License-Identifier: Apache-2.0
"""Who may have asked a broker: of its kind, of the user, a moment ago, in a session that runs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.story import CATALOGUE, SECOND, at, exec_

from sensor.core import brokers
from sensor.core.brokers import BROKERS, COMMS, Client, Clients, broker_of, unit_of
from sensor.core.identity import Identity
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import Session

if TYPE_CHECKING:
    from sensor.core.facts import Exec

KINDS = {one.name: one for one in BROKERS}
COMM_BYTES = 15


def member(pid: int, *, depth: int | None = 0) -> Member:
    """Return a process of a session that runs."""
    session = Session(
        id="k3v9q2xa", tool=CATALOGUE.tools[0], identity=Identity(), root=at(9), started_ns=9,
        names=Names(Endpoints(CATALOGUE)), alive=1,
    )  # fmt: skip
    return Member(process=at(pid), ppid=9, session=session, depth=depth, image=None)


def asking(*argv: str, pid: int = 12) -> tuple[Exec, Member]:
    """Return a client's start."""
    return exec_(pid, *argv, root=9, parent=at(9)), member(pid)


@pytest.mark.parametrize(
    ("exe", "name"),
    [
        ("/usr/sbin/atd", "at"),
        ("/usr/bin/tmux", "tmux"),
        ("/usr/bin/containerd-shim-runc-v2", "container"),
        ("/usr/lib/systemd/systemd", "systemd"),
        ("/usr/sbin/cron", None),
        ("/usr/bin/bash", None),
    ],
)
def test_a_broker_is_known_by_its_file(exe: str, name: str | None) -> None:
    """Its command name is its own word."""
    found = broker_of(exe)
    assert (found.name if found else None) == name


def test_command_names_are_such_as_the_kernel_has() -> None:
    """What is longer than that would never be met."""
    assert {"atd", "tmux: server", "containerd-shim", "systemd"} <= COMMS
    assert all(len(comm) <= COMM_BYTES for comm in COMMS)


@pytest.mark.parametrize(
    ("kind", "after_ns", "fits"),
    [
        ("tmux", 0, True),
        ("tmux", 10 * SECOND, True),
        ("tmux", 10 * SECOND + 1, False),
        ("tmux", -1, False),
        ("container", 600 * SECOND, True),
    ],
)
def test_what_begins_is_a_client_s_doing_for_a_while(
    kind: str, after_ns: int, *, fits: bool
) -> None:
    """A container may have to be fetched first; nothing begins before it was asked for."""
    known, (fact, one) = Clients(), asking("/usr/bin/tmux" if kind == "tmux" else "/usr/bin/docker")
    known.note(fact, one)
    assert bool(known.of(KINDS[kind], 1000, fact.at_ns + after_ns)) is fits


@pytest.mark.parametrize(
    ("kind", "after_ns", "fits"),
    [
        ("tmux", 0, True),
        ("tmux", 1, False),
        ("at", SECOND, True),
        ("at", SECOND + 1, False),
        ("systemd", SECOND, True),
        ("systemd", SECOND + 1, False),
    ],
)
@pytest.mark.parametrize("becomes", [False, True])
def test_a_client_that_has_ended_fits_no_more_or_for_a_moment(
    kind: str, after_ns: int, *, fits: bool, becomes: bool
) -> None:
    """A server has forked by then, but for those whose clients need not wait."""
    [program] = KINDS[kind].clients - {"batch"}
    known, (fact, one) = Clients(), asking(f"/usr/bin/{program}", "now")
    known.note(fact, one)
    end_ns = fact.at_ns + SECOND
    if becomes:
        known.note(replace(fact, exe="/usr/bin/cat", at_ns=end_ns), one)
    else:
        known.end(at(12), end_ns)
    known.end(at(12), end_ns + SECOND)
    known.end(at(13), end_ns)
    assert bool(known.of(KINDS[kind], 1000, end_ns + after_ns)) is fits


@pytest.mark.parametrize(
    ("kind", "uid", "alive"), [("at", 1000, 1), ("tmux", 0, 1), ("tmux", 1000, 0)]
)
def test_a_client_of_another_kind_or_user_or_of_a_session_that_is_over_does_not_fit(
    kind: str, uid: int, alive: int
) -> None:
    """Nobody is put into a session by somebody else's doing."""
    known, (fact, one) = Clients(), asking("/usr/bin/tmux")
    one.session.alive = alive
    known.note(fact, one)
    assert known.of(KINDS[kind], uid, fact.at_ns) == []


@pytest.mark.parametrize(
    "fact",
    [exec_(12, "/usr/bin/vim", root=9), exec_(12, "/usr/bin/tmux", root=9, late=True)],
)
def test_what_asks_nobody_or_began_at_a_time_unknown_is_no_client(fact: Exec) -> None:
    """Of what was found in /proc it is not known when it began."""
    known = Clients()
    known.note(fact, member(12))
    assert not any(known.of(kind, 1000, fact.at_ns) for kind in BROKERS)


def test_the_oldest_clients_make_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood of them stays within bounds."""
    monkeypatch.setattr(brokers, "CLIENTS", 2)
    known = Clients()
    for pid in (10, 11, 12):
        known.note(*asking("/usr/bin/tmux", pid=pid))
    found = known.of(KINDS["tmux"], 1000, at(13).started_ns)
    assert [one.pid for one in found] == [11, 12]
    assert [one.depth for one in found] == [1, 1]


def client(*argv: str) -> Client:
    """Return a client of systemd."""
    known, (fact, one) = Clients(), asking("/usr/bin/systemd-run", *argv)
    known.note(fact, one)
    return known.of(KINDS["systemd"], 1000, fact.at_ns)[0]


@pytest.mark.parametrize(
    ("argv", "cgroup", "unit"),
    [
        ([], "/system.slice/run-u12.service", "run-u12.service"),
        (["--user"], "/user.slice/app.slice/run-r0ff.scope", "run-r0ff.scope"),
        ([], "/system.slice/run-u12.service/payload", "run-u12.service"),
        ([], "/system.slice/run-p12-i77.service", "run-p12-i77.service"),
        ([], "/system.slice/run-p13-i77.service", None),
        (["--unit=run-p13-i77"], "/system.slice/run-p13-i77.service", "run-p13-i77.service"),
        ([], "/system.slice/nginx.service", None),
        ([], "/system.slice/run-u12", None),
        ([], "/", None),
        ([], None, None),
        (["--unit=mine"], "/system.slice/mine.service", "mine.service"),
        (["--unit=mine.service"], "/system.slice/mine.service", "mine.service"),
        (["-u", "mine", "make"], "/system.slice/mine.service", "mine.service"),
        (["--unit", "mine"], "/system.slice/yours.service", None),
        (["--unit"], "/system.slice/yours.service", None),
    ],
)
def test_a_unit_is_known_by_the_name_that_it_was_given(
    argv: list[str], cgroup: str | None, unit: str | None
) -> None:
    """Services that systemd starts by itself have names of their own."""
    assert unit_of(cgroup, client(*argv)) == unit
