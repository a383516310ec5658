# SPDX-License-Identifier: Apache-2.0
"""A session's events become a tree: each process below the one that started it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from support.recorded import COMPILERS, recorded
from support.story import (
    CATALOGUE,
    CLAUDE,
    CODEX,
    SECOND,
    StoryHost,
    at,
    close,
    connect,
    events,
    exec_,
    exit_,
    fork,
    resolved,
)

from sensor.core.engine import Engine
from sensor.core.event import Enforcement, Event, Kind, Verdict
from sensor.core.facts import Process
from sensor.core.sessiontree import Branch, Trees, as_dict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.facts import Fact

TOLD = recorded()


def grown(told: Iterable[Event]) -> list[Branch]:
    """Grow trees of events."""
    trees = Trees()
    for event in told:
        trees.take(event)
    return trees.roots()


def told(*facts: Fact) -> list[Event]:
    """Return what a fresh engine tells of facts."""
    return events(Engine(CATALOGUE, StoryHost()), *facts)


def shape(branch: Branch) -> object:
    """Show a tree as nested pids."""
    pid = branch.process.pid
    return {pid: [shape(child) for child in branch.children]} if branch.children else pid


def test_every_process_stands_below_the_one_that_started_it() -> None:
    """Also a tool that a tool started, and what only its children tell of."""
    assert [shape(root) for root in grown(TOLD)] == [
        {10: [{12: [*COMPILERS, 40]}, {31: [32]}]}, 60,
    ]  # fmt: skip


def test_a_tree_can_be_grown_further() -> None:
    """What was asked for once is asked for again, with more in it."""
    trees = Trees()
    for event in TOLD[:20]:
        trees.take(event)
    trees.roots()
    for event in TOLD[20:]:
        trees.take(event)
    trees.roots()
    assert [shape(one) for one in trees.roots()] == [shape(one) for one in grown(TOLD)]


def test_connections_are_summed_by_destination() -> None:
    """One line for all to one place, with how they ended."""
    [root] = grown(
        told(
            exec_(10, *CLAUDE),
            resolved(10, "api.anthropic.com", "198.51.100.7"),
            connect(10, "198.51.100.7", cookie=1),
            connect(10, "198.51.100.7", cookie=2),
            close(10, "198.51.100.7", cookie=1),
            connect(10, "198.51.100.9", cookie=3),
        )
    )
    first, second = root.links.values()
    assert (first.connections, first.closed, first.sent_bytes) == (2, 1, 12595)
    assert first.outcomes == {"closed": 1}
    assert (second.connections, second.closed) == (1, 0)
    assert list(root.asked) == ["api.anthropic.com"]


def test_a_close_without_a_beginning_is_a_connection() -> None:
    """It was open before anybody looked."""
    [root] = grown(told(exec_(10, *CLAUDE), close(10, "198.51.100.7")))
    [link] = root.links.values()
    assert (link.connections, link.closed) == (1, 1)


def test_a_process_that_runs_one_image_after_another_is_one() -> None:
    """A tool that turns into another begins a session within its own."""
    [root] = grown(told(exec_(10, *CLAUDE), exec_(10, *CODEX, root=10, after_ns=2000)))
    assert [view.exe for view in root.views] == ["/opt/bin/claude", "/opt/bin/codex"]
    assert len(root.starts) == 2


def test_an_orphan_stands_below_the_tool() -> None:
    """Whoever took it in is older than the tool, and no part of it."""
    orphan = exec_(11, "/bin/x", parent=at(2), root=10)
    [root] = grown(told(exec_(10, *CLAUDE), fork(10, 11), orphan))
    assert shape(root) == {10: [11]}


def test_a_child_of_which_no_exec_was_told_is_found_by_its_parents_pid() -> None:
    """It forked, and connected; of its parent's like-numbered ones, the youngest before it is."""
    [root] = grown(told(exec_(10, *CLAUDE), fork(10, 11), connect(11, "192.0.2.1", root=10)))
    assert shape(root) == {10: [11]}
    assert root.children[0].views == []
    assert root.children[0].seen


def test_a_session_whose_start_is_not_stored_is_still_a_tree() -> None:
    """What can be placed is placed, and nothing is left out."""
    cut = [event for event in TOLD if event.kind is not Kind.SESSION_START]
    pids = {branch.process.pid for root in grown(cut) for _, branch in root.walk()}
    assert pids == {10, 12, *COMPILERS, 32, 40, 60}


def test_a_process_that_started_itself_is_no_circle() -> None:
    """As a damaged record may claim."""
    [start, run, *_] = TOLD
    assert run.process
    own = replace(run, parent=Process(run.process.pid, run.process.started_ns))
    assert [shape(root) for root in grown([start, own])] == [10]


