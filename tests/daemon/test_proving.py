# SPDX-License-Identifier: Apache-2.0
"""Proof by the canary: when it is due, what it comes to, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from support.scope import Scope

from sensor.daemon import proving
from sensor.daemon.proving import EVERY_NS, NOTE, Proving, cgroup_for, remove_noted
from sensor.edge import canary
from sensor.wire.orders import Prove
from sensor.wire.reports import Outcome, Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor.core.facts import Health
    from sensor.wire.orders import Order

pytestmark = pytest.mark.kernel

REFUSED = Report(1, Outcome.DONE, "exec:lsm connect")


@dataclass
class Scene:
    """A proof whose clock and deputy the test plays."""

    scope: Scope
    run_dir: Path
    now_ns: int = 1_000
    orders: list[Order] = field(default_factory=list)
    told: list[Health] = field(default_factory=list)
    answer: Report | None = REFUSED

    def __post_init__(self) -> None:
        """Make the proof."""
        self.cgroup = cgroup_for("one", scope=self.scope.path, top=self.scope.path.parent)
        self.proving = Proving(
            self,  # type: ignore[arg-type]  # of the deputy, it takes orders alone
            run_dir=self.run_dir,
            cgroup=self.cgroup,
            tell=self.told.append,
        )

    def order(self, order: Order, then: Callable[[Report], None]) -> bool:
        """Take an order, and answer it at once."""
        self.orders.append(order)
        if self.answer is None:
            return False
        then(self.answer)
        return True


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    """Give a scene in a scope of its own."""
    with Scope() as scope:
        one = Scene(scope, tmp_path)
        monkeypatch.setattr(proving, "_now_ns", lambda: one.now_ns)
        yield one


def test_it_is_proved_at_the_start_and_every_five_minutes(scene: Scene) -> None:
    """And nobody wakes up for it where nothing is enforced."""
    assert scene.proving.timeout() is None
    assert not scene.proving.turn()
    assert scene.proving.settle() == scene.cgroup.stat().st_ino
    scene.proving.begin()
    assert scene.orders == [Prove(str(scene.cgroup), str(scene.run_dir / canary.NAME))]
    assert scene.proving.proved_ns == scene.now_ns
    assert scene.proving.ways == {"exec:lsm", "connect"}
    assert scene.proving.timeout() == EVERY_NS / 1_000_000_000
    assert not scene.proving.turn()
    scene.now_ns += EVERY_NS
    assert scene.proving.turn()
    assert len(scene.orders) == 2
    scene.proving.end()
    assert scene.proving.timeout() is None
    assert scene.proving.proved_ns is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Report(1, Outcome.DONE, "connect"), "the canary was not refused an execution"),
        (Report(1, Outcome.DONE, "exec:kill"), "the canary was not refused a connection"),
        (
            Report(1, Outcome.DONE, ""),
            "the canary was not refused an execution and a connection",
        ),
        (Report(1, Outcome.FAILED, "its cgroup"), "the canary could not try: its cgroup"),
        (None, "the deputy takes no orders"),
    ],
)
def test_a_failed_proof_is_told_once_and_so_is_that_it_works_again(
    scene: Scene, answer: Report | None, why: str
) -> None:
    """Since when is known as well."""
    scene.answer = answer
    scene.proving.settle()
    scene.proving.begin()
    failed_at = scene.proving.failed_at
    scene.now_ns += EVERY_NS
    scene.proving.turn()
    assert [(one.is_well, one.why) for one in scene.told] == [(False, why)]
    assert (scene.proving.why, scene.proving.failed_at) == (why, failed_at)
    scene.answer = REFUSED
    scene.now_ns += EVERY_NS
    scene.proving.turn()
    assert [one.is_well for one in scene.told] == [False, True]
    assert (scene.proving.why, scene.proving.failed_at) == (None, None)
    assert failed_at
    assert scene.proving.proved_at
    assert failed_at < scene.proving.proved_at


def test_where_nothing_could_refuse_nothing_is_tried(scene: Scene) -> None:
    """It is told why, once; where nothing was to be proved, nothing has failed."""
    scene.proving.lose("detached")
    assert scene.told == []
    scene.proving.settle()
    scene.proving.begin()
    scene.proving.lose("detached")
    scene.proving.lose("detached")
    assert [(one.is_well, one.why) for one in scene.told] == [(False, "detached")]
    assert scene.proving.ways == frozenset()
    assert scene.proving.timeout() is None
    scene.now_ns += EVERY_NS
    assert not scene.proving.turn()


def test_an_answer_that_comes_too_late_says_nothing(scene: Scene) -> None:
    """Policy was taken away meanwhile."""
    scene.proving.heard(REFUSED)
    assert scene.proving.proved_ns is None


def test_a_proof_says_nothing_of_a_policy_that_came_after_it(scene: Scene) -> None:
    """It may have been tried between the two."""
    waiting: list[Callable[[Report], None]] = []

    def keep(_order: Order, then: Callable[[Report], None]) -> bool:
        waiting.append(then)
        return True

    scene.order = keep  # type: ignore[method-assign,assignment]
    scene.proving.settle()
    scene.proving.begin()
    scene.proving.settle()
    waiting[0](Report(1, Outcome.DONE, ""))
    assert (scene.proving.why, scene.told) == (None, [])
    scene.proving.begin()
    waiting[1](REFUSED)
    assert scene.proving.proved_ns == scene.now_ns


def test_where_there_is_no_place_for_it_nothing_is_proved(scene: Scene) -> None:
    """Which is told; policy is enforced all the same."""
    scene.scope.path.rmdir()
    assert scene.proving.settle() is None
    scene.proving.begin()
    assert scene.orders == []
    assert "has no place" in str(scene.proving.why)
    assert [one.is_well for one in scene.told] == [False]
    scene.scope.path.mkdir()


def test_what_it_made_goes_also_after_a_kill(scene: Scene) -> None:
    """By the note that it left; one that names something else is left alone."""
    scene.proving.settle()
    remove_noted(scene.run_dir, "another", top=scene.scope.path.parent)
    assert scene.cgroup.exists()
    remove_noted(scene.run_dir, "one", top=scene.scope.path.parent)
    assert not scene.cgroup.exists()
    assert list(scene.run_dir.iterdir()) == []
    remove_noted(scene.run_dir, "one", top=scene.scope.path.parent)
    scene.proving.settle()
    scene.proving.remove()
    assert not (scene.run_dir / NOTE).exists()
    assert not scene.cgroup.exists()


def test_its_cgroup_is_below_our_own_if_that_is_in_the_scope(scene: Scene) -> None:
    """A unit's own cgroup is delegated to it; a narrower scope has its own."""
    top = scene.scope.path.parent
    assert cgroup_for("x", scope=scene.scope.path, top=top).parent == scene.scope.path
    assert cgroup_for("x", scope=top, top=top).name == "agent-sensor-canary-x"
