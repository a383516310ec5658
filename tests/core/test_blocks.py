# SPDX-License-Identifier: Apache-2.0
"""What responders block: read, kept, ended."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from support.story import CATALOGUE

from sensor.core.blocks import (
    MOST,
    SESSIONS,
    Blocks,
    as_dict,
    blocks_of,
    text_of,
    trail,
    with_sessions,
)
from sensor.core.policy.model import Mode, Policy
from sensor.core.policy.text import with_blocks
from sensor.core.words import Verdict
from sensor.errors import BadInputError

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
ASKED: dict[str, object] = {
    "tools": ["claude-code"], "users": ["alice"], "sessions": [], "endpoints": [],
    "ticket": "INC-7", "reason": None, "message": None, "expires": "2026-11-25T16:00:00Z",
}  # fmt: skip


def added(*asked: dict[str, object]) -> Blocks:
    """Give blocks, one for each that is asked for."""
    blocks = Blocks()
    for one in asked:
        blocks, _ = blocks.add({**ASKED, **one}, NOW)
    return blocks


def test_a_block_is_a_rule_before_all_others() -> None:
    """It has its own id, ticket and end."""
    policy = Policy(mode=Mode.ENFORCE)
    [rule] = with_blocks(policy, added({}).blocks, CATALOGUE).rules
    assert (rule.id, rule.verdict, rule.ticket) == ("runtime-1", Verdict.BLOCK, "INC-7")
    assert rule.condition.tools == frozenset({"claude-code"})
    assert rule.condition.users == ("alice",)
    assert rule.expires == NOW + timedelta(hours=4)


def test_what_became_of_blocks_is_said() -> None:
    """Each that came, ended or was removed; by whom, if by anybody; what was typed is quoted."""
    one = added({"tools": ["claude-code", "codex"], "ticket": 'a; runtime-9 ended\u202e"'})
    two, _ = one.add({**ASKED, "tools": [], "users": [], "sessions": ["uimgkfb4"]}, NOW)
    end = "until 2026-11-25T16:00:00Z, ticket"
    first = f'tool claude-code codex, user alice, {end} "a; runtime-9 ended\\u202e\\""'
    second = f"session uimgkfb4, {end} INC-7"
    assert trail(Blocks(), one, NOW, by="uid 0") == f"runtime-1 added by uid 0: {first}"
    assert trail(two, two, NOW, by="uid 0") is None
    assert trail(two, one, NOW) == f"runtime-2 removed: {second}"
    both = f"runtime-1 ended: {first}; runtime-2 ended: {second}"
    assert trail(two, Blocks(), NOW + timedelta(hours=4), by="uid 0") == both
    # Nothing is cut: once a block is gone this is all that is kept of it.
    tools = ["claude-code", "codex", "aider", "gemini-cli", "opencode", "copilot-cli", "goose"]
    ticket = f"https://tickets.example/{'x' * 200}/INC-0000123"
    said = trail(Blocks(), added({"tools": tools, "ticket": ticket}), NOW) or ""
    assert all(word in said for word in (*tools, ticket))


def test_what_is_kept_is_what_was_asked_for() -> None:
    """Also where a session is blocked, and no number is given twice."""
    blocks = added(
        {"reason": "leak é", "message": "Call us."},
        {"tools": [], "users": [], "sessions": ["uimgkfb4"], "endpoints": ["example.com"]},
    ).remove("runtime-1")
    assert blocks_of(text_of(blocks), where="blocks.json") == blocks
    _, third = blocks.add(ASKED, NOW)
    assert third.id == "runtime-3"
    assert as_dict(blocks.blocks[0])["sessions"] == ["uimgkfb4"]
    assert as_dict(blocks.blocks[0])["tools"] == []


def test_what_has_ended_is_left_out() -> None:
    """By the wall clock, so that it survives a reboot."""
    blocks = added({}, {"expires": "2026-11-26T00:00:00+01:00"})
    assert blocks.ends() == NOW + timedelta(hours=4)
    assert [one.id for one in blocks.tidied(NOW + timedelta(hours=5)).blocks] == ["runtime-2"]
    assert blocks.tidied(NOW) == blocks
    assert Blocks().ends() is None


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"tools": [], "users": []}, "tools: is missing; name a tool, user, session or endpoint"),
        ({"ticket": None}, "ticket: is missing"),
        ({"ticket": "a\nb"}, "ticket: 'a\\nb' is not valid"),
        ({"expires": None}, "expires: is missing"),
        ({"expires": "soon"}, "expires: 'soon' is not valid; write a time with its zone"),
        ({"expires": "2026-11-25T12:00:00Z"}, "is past; write a later end"),
        ({"expires": "2028-01-01T00:00:00Z"}, "more than a year; put it into the policy"),
        ({"sessions": ["../x"]}, "sessions: '../x' is not valid; write the id of a session"),
        ({"sessions": ["uimgkfb4", "uimgkfb5"]}, "sessions: names several; block one session"),
        ({"colour": "red"}, "'colour': unknown key"),
        ({"tools": "claude-code"}, "tools: is not a list"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, object], why: str) -> None:
    """With the key and the remedy."""
    with pytest.raises(BadInputError) as refused:
        added(change)
    assert why in str(refused.value)


def test_there_is_a_most() -> None:
    """The kernel's tables have bounds."""
    blocks = added({})
    full = replace(blocks, blocks=blocks.blocks * MOST)
    with pytest.raises(BadInputError, match="there are 256 already"):
        full.add(ASKED, NOW)


