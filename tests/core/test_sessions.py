# SPDX-License-Identifier: Apache-2.0
"""A session lasts from its tool's start to its last descendant's end, around those within it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from support.story import CATALOGUE, at

from sensor.core.event import ProcessView
from sensor.core.facts import Process
from sensor.core.identity import Identity
from sensor.core.judgment import Judgment
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import CHAIN, NESTING, Session, Sessions, chained, session_id
from sensor.core.words import Verdict

CLAUDE, CODEX, AIDER, _ = CATALOGUE.tools
VIEW = ProcessView(pid=9, started_ns=9)


def session(pid: int, tool_at: int = 0, parent: Session | None = None) -> Session:
    """Return a session that a process is about to begin."""
    tool = CATALOGUE.tools[tool_at]
    return Session(
        id=session_id("boot", at(pid), tool),
        tool=tool,
        identity=Identity(),
        root=at(pid),
        started_ns=9,
        names=Names(Endpoints(CATALOGUE)),
        parent=parent,
    )


def begun(sessions: Sessions, one: Session) -> Session:
    """Start a session and have its root join it."""
    sessions.start(one, VIEW)
    one.join(one.root)
    return one


def test_an_id_is_short_and_stable() -> None:
    """A restarted sensor finds the same process and gives it the same name."""
    assert session_id("boot", at(9), CLAUDE) == "pvo2exix"


@given(st.integers(0), st.integers(0))
def test_an_id_is_eight_letters_or_digits(pid: int, started_ns: int) -> None:
    """It fits its column and needs no quoting."""
    text = session_id("boot", Process(pid, started_ns), CLAUDE)
    assert len(text) == 8
    assert text.isalnum()
    assert text == text.lower()


def test_boot_process_and_tool_make_the_id() -> None:
    """One process that becomes two tools begins two sessions."""
    ids = {
        session_id("boot", at(9), CLAUDE),
        session_id("later", at(9), CLAUDE),
        session_id("boot", at(10), CLAUDE),
        session_id("boot", at(9), CODEX),
    }
    assert len(ids) == 4


def test_a_session_ends_with_its_last_process() -> None:
    """Whichever that is; the root may be long gone."""
    sessions = Sessions()
    one = begun(sessions, session(9))
    assert one.view is VIEW
    one.join(at(10))
    assert sessions.of_root(at(9)) is one
    assert list(sessions.leave(one)) == []
    assert list(sessions.leave(one)) == [one]
    assert sessions.of_root(at(9)) is None
    assert len(sessions) == 0


def test_an_outer_session_lasts_as_long_as_one_within_it() -> None:
    """They end from the inside out."""
    sessions = Sessions()
    outer = begun(sessions, session(9))
    inner = begun(sessions, session(10, 1, outer))
    assert list(sessions.leave(outer)) == []
    assert list(sessions.leave(inner)) == [inner, outer]


def test_a_process_can_begin_two_sessions() -> None:
    """The inner one is the process's until it ends, then the outer one is again."""
    sessions = Sessions()
    outer = begun(sessions, session(9))
    outer.join(at(10))
    inner = begun(sessions, session(9, 1, outer))
    list(sessions.leave(outer))
    assert sessions.of_root(at(9)) is inner
    assert list(sessions.leave(inner)) == [inner]
    assert sessions.of_root(at(9)) is outer


def test_a_session_that_begins_anew_is_not_lost_with_the_old_one() -> None:
    """The old one of the same process had no part in the new one, and ends without it."""
    sessions = Sessions()
    old = begun(sessions, session(9))
    new = begun(sessions, session(9, 1))
    assert list(sessions.leave(old)) == [old]
    assert sessions.of_root(at(9)) is new


def test_a_tool_goes_on_in_its_session() -> None:
    """Any process of it may run it again; an outer session takes back only its own root."""
    outer = session(9)
    inner = session(10, 1, outer)
    assert inner.resumed(CODEX, at(11)) is inner
    assert inner.resumed(CLAUDE, at(9)) is outer
    assert inner.resumed(CLAUDE, at(11)) is None
    assert inner.resumed(AIDER, at(10)) is None


def test_a_root_that_comes_back_is_counted_once() -> None:
    """Processes are counted by who they are, not by how often they join."""
    one = session(9)
    assert one.is_new
    for process in (at(9), at(10), at(9)):
        one.join(process)
    assert not one.is_new
    assert (one.alive, one.processes) == (3, 2)


def test_nesting_has_an_end() -> None:
    """A chain of tools that start each other does not grow for ever."""
    one = session(1)
    for pid in range(2, NESTING + 1):
        assert one.may_nest()
        one = session(pid, pid % 2, one)
    assert not one.may_nest()


def test_a_chain_has_the_innermost_tool_last() -> None:
    """Where there is no room, the one before makes it."""
    assert chained((), (3,)) == (3,)
    assert chained((1, 2), (3,)) == (1, 2, 3)
    assert chained((1, 2, 4, 5), (3,)) == (1, 2, 4, 3)
    assert len(chained(tuple(range(9)), (3,))) == CHAIN


def test_a_session_that_is_taken_up_is_within_another_one_s_chain() -> None:
    """The kernel asks all tools around it."""
    sessions = Sessions()
    outer, inner = session(9), session(10, 1)
    outer.chain, inner.chain = (1,), (2,)
    sessions.resume(outer, within=None)
    sessions.resume(inner, within=outer.id)
    assert [outer.chain, inner.chain] == [(1,), (1, 2)]


def test_what_is_within_a_session_that_is_ended_is_ended_too() -> None:
    """What is around it is not."""
    outer = session(9)
    inner = session(10, 1, parent=outer)
    inner.doom = Judgment(verdict=Verdict.BLOCK, rule="inner")
    assert (outer.doomed(), inner.doomed()) == (None, inner.doom)
    outer.doom = Judgment(verdict=Verdict.BLOCK, rule="outer")
    inner.doom = None
    assert inner.doomed() is outer.doom


def test_sessions_run_while_somebody_is_in_them_or_within() -> None:
    """Also one whose root's place another one has taken."""
    sessions = Sessions()
    outer = begun(sessions, session(9))
    inner = begun(sessions, session(9, 1, parent=outer))
    beside = session(11)
    sessions.start(beside, VIEW)
    assert set(sessions.running()) == {outer, inner}
