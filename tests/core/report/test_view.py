# SPDX-License-Identifier: Apache-2.0
"""What a page is given is text and numbers; what does not print is an escape by then."""

from __future__ import annotations

import json
from dataclasses import asdict, is_dataclass, replace
from typing import cast

from support.case_events import FOUND, refusals
from support.recorded import recorded

from sensor.core.event import Verdict
from sensor.core.report import case as module
from sensor.core.report.case import Case
from sensor.core.report.view import amounts, finding, text, view
from sensor.core.sessionbook import Book, Now, Run


def morning() -> tuple[Case, list[Run]]:
    """Sum a morning up."""
    case, book = Case(), Book()
    for event in (*recorded(), FOUND):
        case.take(event)
        book.take(event)
    return case, list(book.runs.values())


def rows(told: dict[str, object], name: str) -> list[dict[str, object]]:
    """Return one list of a view."""
    return cast("list[dict[str, object]]", told[name])


def plain(value: object) -> str:
    """Write all that a template can reach."""
    return json.dumps(value, default=_plain)


def _plain(one: object) -> object:
    return asdict(one) if is_dataclass(one) and not isinstance(one, type) else str(one)


def test_a_view_has_all_parts() -> None:
    """Only sessions whose tree was looked up have one."""
    case, runs = morning()
    told = view(case, runs, {runs[0].id: ["a", "b"]}, now=Now(None, 0), now_ns=0)
    assert [one["id"] for one in rows(told, "trees")] == [runs[0].id]
    assert len(rows(told, "sessions")) == 3
    figures = {one["name"]: one["value"] for one in rows(told, "figures")}
    assert (figures["sessions"], figures["user"], figures["connections"]) == ("3", "1", "4")
    assert figures["audit finding"] == "1"
    assert figures["attempts blocked"] == "0"
    assert told["timeline"]
    assert told["left_out"] == []


def test_nothing_hostile_is_in_it() -> None:
    """No escape sequence, no character that turns the direction of writing."""
    case, runs = morning()
    told = plain(view(case, runs, {}, now=Now("b", 0), now_ns=10**19))
    assert "\\u001b" not in told
    assert "\\u202e" not in told.replace("\\\\u202e", "")
    assert text("a\x1b[31m\u202eb") == "a\\x1b[31m\\u202eb"
    assert text(None) == "-"
    assert text("x" * 1000) == "x" * 400 + " […]"


def test_an_empty_case_is_a_page_too() -> None:
    """Without a drawing."""
    told = view(Case(), [], {}, now=Now(None, 0), now_ns=0)
    assert told["timeline"] is None
    assert told["sessions"] == told["peers"] == told["found"] == []


def test_what_is_left_out_is_said() -> None:
    """Sessions too."""
    case, runs = morning()
    case.left_out["connections"] = 1234
    told = view(case, runs * 200, {}, now=Now(None, 0), now_ns=0)
    assert told["left_out"] == ["1,234 connections", f"{600 - module.MOST_RUNS} sessions"]
    assert len(rows(told, "sessions")) == module.MOST_RUNS


def test_a_session_may_lack_almost_everything() -> None:
    """Its start, its process, its user's name."""
    case, runs = morning()
    for run in runs:
        run.started_at = run.process = None
        run.sums = (None, None)
    told = view(case, runs, {}, now=Now(None, 0), now_ns=0)
    first = rows(told, "sessions")[0]
    assert (first["user"], first["command"], first["processes"], first["hosts"]) == ("-",) * 4


def test_a_blocked_attempt_is_told() -> None:
    """With the line that the stream has for it."""
    case, _ = morning()
    case.attempts.append(replace(recorded()[1], verdict=Verdict.ALERT))
    case.attempts.append(replace(recorded()[1], verdict=None, tool=None))
    told = view(case, [], {}, now=Now(None, 0), now_ns=0)
    assert [one["verdict"] for one in rows(told, "attempts")] == ["alert", "-"]


def test_what_policy_refused_is_told_with_how_and_why() -> None:
    """What it would have refused too, and what ran all the same."""
    case, book = Case(), Book()
    for event in refusals():
        case.take(event)
        book.take(event)
    told = view(case, list(book.runs.values()), {}, now=Now(None, 0), now_ns=0)
    names = ("tool", "verdict", "how", "rule", "reason")
    assert [tuple(one[name] for name in names) for one in rows(told, "attempts")] == [
        ("codex", "block", "lsm", "no-codex", "Use qwen."),
        ("claude-code", "block", "cgroup", "names", ""),
        ("claude-code", "would_block", "-", "tried", ""),
        ("claude-code", "block", "tls", "names", ""),
        ("codex", "block", "not refused", "no-codex", "Use qwen."),
    ]
    figures = {one["name"]: one["value"] for one in rows(told, "figures")}
    assert (figures["attempts blocked"], figures["would be blocked"]) == ("3", "1")
    assert [one["refused"] for one in rows(told, "peers")] == [1, 0, 1, 0]
    assert "enforcement FAILS" in str(rows(told, "standing")[1]["line"])


def test_a_finding_says_whose_it_is() -> None:
    """A user, a number, nobody, or the system."""
    found = FOUND.inventory
    assert found
    assert finding("codex", found)["user"] == "alice"
    assert finding("codex", replace(found, user=None))["user"] == "uid 1000"
    nobody = finding(None, replace(found, user=None, uid=None, place="docker:01", versions=()))
    assert (nobody["user"], nobody["home"], nobody["tool"]) == ("-", "docker:01: /home/alice", "-")
    system = finding("codex", replace(found, home=None, uid=None))
    assert system["user"] == "(system)"
    told = finding("codex", found)
    assert [one["note"] for one in rows(told, "traces")] == [
        "2.0, shared with codex-sdk", "3 files",
    ]  # fmt: skip


def test_what_was_not_looked_at_is_said_in_words() -> None:
    """With how much of it there was."""
    assert amounts({"that could not be read": 1, "deeper than 64": 2}) == [
        "2 places deeper than 64", "1 place that could not be read",
    ]  # fmt: skip
