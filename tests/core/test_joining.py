# SPDX-License-Identifier: Apache-2.0
"""What a broker starts joins the session that it belongs to, of one user, or none at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.joins import (
    ASKED,
    ATD,
    JOINED,
    PANE,
    RELEASED,
    SYSTEMD,
    TMUX,
    ask,
    begin,
    engine,
    pane,
    seen,
)
from support.story import (
    CLAUDE,
    CODEX,
    SECOND,
    at,
    connect,
    enforced,
    events,
    exec_,
    exit_,
    fork,
    play,
)

from sensor.core.actions import Follow
from sensor.core.event import Evidence
from sensor.core.facts import Transport
from sensor.core.joining import word

if TYPE_CHECKING:
    from sensor.core.facts import Exec, Seen

NEW_WINDOW = ("/usr/bin/tmux", "new-window", "make")


def test_what_a_client_asked_for_joins_its_session() -> None:
    """With its children; the kernel follows both, and judges them as the session's."""
    one = engine(9)
    ask(one, 9, 18, *NEW_WINDOW)
    play(
        one,
        pane(),
        ["look 20"],
        fork(PANE, 21, tools=()),
        [],
        seen(TMUX),
        ["follow 20 of 9", "exec claude-code 2", "follow 21 of 9"],
        exec_(21, "/usr/bin/make", root=9, parent=at(PANE), tools=(1,)),
        ["exec claude-code 3"],
        exit_(21, root=9),
        ["exit claude-code 3"],
        exit_(PANE),
        ["exit claude-code 2"],
    )


def test_it_is_told_with_what_put_it_there() -> None:
    """All that it does; what it starts is its own child."""
    one = engine(9)
    ask(one, 9, 18, *NEW_WINDOW)
    told = events(
        one, pane(), fork(PANE, 21, tools=()), seen(TMUX),
        exec_(PANE, "/usr/bin/make", root=9, tools=(1,)), connect(PANE, "192.0.2.1", root=9),
        exec_(21, "/usr/bin/cc", root=9, parent=at(PANE), tools=(1,)), exit_(PANE),
    )  # fmt: skip
    assert [(event.kind.value, event.lineage) for event in told] == [
        ("exec", "client"), ("exec", "client"), ("connect", "client"), ("exec", None),
        ("exit", "client"),
    ]  # fmt: skip
    first = told[0]
    assert first.evidence == (Evidence("client", "tmux 18"),)
    assert (first.confidence, first.looked, first.parent) == (None, True, at(5))
    assert "lineage by client" in first.line


@pytest.mark.parametrize("by", [Transport.TCP, Transport.OTHER])
def test_a_connection_of_the_time_before_is_judged_as_the_session_s(by: Transport) -> None:
    """The kernel did not know yet whose it was; it is closed, but for a ping: nobody can."""
    one = engine()
    rule = '[[rule]]\nid = "no"\ntools = ["claude-code"]\nendpoints = ["anthropic"]\n'
    list(one.policy(enforced(f'mode = "enforce"\n{rule}verdict = "block"\n'), at_ns=1))
    begin(one, 9, CLAUDE)
    ask(one, 9, 18, *NEW_WINDOW)
    told = ["connect claude-code 2 block no"]
    if by is Transport.TCP:
        said = "connect claude-code 2 block destroy no"
        told = [said, "notify 20 pts/3", "destroy 1 198.51.100.9:443"]
    play(
        one,
        pane(),
        ["look 20"],
        connect(PANE, "198.51.100.9", transport=by),
        [],
        seen(TMUX),
        ["follow 20 of 9", "exec claude-code 2", *told],
    )


def test_a_marker_of_a_tool_that_runs_is_enough() -> None:
    """How deep it is in the session is not known."""
    one = engine(9)
    list(one.see(pane()))
    follow, told = one.see(seen(ATD, "CLAUDECODE"))
    assert isinstance(follow, Follow)
    assert (follow.process, follow.root, follow.tools) == (at(PANE), at(9), (1,))
    [event] = [told.event]  # type: ignore[union-attr]
    assert (event.lineage, event.depth) == ("marker", None)
    assert event.evidence == (Evidence("marker", "claude-code CLAUDECODE"),)


@pytest.mark.parametrize(
    ("fact", "look", "done"),
    [
        (pane(), seen(ATD), RELEASED),
        (pane(), seen(ATD, "CODEX_CI"), RELEASED),
        (pane(), seen(ATD, "HOME"), RELEASED),
        (pane(uid=1001), seen(ATD, "CLAUDECODE"), RELEASED),
        (pane(), seen(exec_(5, "/bin/sh"), "CLAUDECODE"), RELEASED),
        (pane(), replace(seen(ATD), ancestors=(), no_look=True), RELEASED),
        (pane(), seen(ATD, "CLAUDECODE", "CODEX_CI"), JOINED),
        (pane(uid=1001), seen(TMUX), RELEASED),
        (pane(), seen(SYSTEMD), RELEASED),
        (pane(), seen(TMUX), ASKED),
        (pane(), seen(TMUX, "CLAUDECODE"), ASKED),
        (pane(), seen(TMUX, "CODEX_CI"), ASKED),
    ],
)
def test_somebody_joins_who_fits(fact: Exec, look: Seen, done: list[str]) -> None:
    """Of the same user, started by a broker, with a marker or a client of that broker's kind."""
    one = engine(9)
    ask(one, 9, 18, *NEW_WINDOW)
    play(one, fact, ["look 20"], look, done)


