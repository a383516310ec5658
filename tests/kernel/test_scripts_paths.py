# SPDX-License-Identifier: Apache-2.0
"""The kernel knows scripts by their paths; user space sees to it that they are what they were."""

from __future__ import annotations

import os
import subprocess
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.policing import policing
from support.scripting import (
    KILLED,
    POLICY,
    ends,
    known,
    runs,
    script,
    searched,
    until,
)
from support.stage import TIMES, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.drivers import Drivers
    from support.policing import Policing
    from support.scope import Argument

pytestmark = [pytest.mark.kernel, pytest.mark.long]

DISTINCT, SAME = 2000, 2000


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon that refuses the tool, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(POLICY)
        yield police


@pytest.fixture
def node(drivers: Drivers) -> Path:
    """Give what has an interpreter's name and goes on until its input ends."""
    return drivers.named("node", "stay")


def test_one_name_in_two_folders_is_two_scripts(
    police: Policing, node: Path, tmp_path: Path
) -> None:
    """What is a tool here is none there, seen from there or by the other's path."""
    for number in range(TIMES):
        here, there = tmp_path / f"{number}-a", tmp_path / f"{number}-b"
        script(here / "x.js")
        script(there / "x.js", inside="nothing")
        runs(police, [node, "x.js"], there)
        for _ in range(2):
            assert ends(police, [node, "x.js"], here) == KILLED
        runs(police, [node, "x.js"], there)
        runs(police, [node, there / "x.js"])


@pytest.mark.parametrize("is_relative", [False, True])
def test_one_path_in_two_mount_namespaces_is_two_scripts(
    police: Policing, node: Path, tmp_path: Path, *, is_relative: bool
) -> None:
    """The folder is the same, and what is mounted there another file: nothing tells of a change.

    A namespace's inode is the next one's as soon as it is gone; what was found is not.
    """
    path, tool = script(tmp_path / "x.js", inside="nothing"), script(tmp_path / "tool.js")
    harmless = script(tmp_path / "harmless.js", inside="nothing")
    line = 'mount --bind "$1" x.js && exec "$2" "$3"'
    there: list[Argument] = ["unshare", "--mount", "sh", "-c", line, "sh"]
    run: list[Argument] = [node, path.name if is_relative else path]
    for _ in range(TIMES):
        runs(police, [*there, harmless, *run], tmp_path)
        runs(police, run, tmp_path)
        until(lambda: police.waiting() == 0)
        assert ends(police, [*there, tool, *run], tmp_path) == KILLED


def test_names_that_are_made_to_hash_alike_are_two_scripts(
    police: Policing, node: Path, tmp_path: Path
) -> None:
    """As these two did, from any seed, while it was a constant that was multiplied by."""
    for number in range(TIMES):
        folder = os.fsencode(tmp_path / str(number))
        names = b"1234567a123a567a", b"1234567\xe1123\xe1567\xe1"
        harmless, tool = (Path(os.fsdecode(folder + b"/" + name)) for name in names)
        runs(police, [node, script(harmless, inside="nothing").name], harmless.parent)
        assert ends(police, [node, script(tool).name], tool.parent) == KILLED


def test_one_that_is_changed_in_place_is_looked_at_again(
    police: Policing, node: Path, tmp_path: Path
) -> None:
    """It becomes the tool and is ended, and becomes something else and runs."""
    for number in range(TIMES):
        path = script(tmp_path / f"{number}.js", inside="nothing")
        runs(police, [node, path])
        until(lambda: police.waiting() == 0)
        script(path)
        until(partial(_is_ended, police, [node, path]))
        until(lambda: police.waiting() == 0)
        before = known(police)
        other = script(path.with_suffix(".new"), inside="nothing")
        other.rename(path)
        until(partial(_is_forgotten, police, [node, path], before))
        runs(police, [node, path])


def _is_forgotten(police: Policing, argv: Sequence[Argument], before: int) -> bool:
    """Run what is no tool any more, for a moment: of one that has ended it is not said."""
    assert _status(police, argv) == 0
    return known(police) < before


def _is_ended(police: Policing, argv: Sequence[Argument]) -> bool:
    return _status(police, argv) == KILLED


def _status(police: Policing, argv: Sequence[Argument]) -> int:
    """Run what may be ended, for a moment."""
    process = police.scope.run(argv, stdin=subprocess.PIPE)
    try:
        return process.wait(0.5)
    except subprocess.TimeoutExpired:
        assert process.stdin
        process.stdin.close()
        return process.wait(SOON_S)


def test_a_path_that_leads_elsewhere_refuses_nobody(
    police: Policing, node: Path, tmp_path: Path
) -> None:
    """A link that is turned is no change of the file: each run is looked into."""
    script(tmp_path / "one" / "x.js")
    script(tmp_path / "two" / "x.js", inside="nothing")
    link = tmp_path / "now"
    link.symlink_to("one")
    assert ends(police, [node, link / "x.js"]) == KILLED
    assert ends(police, [node, link / "x.js"]) == KILLED
    before = known(police)
    link.unlink()
    link.symlink_to("two")
    until(partial(_is_forgotten, police, [node, link / "x.js"], before))
    runs(police, [node, link / "x.js"])


def test_a_storm_of_scripts_loses_nothing(
    police: Policing, tmp_path: Path, drivers: Drivers
) -> None:
    """Each is looked into once."""
    node, since, before = drivers.named("node", "nothing"), police.seq(), searched(police)
    line = 'i=0; while [ $i -lt "$2" ]; do : > x$i.js; "$1" x$i.js; i=$((i+1)); done'
    police.run(["sh", "-c", line, "sh", node, str(DISTINCT)], cwd=tmp_path)
    until(lambda: police.waiting() == 0)
    after = searched(police)
    assert after["nothing"] == before.get("nothing", 0) + DISTINCT
    assert after.get("dropped", 0) == before.get("dropped", 0)
    assert police.told_of(since, "loss") == []


def test_one_script_wakes_the_sensor_once(stage: Stage, tmp_path: Path) -> None:
    """However often it runs, and whatever it is told."""
    node = stage.drivers.named("node", "nothing")
    path = script(tmp_path / "x.js", inside="nothing")
    stage.learn([node, path])
    told, woken = len(stage.watching.events()), stage.watching.wake_ups()
    line = 'i=0; while [ $i -lt "$3" ]; do "$1" "$2" $i; i=$((i+1)); done'
    assert stage.start(["sh", "-c", line, "sh", node, path, str(SAME)]).wait(SOON_S) == 0
    assert stage.watching.wake_ups() == woken
    assert len(stage.watching.events()) == told
