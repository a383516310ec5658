# SPDX-License-Identifier: Apache-2.0
"""Policy follows the cgroups that it names, at a bounded price, with a watcher and without."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from support.governing import EXCEPTION, POLICY, Story, Wall, told
from support.patience import is_readable
from support.policies import CATALOGUE

from sensor.core.former import text_of
from sensor.daemon import cradles, policing, whom
from sensor.daemon.cradles import AGAIN_S
from sensor.daemon.standby import IN_FORCE
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sensor.edge.inotify_folders import Folders

pytestmark = pytest.mark.kernel


@pytest.fixture
def story(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Story]:
    """Give a daemon whose policy is not in force yet."""
    with told(tmp_path, monkeypatch) as story:
        yield story


def is_told(story: Story) -> bool:
    """Tell whether something is known to have happened in a folder that is watched."""
    assert story.policing.cradles.folders
    return is_readable(story.policing.cradles.folders, 0)


def test_the_next_run_knows_what_the_kernel_went_by(story: Story) -> None:
    """Where the tables are still those; the note of other ones means nothing."""
    story.begin()
    assert story.engine.remembered == []
    seed, generation = story.policing.enforcing.in_kernel
    story.policing.begin()
    (former,) = story.engine.remembered
    assert (former.seed, former.generation, former.rules) == (seed, generation, (("no", None),))
    file = story.file.with_name(IN_FORCE)
    for noted in (replace(former, seed=seed + 1), former):
        file.write_text(text_of(noted), "utf-8")  # of another load, or of a generation before
        story.policing.begin()
    file.write_text("{", "utf-8")
    story.policing.begin()
    assert len(story.engine.remembered) == 1


def test_a_cgroup_counts_as_soon_as_it_is_made(story: Story) -> None:
    """However deep, and whom the policy names is not looked up for it."""
    story.begin()
    assert story.asked == 1
    for part in "a", "a/b":
        (story.top / part).mkdir()
        assert is_told(story)
        story.turn()
    assert story.engine.told == 0
    assert story.policing.timeout() is None
    (story.top / "a/b/c").mkdir()
    assert is_told(story)
    story.turn()
    assert story.engine.told == 1
    assert story.asked == 1


def test_a_storm_of_cgroups_costs_one_change_a_second(story: Story) -> None:
    """The last of what has happened counts all the same, once its time has come."""
    folder = story.top / "a/b/c"
    folder.mkdir(parents=True)
    story.begin()
    folder.rmdir()
    for _ in range(50):
        folder.mkdir()
        story.turn()
        folder.rmdir()
        story.turn()
    folder.mkdir()
    story.turn()
    assert story.engine.told == 1
    assert story.policing.timeout() == AGAIN_S
    story.now_s += AGAIN_S
    assert story.policing.timeout() == 0
    story.policing.turn()
    assert story.engine.told == 2
    assert not story.policing.enforcing.has_moved()
    assert story.policing.timeout() is None


def test_what_has_come_to_nothing_changes_nothing(story: Story) -> None:
    """A cgroup beside the one that is named, for example."""
    (story.top / "a/b/c").mkdir(parents=True)
    story.begin()
    (story.top / "a/b/other").mkdir()
    assert is_told(story)
    story.turn()
    assert story.engine.told == 0


def test_a_folder_that_is_made_anew_is_watched_anew(story: Story) -> None:
    """The kernel forgets a watch with the folder that it is of."""
    parent = story.top / "a/b"
    parent.mkdir(parents=True)
    story.begin()
    parent.rmdir()
    parent.mkdir()
    story.turn()
    assert not is_told(story)
    (parent / "c").mkdir()
    assert is_told(story)
    story.turn()
    assert story.engine.told == 1


def test_a_host_without_room_for_a_watcher_has_policy_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Users share that room with the daemon; cgroups count with the canary, and it is told."""

    def full() -> Folders:
        raise SensorError("cannot watch folders: Too many open files; raise it")

    monkeypatch.setattr(cradles, "Folders", full)
    story = Story(tmp_path)
    monkeypatch.setattr(whom, "accounts_of", story.ask)
    story.begin()
    [told] = story.policing.problems()
    assert told.startswith("cannot watch folders: Too many open files; raise it; cgroups that")
    (story.top / "a/b/c").mkdir(parents=True)
    story.policing.turn()
    assert story.engine.told == 0
    story.is_due = True
    story.policing.turn()
    assert story.engine.told == 1
    story.policing.close()


def test_what_an_exception_let_through_is_judged_at_its_end(
    story: Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each, and not before the kernel's own clock has come to it."""
    story.file.write_text(POLICY + EXCEPTION.format(number=1) + EXCEPTION.format(number=2))
    clock = Wall(datetime(2030, 1, 1, tzinfo=UTC) - timedelta(seconds=61))
    monkeypatch.setattr(policing, "_now", clock.now)
    story.begin()
    judged = []
    for minutes in 0, 1, 0, 24 * 60, 0, 24 * 60:
        clock.at += timedelta(minutes=minutes)
        story.policing.turn()
        judged.append(story.engine.judged)
        clock.at += timedelta(seconds=1)
    assert judged == [0, 0, 1, 2, 2, 2]


def test_nothing_changes_where_there_are_no_probes(story: Story) -> None:
    """Whoever asks is told; nothing becomes due any more."""
    story.begin()
    before = story.policing.enforcing.in_force
    story.policing.lose("the probes are detached")
    for change in story.policing.reload, lambda: story.policing.learn(CATALOGUE):
        with pytest.raises(SensorError, match="the probes are detached"):
            change()
    story.is_due = True
    story.turn()
    assert story.policing.timeout() is None
    assert story.policing.enforcing.in_force is before
    assert story.engine.told == 0
    assert set(story.policing.ways().values()) == {"none"}


def test_what_was_watched_is_let_go(story: Story) -> None:
    """A daemon that ends holds no watcher; one that has room for it has no problem."""
    assert story.policing.problems() == []
    assert story.policing.cradles.folders
    number = story.policing.cradles.folders.fileno()
    story.policing.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
    story.policing.cradles.folders = None