@pytest.mark.parametrize(
    ("cgroup_id", "done"), [(7, RELEASED), (8, ASKED)]
)  # fmt: skip
def test_systemd_s_own_services_are_nobody_s(cgroup_id: int, done: list[str]) -> None:
    """While somebody runs systemd-run, too."""
    one = engine(9)
    ask(one, 9, 18, "/usr/bin/systemd-run", "make")
    play(one, pane(cgroup_id=cgroup_id), ["look 20"], seen(SYSTEMD), done)


def test_the_unit_is_told_beside_the_client() -> None:
    """The cgroup is what says so."""
    one = engine(9)
    ask(one, 9, 18, "/usr/bin/systemd-run", "make")
    [event] = events(one, pane(cgroup_id=8), seen(SYSTEMD))
    assert event.lineage == "cgroup"
    assert event.evidence == (
        Evidence("client", "systemd 18"), Evidence("cgroup", "run-u3.service"),
    )  # fmt: skip


def test_of_several_sessions_none_is_chosen() -> None:
    """It is told that there are several, and nobody is followed."""
    one = engine(9, 10)
    play(
        one, pane(), ["look 20"], seen(ATD, "CLAUDECODE"), ["exec None None", "release 20"]
    )  # fmt: skip
    one = engine(9, 10)
    [event] = events(one, pane(), seen(ATD, "CLAUDECODE"))
    assert (event.session, event.tool, event.lineage) == (None, None, "ambiguous")
    assert [found.signal for found in event.evidence] == ["marker", "either", "either"]
    assert "lineage ambiguous" in event.line


def test_a_client_says_which_of_several_sessions_it_is() -> None:
    """And clients in several say nothing."""
    one = engine(9, 10)
    ask(one, 10, 18, *NEW_WINDOW)
    play(
        one, pane(), ["look 20"], seen(TMUX, "CLAUDECODE"),
        ["follow 20 of 10", "exec claude-code 2"],
    )  # fmt: skip
    one = engine(9, 10)
    for root, pid in ((9, 17), (10, 18)):
        ask(one, root, pid, *NEW_WINDOW)
    play(one, pane(), ["look 20"], seen(TMUX), ["exec None None", "release 20"])


def test_a_session_within_another_of_the_tool_s_is_passed_over() -> None:
    """In the outer one it is in either case."""
    one = engine(9)
    begin(one, 10, CODEX)
    list(one.see(fork(10, 11)))
    list(one.see(exec_(11, *CLAUDE, root=10, parent=at(10))))  # claude within codex
    list(one.see(fork(11, 12, root=10)))
    list(one.see(exec_(12, *CODEX, root=10, parent=at(11))))  # codex within that
    play(
        one, pane(), ["look 20"], seen(ATD, "CODEX_CI"), ["follow 20 of 10", "exec codex None"]
    )  # fmt: skip


def test_marks_of_two_tools_lead_to_the_inner_session() -> None:
    """What it starts has the outer tool's variables too."""
    one = engine(9)
    list(one.see(fork(9, 11)))
    list(one.see(exec_(11, *CODEX, root=9, parent=at(9))))
    play(
        one, pane(), ["look 20"], seen(ATD, "CLAUDECODE", "CODEX_CI"),
        ["follow 20 of 11", "exec codex None"],
    )  # fmt: skip
    beside = engine(9)
    begin(beside, 10, CODEX)
    play(
        beside, pane(), ["look 20"], seen(ATD, "CLAUDECODE", "CODEX_CI"),
        ["exec None None", "release 20"],
    )  # fmt: skip


def test_a_tool_that_a_broker_starts_runs_within_the_session() -> None:
    """Its own session begins there; where several fit, beside them."""
    one = engine(9)
    list(one.see(pane(*CODEX)))
    start, run = events(one, seen(ATD, "CLAUDECODE"))
    assert (start.tool, run.lineage, start.lineage) == ("codex", "marker", "marker")
    assert start.parent_session is not None
    one = engine(9, 10)
    list(one.see(pane(*CODEX)))
    start, _ = events(one, seen(ATD, "CLAUDECODE"))
    assert (start.lineage, start.parent_session) == ("ambiguous", None)


def test_a_session_that_is_over_takes_nobody_in() -> None:
    """Neither by its marks nor by a client that asked before."""
    one = engine(9)
    ask(one, 9, 18, *NEW_WINDOW)
    list(one.see(exit_(18, root=9, after_s=1)))
    list(one.see(replace(exit_(9), at_ns=19 * SECOND)))
    play(one, pane(), ["look 20"], seen(TMUX, "CLAUDECODE"), RELEASED)


def test_the_words_of_the_stream() -> None:
    """The strongest reason stands for all; several sessions are none."""
    said = [Evidence(signal, "x") for signal in ("client", "cgroup", "marker", "either")]
    assert [word(said[: count + 1]) for count in range(4)] == [
        "client", "cgroup", "marker", "ambiguous",
    ]  # fmt: skip
    assert word(()) is None
