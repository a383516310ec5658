# SPDX-License-Identifier: Apache-2.0
"""What is wrong with a policy's file is a problem before a restart finds it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.governing import POLICY, Story, told
from support.policies import CATALOGUE

from sensor.daemon.policy_file import PolicyFile
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Give a daemon whose policy is in force."""
    with told(tmp_path, monkeypatch) as story:
        story.begin()
        yield story


def test_a_reload_that_failed_is_a_problem_until_one_succeeds(story: Story) -> None:
    """It has the file, the line and what to do; putting the file right is not enough."""
    assert story.policing.problems() == []
    story.file.write_text(POLICY + "[[rule]]\nid = 7\n", "utf-8")
    assert story.policing.problems() == []  # nobody has asked for it yet
    for change in story.policing.reload, lambda: story.policing.learn(CATALOGUE):
        with pytest.raises(SensorError) as refused:
            change()
        [problem] = story.policing.problems()
        assert f"{story.file}:9: " in problem
        assert problem.endswith(str(refused.value))
        story.file.write_text(POLICY, "utf-8")
        assert len(story.policing.problems()) == 1
        story.policing.reload()
        assert story.policing.problems() == []
        story.file.write_text(POLICY + "[[rule]]\nid = 7\n", "utf-8")


def test_a_file_that_is_gone_or_open_to_others_is_a_problem_at_once(story: Story) -> None:
    """Nobody has to reload for that; a reload that fails for the same says no more."""
    story.file.chmod(0o666)
    [problem] = story.policing.problems()
    assert problem.endswith(f"run chmod go-w {story.file}")
    with pytest.raises(SensorError):
        story.policing.reload()
    assert story.policing.problems() == [problem]
    story.file.unlink()
    _, problem = story.policing.problems()
    assert f"{story.file}: No such file" in problem


def test_without_a_file_blocks_alone_are_no_problem(tmp_path: Path) -> None:
    """There was none; one that came since has to be root's alone."""
    file = PolicyFile(tmp_path / "policy.toml", may_be_missing=True)
    assert file.problems() == []
    assert file.read(CATALOGUE).rules == ()
    file.path.touch()
    file.path.chmod(0o666)
    assert "others than root can change it" in file.problems()[0]
