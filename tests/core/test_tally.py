# SPDX-License-Identifier: Apache-2.0
"""Events are counted by what they have in common."""

from __future__ import annotations

import pytest
from support.recorded import recorded

from sensor.core.tally import FIGURES, HEADS, Tally, groups_of
from sensor.errors import BadInputError


def counted(*by: str) -> Tally:
    """Count the recorded events."""
    tally = Tally(by)
    for event in recorded():
        tally.take(event)
    return tally


def test_the_largest_group_comes_first() -> None:
    """What has no value comes last among equals, and is a group of its own."""
    groups = counted("tool").groups()
    assert [(group.values, group.events) for group in groups] == [
        (("claude-code",), 32), (("codex",), 7), (("aider",), 3), ((None,), 2),
    ]  # fmt: skip


def test_a_group_has_its_sums() -> None:
    """Sessions are counted once each, bytes are those of closed connections."""
    tally = counted("vendor", "user")
    first = tally.groups()[0]
    assert tally.as_dict(first) == {
        "vendor": "anthropic",
        "user": "alice",
        "events": 32,
        "sessions": 1,
        "sent_bytes": 12595,
        "received_bytes": 4198,
        "first_at": "2026-11-23T14:00:10.000001000Z",
        "last_at": "2026-11-23T14:00:48.000000000Z",
    }
    assert first.texts() == [
        "anthropic", "alice", "32", "1", "12.3 KiB", "4.1 KiB", "2026-11-23T14:00:10Z",
        "2026-11-23T14:00:48Z",
    ]  # fmt: skip
    assert len(first.texts()) == len(HEADS) + 2
    assert len(first.cells()) == len(FIGURES) + 2


def test_what_a_process_chose_is_quoted_for_people_only() -> None:
    """Programs get it as it is."""
    tally = Tally(("name",))
    for event in recorded():
        tally.take(event)
    assert all(isinstance(group.values[0], str | None) for group in tally.groups())


def test_names_are_given_with_commas() -> None:
    """Once each, in their order."""
    assert groups_of("tool, user,tool") == ("tool", "user")


@pytest.mark.parametrize("text", ["", "tools", "tool,,user", "tool;user", "\x1b"])
def test_an_unknown_name_is_refused(text: str) -> None:
    """With those that there are."""
    with pytest.raises(BadInputError, match="expected tool, vendor, user") as problem:
        groups_of(text)
    assert "\x1b" not in str(problem.value)