def test_an_event_of_no_process_changes_nothing() -> None:
    """A loss belongs to nobody."""
    assert grown([event for event in TOLD if event.kind in {Kind.LOSS, Kind.GAP}]) == []


def test_a_name_that_is_unknown_is_asked_for_as_a_dash() -> None:
    """A damaged answer may have none."""
    [asked] = [event for event in TOLD if event.kind is Kind.RESOLVE][:1]
    assert asked.destination
    nameless = replace(asked, destination=replace(asked.destination, name=None))
    [root] = grown([nameless])
    assert list(root.asked) == ["-"]


def test_a_close_without_traffic_counts_nothing() -> None:
    """A damaged one may lack it."""
    closing = next(event for event in TOLD if event.kind is Kind.CLOSE)
    [root] = grown([replace(closing, traffic=None)])
    assert [link.closed for link in root.links.values()] == [0]


def test_a_session_start_without_an_id_starts_none() -> None:
    """As a damaged record may be."""
    [root] = grown([replace(TOLD[0], session=None)])
    assert root.starts == []


def test_plain_values_have_the_whole_tree() -> None:
    """The names are those of the stream."""
    [root, _] = grown(TOLD)
    plain = as_dict(root)
    assert plain["pid"] == 10
    assert plain["starts"] == ["awyyzsd3"]
    assert plain["status"] == 0
    assert plain["duration_ns"] == 38 * SECOND
    children = plain["children"]
    assert isinstance(children, list)
    assert [child["pid"] for child in children] == [12, 31]
    [link] = plain["links"] if isinstance(plain["links"], list) else []
    assert link["name"] == "api.anthropic.com"
    assert link["outcomes"] == {"closed": 1}
    assert plain["images"] == [
        {
            "exe": "/opt/bin/claude",
            "script": None,
            "argv": list(CLAUDE),
            "cwd": "/home/alice/src",
            "user": "alice",
            "uid": 1000,
        }
    ]


def test_a_chain_of_any_length_is_no_recursion() -> None:
    """An agent may start itself ten thousand times over."""
    facts: list[Fact] = [exec_(10, *CLAUDE)]
    for pid in range(11, 5_000):
        facts += [fork(pid - 1, pid, root=10), exec_(pid, "/bin/sh", parent=at(pid - 1), root=10)]
    [root] = grown(told(*facts))
    assert sum(1 for _ in root.walk()) == 4_990
    assert as_dict(root)


@given(st.permutations(range(len(TOLD))))
def test_no_order_of_events_makes_a_circle_or_loses_a_process(order: list[int]) -> None:
    """Each process is in one tree, once."""
    pids = [
        branch.process.pid
        for root in grown(TOLD[place] for place in order)
        for _, branch in root.walk()
    ]
    assert sorted(pids) == [10, 12, *COMPILERS, 31, 32, 40, 60]


def test_a_session_that_starts_within_one_that_is_not_stored_stands_alone() -> None:
    """Its parent is known by name only."""
    inner = [event for event in TOLD if event.session == "n6tnxsub"]
    assert [shape(root) for root in grown(inner)] == [40]


def test_a_session_within_another_stands_below_it_even_where_its_parent_is_unknown() -> None:
    """The exec of make was lost: codex stands below claude."""
    assert all(root.within is None for root in grown(TOLD))
    known = [e for e in TOLD if e.session == "n6tnxsub" or e.kind is Kind.SESSION_START]
    roots = grown(known)
    assert shape(roots[0]) == {10: [40]}


def test_a_destination_may_have_no_address() -> None:
    """It is null then, and text else."""
    [root] = grown(told(exec_(10, *CLAUDE), connect(10, "192.0.2.1")))
    [link] = root.links.values()
    assert replace(link, to=replace(link.to, ip=None)).as_dict()["ip"] is None
    assert link.as_dict()["ip"] == "192.0.2.1"


def test_a_branch_knows_how_its_process_ended() -> None:
    """With the status as wait(2) has it, and how long it lived."""
    [root] = grown(told(exec_(10, *CLAUDE), exit_(10, status=256)))
    assert (root.status, root.duration_ns) == (256, 3 * SECOND)


def test_what_was_refused_is_no_part_of_the_tree() -> None:
    """It neither ran nor was reached."""
    blocked = {"verdict": Verdict.BLOCK, "rule": "no"}
    first, second, *_ = told(exec_(10, *CLAUDE), connect(10, "198.51.100.7"))
    ran, reached = (
        replace(one, enforcement=how, **blocked)  # type: ignore[arg-type]
        for one, how in (
            (second, Enforcement.LSM),
            (told(exec_(10, *CLAUDE), connect(10, "198.51.100.7"))[2], Enforcement.CGROUP),
        )
    )
    [root] = grown([first, ran, reached])
    assert (root.views, root.links) == ([], {})
