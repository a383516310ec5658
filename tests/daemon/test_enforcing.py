# SPDX-License-Identifier: Apache-2.0
"""Putting a policy in force: which programs it takes, when, and which cgroups it finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from support.policies import CATALOGUE, read
from support.policy_maps import MadeMaps
from support.scope import Scope

from sensor.core.policy.model import Accounts
from sensor.daemon import enforcing
from sensor.daemon.enforcing import Enforcing
from sensor.daemon.members import Members
from sensor.daemon.policy_maps import PolicyMaps
from sensor.edge import canary
from sensor.errors import SensorError
from sensor.wire import rulings
from sensor.wire.orders import Attach, Detach
from sensor.wire.programs import HELLO, JUDGE, LEARN
from sensor.wire.reports import Outcome, Report
from sensor.wire.rulings import BANKED_KEY, hash_suffix

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.wire.orders import Order

pytestmark = pytest.mark.kernel

QUIET = '[defaults]\nunknown_client = "allow"\n'
BLOCK = '[[rule]]\nid = "no"\ntools = ["some-cli"]\nverdict = "block"\n'
NAMES = '[[rule]]\nid = "out"\nendpoints = ["example.com"]\nverdict = "block"\n'


@dataclass
class Deputy:
    """Takes orders; ``refuses`` are programs that the kernel would not attach.

    ``seen`` has each order with the generation that was in force then.
    """

    pins: MadeMaps
    refuses: set[str] = field(default_factory=set)
    answers: bool = True
    seen: list[tuple[Order, int]] = field(default_factory=list)

    def ask(self, order: Order) -> Report:
        """Take an order that is waited for."""
        assert isinstance(order, Attach)
        self.seen.append((order, self.pins.slot(3)))
        if not self.answers:
            raise SensorError("the deputy did not answer within 5 s; try again")
        failed = order.program in self.refuses
        return Report(1, Outcome.FAILED if failed else Outcome.DONE, "no such hook")

    def order(self, order: Order) -> bool:
        """Take an order that nobody waits for."""
        self.seen.append((order, self.pins.slot(3)))
        return True


class Scene:
    """An enforcer over maps of the test's, on a host with or without the security module."""

    def __init__(
        self, folder: Path, *, lsm: str = "capability,bpf\n", top: Path | None = None
    ) -> None:
        self.pins = MadeMaps(folder)
        self.deputy = Deputy(self.pins)
        modules = folder / "lsm"
        modules.write_text(lsm, "ascii")
        self.enforcing = Enforcing(
            PolicyMaps(self.pins),  # type: ignore[arg-type]
            Members(self.pins),  # type: ignore[arg-type]
            self.deputy,  # type: ignore[arg-type]
            top=top or folder,
            lsm=modules,
        )

    def apply(self, body: str, *, mode: str = "enforce", cgroup: int | None = None) -> None:
        """Put rules in force."""
        self.enforcing.apply(
            read(body, mode), CATALOGUE, source="policy.toml", canary_cgroup=cgroup
        )

    def attached(self) -> set[str]:
        """Name the programs that it asked to attach."""
        return {order.program for order, _ in self.deputy.seen if isinstance(order, Attach)}


def test_programs_come_before_and_go_after(tmp_path: Path) -> None:
    """Nothing that is refused before and after is let through in between."""
    scene = Scene(tmp_path)
    scene.apply(QUIET + BLOCK + NAMES)
    assert scene.attached() == {JUDGE, LEARN, HELLO}
    assert {at for _, at in scene.deputy.seen} == {0}
    assert scene.enforcing.in_force
    assert scene.enforcing.in_force.generation == scene.pins.slot(3) == 1
    assert scene.enforcing.in_force.domains[hash_suffix("example.com")] == "example.com"
    assert scene.enforcing.ways() == {"exec": "lsm", "connect": "cgroup", "name": "tls"}
    scene.deputy.seen.clear()
    scene.apply(QUIET)
    assert {(order, at) for order, at in scene.deputy.seen} == {
        (Detach(JUDGE), 2), (Detach(LEARN), 2), (Detach(HELLO), 2)
    }  # fmt: skip
    assert scene.enforcing.ways()["name"] == "none"


@pytest.mark.parametrize(
    ("body", "mode", "wanted"),
    [
        (QUIET, "enforce", set()),
        (QUIET + BLOCK, "enforce", {JUDGE}),
        (QUIET + BLOCK, "shadow", set()),
        (QUIET + NAMES, "shadow", {LEARN, HELLO}),
        ("", "observe", {LEARN, HELLO}),
    ],
)
def test_a_policy_has_the_programs_that_it_needs(
    body: str, mode: str, wanted: set[str], tmp_path: Path
) -> None:
    """Only what is refused before it commits takes the security module's."""
    scene = Scene(tmp_path)
    scene.apply(body, mode=mode)
    assert scene.attached() == wanted


@pytest.mark.parametrize("lsm", ["capability,landlock\n", ""])
def test_a_kernel_that_does_not_ask_bpf_kills_instead(lsm: str, tmp_path: Path) -> None:
    """Attaching alone proves nothing; it is known, and no problem."""
    scene = Scene(tmp_path, lsm=lsm)
    scene.apply(QUIET + BLOCK)
    assert scene.attached() == set()
    assert scene.enforcing.ways()["exec"] == "kill"
    assert scene.enforcing.lacks() == []
    (tmp_path / "lsm").unlink()
    scene.apply(QUIET + BLOCK)
    assert scene.enforcing.ways()["exec"] == "kill"


