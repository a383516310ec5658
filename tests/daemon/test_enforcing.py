# SPDX-License-Identifier: Apache-2.0
"""Putting a policy in force: which programs it takes, when, and which cgroups it finds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.enforcing import Scene
from support.policies import CATALOGUE
from support.scope import Scope

from sensor.core.policy.model import Accounts
from sensor.daemon import whom
from sensor.edge import canary
from sensor.errors import SensorError
from sensor.wire import rulings
from sensor.wire.orders import Detach
from sensor.wire.programs import HELLO, JUDGE, LEARN
from sensor.wire.rulings import BANKED_KEY, hash_suffix

if TYPE_CHECKING:
    import os

pytestmark = pytest.mark.kernel

QUIET = '[defaults]\nunknown_client = "allow"\n'
BLOCK = '[[rule]]\nid = "no"\ntools = ["some-cli"]\nverdict = "block"\n'
NAMES = '[[rule]]\nid = "out"\nendpoints = ["example.com"]\nverdict = "block"\n'


def test_programs_come_before_and_go_after(tmp_path: Path) -> None:
    """Nothing that is refused before and after is let through in between."""
    scene = Scene(tmp_path)
    scene.apply(QUIET + BLOCK + NAMES)
    assert scene.attached() == {JUDGE, LEARN, HELLO}
    assert {at for _, at in scene.deputy.seen} == {0}
    assert scene.enforcing.in_force
    assert scene.enforcing.in_force.generation == scene.pins.slot(3) == 1
    assert scene.enforcing.in_force.domains[hash_suffix("example.com", 0)] == "example.com"
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


def test_a_cgroup_that_goes_while_it_is_looked_at_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may make and take away a cgroup that policy names does not end the daemon."""
    folder, stat = tmp_path / "build", Path.stat
    folder.mkdir()

    def going(path: Path, **options: bool) -> os.stat_result:
        if path == folder:
            folder.rmdir()
        return stat(path, **options)

    scene = Scene(tmp_path)
    (folder / "cgroup.procs").touch()
    scene.apply(QUIET + NAMES.replace("verdict", 'cgroups = ["/build"]\nverdict'))
    (folder / "cgroup.procs").unlink()
    monkeypatch.setattr(Path, "stat", going)
    monkeypatch.setattr(Path, "exists", lambda _: True)
    assert scene.enforcing.has_moved()


def test_known_accounts_take_no_look_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are those of the policy in force, whatever was looked up for one that failed."""
    scene, asked = Scene(tmp_path), []

    def ask(_policy: object) -> Accounts:
        asked.append(1)
        return Accounts({"amy": 7} if len(asked) == 1 else {}, {})

    monkeypatch.setattr(whom, "accounts_of", ask)
    body = f'{QUIET}{BLOCK}users = ["amy"]\n'
    scene.apply(body)
    with monkeypatch.context() as full:
        full.setattr("sensor.daemon.policy_maps.TOOLS", 0)
        with pytest.raises(SensorError):
            scene.apply(body)
    assert len(asked) == 2
    scene.apply(body, asks=False)
    assert users_in_force(scene) == {7}
    assert len(asked) == 2


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
    scene, answers = Scene(tmp_path), [Accounts({"amy": 7}, {"crew": frozenset({9})})]

    def ask(_policy: object) -> Accounts:
        if not answers:
            raise SensorError("the user database did not answer within 2 s")
        return answers[-1]

    monkeypatch.setattr(whom, "accounts_of", ask)
    local = Accounts({"root": 0}, {"crew": frozenset({7})})
    monkeypatch.setattr(whom, "local_accounts_of", lambda _: local)
    body = f'{QUIET}{BLOCK}users = ["amy", "root"]\ngroups = ["crew"]\n'
    scene.apply(body)
    assert users_in_force(scene) == {7, 9}
    assert not scene.enforcing.is_stale()
    answers.clear()
    assert scene.enforcing.is_stale()
    scene.apply(body)
    assert users_in_force(scene) == {0, 7, 9}
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
