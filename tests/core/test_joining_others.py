# SPDX-License-Identifier: Apache-2.0
"""What may be somebody else's joins no session, whatever a session's processes are called."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.joins import (
    ASKED,
    ATD,
    CONMON,
    JOINED,
    PANE,
    RELEASED,
    SHIM,
    SYSTEMD,
    TMUX,
    TOLD,
    ask,
    begin,
    engine,
    pane,
    seen,
)
from support.story import CLAUDE, CODEX, at, connect, enforced, events, exec_, play

from sensor.core.event import Evidence
from sensor.core.facts import Exec, Seen


def roots(broker: Exec) -> Exec:
    """Say that a broker runs as root."""
    return replace(broker, uid=0)


@pytest.mark.parametrize(
    ("asks", "look", "cgroup_id", "done"),
    [
        # A container's client says nothing by itself: other jobs' begin all the time.
        ("docker", seen(SHIM), 7, TOLD),
        ("podman", seen(CONMON), 7, TOLD),
        ("docker", seen(roots(SHIM)), 7, TOLD),
        ("docker", seen(SHIM, "CODEX_CI"), 7, TOLD),
        ("docker", seen(SHIM, "CLAUDECODE"), 7, ASKED),
        ("make", seen(SHIM, "CLAUDECODE"), 7, JOINED),
        ("make", seen(SHIM), 7, RELEASED),
        # As which user root's own runs something says nothing of who asked.
        ("docker", seen(roots(SHIM), "CLAUDECODE"), 7, TOLD),
        ("make", seen(roots(SHIM), "CLAUDECODE"), 7, TOLD),
        ("systemd-run", seen(roots(SYSTEMD)), 8, TOLD),
        ("systemd-run", seen(roots(SYSTEMD), "CLAUDECODE"), 8, TOLD),
        ("tmux", seen(roots(TMUX)), 7, TOLD),
        # But atd's jobs are whose it runs them as.
        ("at", seen(roots(ATD)), 7, ASKED),
        ("at", seen(roots(ATD), "CLAUDECODE"), 7, ASKED),
    ],
)
def test_what_may_be_somebody_else_s_is_told_and_joins_nobody(
    asks: str, look: Seen, cgroup_id: int, done: list[str]
) -> None:
    """Whatever asks, under a name that anybody can give a program."""
    one = engine(9)
    ask(one, 9, 18, f"/usr/bin/{asks}", "run", "job")
    play(one, pane(cgroup_id=cgroup_id), ["look 20"], look, done)


def test_a_container_of_another_user_s_is_not_told_either() -> None:
    """Whatever the session's user runs."""
    one = engine(9)
    ask(one, 9, 18, "/usr/bin/docker", "run", "job")
    play(one, pane(uid=1001), ["look 20"], seen(SHIM), RELEASED)


def test_who_may_have_asked_for_a_container_is_evidence() -> None:
    """One session, and it is not said to be the one."""
    one = engine()
    started = events(one, exec_(9, *CLAUDE), Seen(at_ns=at(9).started_ns + 2000, process=at(9)))
    ask(one, 9, 18, "/usr/bin/docker", "run", "job")
    [event] = events(one, pane(), seen(SHIM))
    session = started[0].session or ""
    assert (event.session, event.tool, event.lineage) == (None, None, "ambiguous")
    assert event.evidence == (Evidence("client", "container 18"), Evidence("either", session))


def test_a_container_is_not_refused_what_a_session_with_a_client_is() -> None:
    """A tool in it begins a session of its own, and is not ended with another."""
    one = engine()
    rule = '[[rule]]\nid = "no"\ntools = ["claude-code"]\nendpoints = ["anthropic"]\n'
    list(one.policy(enforced(f'mode = "enforce"\n{rule}verdict = "block"\n'), at_ns=1))
    begin(one, 9, CLAUDE)
    ask(one, 9, 18, "/usr/bin/docker", "run", "job")
    play(one, pane(), ["look 20"], connect(PANE, "198.51.100.9"), [], seen(SHIM), TOLD)
    list(one.see(pane(*CODEX)))
    start, _ = events(one, seen(SHIM))
    assert (start.tool, start.lineage, start.parent_session) == ("codex", "ambiguous", None)