def test_what_cannot_be_attached_is_known_and_told(tmp_path: Path) -> None:
    """The policy is in force without it."""
    scene = Scene(tmp_path)
    scene.deputy.refuses = {JUDGE, HELLO}
    scene.apply(QUIET + BLOCK + NAMES)
    assert scene.enforcing.ways() == {"exec": "kill", "connect": "cgroup", "name": "none"}
    assert scene.enforcing.lacks() == [
        "not refused: names that connections say first (no such hook)"
    ]
    scene.deputy.answers = False
    scene.apply(QUIET + NAMES)
    assert len(scene.enforcing.lacks()) == 2
    assert scene.pins.slot(3) == 2


def test_what_was_lacking_is_tried_again(tmp_path: Path) -> None:
    """A deputy that was slow answers later; the generation stays."""
    scene = Scene(tmp_path)
    scene.enforcing.mend()
    scene.deputy.answers = False
    scene.apply(QUIET + NAMES)
    scene.deputy.answers = True
    scene.enforcing.mend()
    assert scene.enforcing.lacks() == []
    assert scene.enforcing.ways()["name"] == "tls"
    scene.deputy.seen.clear()
    scene.enforcing.mend()
    assert scene.deputy.seen == []
    assert scene.pins.slot(3) == 1


def test_nothing_is_refused_in_shadow_or_without_a_policy(tmp_path: Path) -> None:
    """As `status` says it."""
    scene = Scene(tmp_path)
    nothing = {"exec": "none", "connect": "none", "name": "none"}
    assert scene.enforcing.ways() == nothing
    assert scene.enforcing.lacks() == []
    scene.apply(BLOCK, mode="shadow")
    assert scene.enforcing.ways() == nothing
    scene.enforcing.release()
    assert scene.pins.slot(3) == 0
    assert scene.enforcing.in_force is None


def test_cgroups_that_come_and_go_make_a_policy_stale(tmp_path: Path) -> None:
    """Which is seen at each turn of the canary."""
    with Scope() as scope:
        scene = Scene(tmp_path, top=scope.path)
        body = QUIET + NAMES.replace("verdict", 'cgroups = ["/build", "/later"]\nverdict')
        (scope.path / "build").mkdir()
        assert not scene.enforcing.is_stale()
        scene.apply(body)
        ids = {BANKED_KEY.unpack(key)[0] for key in scene.pins.rows("cgroups")}
        assert ids == {(scope.path / "build").stat().st_ino}
        assert not scene.enforcing.is_stale()
        assert scene.enforcing.cradles() == {scope.path}
        (scope.path / "later").mkdir()
        assert scene.enforcing.is_stale()
        assert scene.enforcing.has_moved()
        scene.apply(body)
        assert not scene.enforcing.is_stale()


def test_where_a_cgroup_would_be_made_is_the_nearest_that_is_there(tmp_path: Path) -> None:
    """The hierarchy itself at the farthest."""
    with Scope() as scope:
        scene = Scene(tmp_path, top=scope.path)
        assert scene.enforcing.cradles() == frozenset()
        body = QUIET + NAMES.replace("verdict", 'cgroups = ["/a/b/c"]\nverdict')
        scene.apply(body)
        assert scene.enforcing.cradles() == {scope.path}
        (scope.path / "a").mkdir()
        assert scene.enforcing.cradles() == {scope.path / "a"}
        (scope.path / "a/b").mkdir()
        assert scene.enforcing.cradles() == {scope.path / "a/b"}


def test_the_canary_is_refused_where_it_has_a_cgroup(tmp_path: Path) -> None:
    """By its name, as the tool behind the last of the catalogue."""
    scene = Scene(tmp_path)
    scene.apply(QUIET, cgroup=77)
    assert scene.pins.slot(4) == 77
    [(key, value)] = scene.pins.rows("names").items()
    assert key.rstrip(b"\0") == canary.NAME.encode()
    assert int.from_bytes(value[:4], "little") == len(CATALOGUE.tools) + 1
    assert scene.attached() == {JUDGE}


def users_in_force(scene: Scene) -> set[int]:
    """Give the uids that the kernel has conditions for."""
    bank = rulings.bank_for(scene.pins.slot(3))
    keys = scene.pins.rows("users")
    return {BANKED_KEY.unpack(key)[0] for key in keys if rulings.bank_of("users", key) == bank}


def test_whoever_was_known_counts_while_nobody_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With those of the host's own files; it is told, and asked again."""
    scene, answers = Scene(tmp_path), [Accounts({"amy": 7}, {})]

    def ask(_policy: object) -> Accounts:
        if not answers:
            raise SensorError("the user database did not answer within 2 s")
        return answers[-1]

    monkeypatch.setattr(enforcing, "accounts_of", ask)
    local = Accounts({"root": 0}, {"crew": frozenset({7})})
    monkeypatch.setattr(enforcing, "local_accounts_of", lambda _: local)
    body = f'{QUIET}{BLOCK}users = ["amy", "root"]\ngroups = ["crew"]\n'
    scene.apply(body)
    assert users_in_force(scene) == {7}
    assert not scene.enforcing.is_stale()
    answers.clear()
    assert scene.enforcing.is_stale()
    scene.apply(body)
    assert users_in_force(scene) == {0, 7}
    assert scene.enforcing.lacks() == [
        (
            "the user database did not answer within 2 s; users and groups are those known before,"
            " and of /etc"
        )
    ]
    assert not scene.enforcing.is_stale()
    answers.append(Accounts({"amy": 7}, {}))
    assert scene.enforcing.is_stale()
    assert scene.enforcing.lacks() == []
