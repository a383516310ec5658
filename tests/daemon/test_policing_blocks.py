# SPDX-License-Identifier: Apache-2.0
"""What a responder is told of a block that cannot hold, or holds for nobody."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.governing import Story, Wall, told

from sensor.core.facts import PolicyChanged, Standing
from sensor.daemon import policing, whom
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel

SESSION = "uimgkfb4"
SHADOW = "the policy's mode is shadow: nothing is refused"


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Give a daemon whose policy is in force, in shadow; it knows the user amy."""
    with told(tmp_path, monkeypatch) as story:
        story.begin()
        yield story


def block(story: Story, **words: list[str]) -> str:
    """Block something; give what is remarked."""
    expires = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    said = story.policing.block_add({"ticket": "T", "expires": expires, **words})
    return str(said["remark"])


def test_a_user_whom_the_host_knows_is_no_remark(story: Story) -> None:
    """A number is not asked after: it needs no account."""
    assert block(story, users=["amy"]) == SHADOW
    assert block(story, users=["4711"]) == SHADOW


def test_a_user_whom_the_host_does_not_know_is_remarked(story: Story) -> None:
    """The block is there all the same: an account of the name may come."""
    said = block(story, users=["amy", "nobodyhere"])
    assert said.startswith(SHADOW)
    assert "this host has no user 'nobodyhere'" in said
    assert "amy" not in said
    assert len(story.policing.blocks.blocks) == 1


def test_a_user_who_cannot_be_looked_up_is_remarked(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody says then that there is none."""

    def silent(_policy: object) -> None:
        raise SensorError("the user database did not answer within 2 s")

    monkeypatch.setattr(whom, "accounts_of", silent)
    said = block(story, users=["nobodyhere"])
    assert "the user database did not answer" in said
    assert "has no user" not in said


def test_a_session_that_does_not_run_cannot_be_blocked(story: Story) -> None:
    """It has ended, or never was: nothing is kept of the attempt."""
    with pytest.raises(BadInputError, match=rf"{SESSION}.*sessions --running"):
        block(story, sessions=[SESSION])
    assert story.policing.blocks.blocks == ()
    story.engine.running = frozenset({SESSION})
    assert block(story, sessions=[SESSION]) == SHADOW


def test_what_becomes_of_a_block_is_told(story: Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """That it came, by whom, that it was removed, and that it ended; a reload tells nothing."""
    wall = Wall(datetime.now(UTC))
    monkeypatch.setattr(policing, "_now", wall.now)
    expires = (wall.at + timedelta(hours=1)).isoformat()
    words = {"ticket": 'SEC\u202e"8', "expires": expires, "users": ["amy"]}
    story.policing.block_add(words, by="uid 0, logged in as 7")
    story.policing.block_add({**words, "ticket": "T-2"})
    story.policing.reload()
    story.policing.block_remove("runtime-1", by="uid 0")
    wall.at += timedelta(hours=2)
    story.turn()
    end = expires.replace("+00:00", "Z")
    what = f'user amy, until {end}, ticket "SEC\\u202e\\"8"'
    assert story.engine.trail[1:] == [
        f"runtime-1 added by uid 0, logged in as 7: {what}",
        f"runtime-2 added: user amy, until {end}, ticket T-2",
        None,
        f"runtime-1 removed by uid 0: {what}",
        f"runtime-2 ended: user amy, until {end}, ticket T-2",
    ]


def test_a_block_is_no_rule_of_the_file(story: Story) -> None:
    """In the answer to a reload, in the status, and where a change was refused."""
    block(story, users=["amy"])
    said = story.policing.reload()
    assert (said["rules"], said["blocks"]) == (1, 1)
    story.file.write_text("version = 1\n", "utf-8")
    with pytest.raises(SensorError):
        story.policing.reload()
    [kept] = story.facts
    assert isinstance(kept, PolicyChanged)
    assert (kept.standing, kept.rules, kept.blocks) == (Standing.KEPT, 1, 1)