def test_what_is_not_there_is_not_removed() -> None:
    """The error says what there is."""
    with pytest.raises(BadInputError, match="no 'runtime-9'; there are: runtime-1"):
        added({}).remove("runtime-9")
    with pytest.raises(BadInputError, match="there are: none"):
        Blocks().remove("runtime-9")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "damaged"),
        ("[]", "damaged"),
        ('{"version": 2}', "version 2; this one reads 1"),
        ('{"version": 1, "following": 2, "blocks": [{}]}', "damaged"),
        ('{"version": 1, "following": 2, "blocks": [{"number": 1, "id": ""}]}', "is missing"),
        ("[" * 100_000, "damaged"),
    ],
)
def test_what_is_damaged_is_no_list_of_blocks(text: str, why: str) -> None:
    """Nothing is left out in silence."""
    with pytest.raises(BadInputError, match=why):
        blocks_of(text, where="blocks.json")


def test_a_text_has_what_people_look_for() -> None:
    """It can be read without us."""
    kept = json.loads(text_of(added({})))
    assert kept["blocks"][0]["expires"] == "2026-11-25T16:00:00Z"


SESSION: dict[str, object] = {"tools": [], "users": []}


def test_a_blocked_session_keeps_its_number() -> None:
    """When others come and go before it: processes carry it in the kernel."""
    blocks = added(
        {**SESSION, "sessions": ["aaaaaaaa"]},
        {**SESSION, "sessions": ["bbbbbbbb"]},
        {**SESSION, "sessions": ["bbbbbbbb"]},
    )
    assert blocks.sessions() == {"aaaaaaaa": 0, "bbbbbbbb": 1}
    left = blocks.remove("runtime-1")
    assert left.sessions() == {"bbbbbbbb": 1}
    catalogue = with_sessions(CATALOGUE, left.sessions())
    assert catalogue.index_of("session:bbbbbbbb") == len(CATALOGUE.tools) + 2
    assert with_sessions(CATALOGUE, {}) == CATALOGUE


def test_numbers_of_sessions_come_around_and_miss_none_that_is_taken() -> None:
    """A block that lasts long keeps its own."""
    first = replace(added({**SESSION, "sessions": ["aaaaaaaa"]}), following=SESSIONS + 1)
    blocks, second = first.add({**ASKED, **SESSION, "sessions": ["bbbbbbbb"]}, NOW)
    assert second.number == SESSIONS + 2
    assert blocks.sessions() == {"aaaaaaaa": 0, "bbbbbbbb": 1}
