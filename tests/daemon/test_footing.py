# SPDX-License-Identifier: Apache-2.0
"""A daemon knows when the pins that it runs on are gone, told by a watcher or not."""

from __future__ import annotations

import selectors
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from sensor.daemon import footing as module
from sensor.daemon.footing import PROBES, Footing
from sensor.daemon.instance import Loaded
from sensor.errors import SensorError
from sensor.wire.programs import JUDGE, PROGRAMS

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.facts import Health

FIXED = {program.name for program in PROGRAMS if not program.on_demand}
MISSING = "seen_answer"


class Story:
    """A daemon that stands on files of the test's; JUDGE is attached on demand."""

    def __init__(self, folder: Path) -> None:
        self.pins = folder / "pins"
        self.pins.mkdir()
        for name in FIXED - {MISSING} | {JUDGE}:
            (self.pins / f"link_{name}").touch()
        self.said: list[str] = []
        self.told: list[Health] = []
        self.lost: list[str] = []
        self.attached = frozenset({JUDGE})
        sensing: Any = SimpleNamespace(see=self.told.append)
        refusing: Any = SimpleNamespace(
            enforcing=SimpleNamespace(attached=self.attached), lose=self.lost.append
        )
        loaded = Loaded(self.pins, reused=False, missing={MISSING: "this kernel"})
        self.footing = Footing(loaded, sensing, refusing, say=self.said.append)

    def remove(self, name: str) -> None:
        """Take a pin away."""
        (self.pins / f"link_{name}").unlink()


@pytest.fixture
def story(tmp_path: Path) -> Story:
    """Give a daemon whose pins are all there."""
    return Story(tmp_path)


def is_told_once(story: Story) -> bool:
    """Tell whether everybody has been told, and once."""
    [health] = story.told
    assert (health.what, health.is_well) == (PROBES, False)
    assert story.said == story.lost == [health.why]
    return True


def test_what_was_never_there_is_not_gone(story: Story) -> None:
    """A hook that this kernel lacks is another problem."""
    assert story.footing.gone() == frozenset()
    assert story.footing.problems() == []
    assert story.said == []


def test_a_watcher_tells_at_once(story: Story) -> None:
    """Nobody has to ask; a folder that is gone is told once, and all in it is gone."""
    with selectors.DefaultSelector() as selector:
        story.footing.register(selector)
        assert selector.select(0) == []
        for name in FIXED - {MISSING} | {JUDGE}:
            story.remove(name)
        story.pins.rmdir()
        while ready := selector.select(0):
            for key, mask in ready:
                key.data(mask)
    assert is_told_once(story)
    [problem] = story.footing.problems()
    assert problem.endswith("(gone: all)")
    assert is_told_once(story)
    story.footing.close()


@pytest.mark.parametrize("name", ["seen_exec", JUDGE])
def test_one_that_is_gone_is_named(story: Story, name: str) -> None:
    """One that policy has had attached too."""
    story.remove(name)
    assert story.footing.gone() == {name}
    assert story.footing.problems()[0].endswith(f"(gone: {name})")
    assert is_told_once(story)


def test_another_pin_of_the_same_name_is_not_the_one_that_was(story: Story) -> None:
    """Its program writes into other maps than the daemon reads."""
    place = story.pins / "link_seen_exec"
    place.rename(story.pins / "kept")
    place.touch()
    assert story.footing.gone() == {"seen_exec"}


def test_what_was_lost_is_a_problem_until_the_end(story: Story) -> None:
    """Also where it is put back: what came meanwhile was not seen."""
    place = story.pins / "link_seen_exec"
    place.rename(story.pins / "kept")
    assert story.footing.gone() == {"seen_exec"}
    (story.pins / "kept").rename(place)
    assert story.footing.gone() == frozenset()
    [problem] = story.footing.problems()
    assert problem.endswith("(gone: none by now)")


def test_without_room_for_a_watcher_it_is_looked_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once a second at most, at a turn of the loop."""

    def full() -> None:
        raise SensorError("no room")

    now_s = 1000.0
    monkeypatch.setattr(module, "Folders", full)
    monkeypatch.setattr("sensor.daemon.footing.time.monotonic", lambda: now_s)
    story = Story(tmp_path)
    with selectors.DefaultSelector() as selector:
        story.footing.register(selector)
        assert selector.get_map() == {}
    story.footing.turn()
    story.remove("seen_exec")
    story.footing.turn()
    assert story.said == []
    now_s += 1.0
    story.footing.turn()
    assert is_told_once(story)
    story.footing.close()
