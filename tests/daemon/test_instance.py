# SPDX-License-Identifier: Apache-2.0
"""Where pins lie, who may touch them, and when they count."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bpf import EGRESS, SKB, make_program, open_here
from support.pins import mounted_bpffs
from support.scope import Scope

from sensor.daemon.instance import FOLDER, Instance, Pins, fingerprint
from sensor.edge import libbpf
from sensor.errors import SensorError
from sensor.wire.programs import STAND_BYS

if TYPE_CHECKING:
    from collections.abc import Iterator

# Folders of any file system behave alike here; test_loader.py has the pins of a bpffs.
SCOPE = Path("/sys/fs/cgroup/scope")
HOLD = """
import sys
from pathlib import Path
from sensor.daemon.instance import Instance
with Instance(bpffs=Path(sys.argv[1]), run_dir=Path("/run/a"), scope=Path(sys.argv[2])).locked():
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def instance(tmp_path: Path) -> Instance:
    """Give an instance that nothing is loaded for."""
    return Instance(bpffs=tmp_path, run_dir=Path("/run/a"), scope=SCOPE)


def load(instance: Instance, version: str, *names: str) -> Path:
    """Put pins of these names in force."""
    pins = instance.begin()
    for name in names:
        (pins / name).touch()
    return instance.commit(pins, version)


@contextmanager
def held(bpffs: Path) -> Iterator[subprocess.Popen[str]]:
    """Have another process hold the instance until its standard input ends."""
    argv = [sys.executable, "-I", "-c", HOLD, str(bpffs), str(SCOPE)]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            assert process.stdout.readline() == "\n"
            yield process
        finally:
            process.kill()


@given(st.lists(st.binary()), st.lists(st.binary()))
def test_different_parts_have_different_fingerprints(one: list[bytes], two: list[bytes]) -> None:
    """Where a part ends counts too."""
    assert (fingerprint(*one) == fingerprint(*two)) == (one == two)


def test_run_directory_and_scope_make_the_instance(tmp_path: Path) -> None:
    """Two that differ in one of them have folders of their own, side by side."""
    folders = {
        Instance(bpffs=tmp_path, run_dir=Path(run_dir), scope=Path(scope)).folder
        for run_dir in ("/run/a", "/run/b")
        for scope in ("/cgroup/a", "/cgroup/b")
    }
    assert len(folders) == 4
    assert {folder.parent for folder in folders} == {tmp_path / FOLDER}


def test_instances_never_touch_each_other(tmp_path: Path) -> None:
    """One goes, the other stays, and the last takes the common folder with it."""
    one, two = (
        Instance(bpffs=tmp_path, run_dir=Path(run_dir), scope=SCOPE) for run_dir in ("/a", "/b")
    )
    for instance in (one, two):
        with instance.locked():
            load(instance, "v1", "map_x")
    assert one.remove()
    assert two.loaded("v1", ["map_x"])
    assert two.remove()
    assert list(tmp_path.iterdir()) == []


def test_pins_count_once_they_are_committed(instance: Instance) -> None:
    """The ones before stay in force until they are retired."""
    with instance.locked():
        old = load(instance, "v1", "map_x")
        fresh = instance.begin()
        (fresh / "map_x").touch()
        assert instance.loaded("v1", ["map_x"]) == old
        assert instance.loaded("v2", ["map_x"]) is None
        new = instance.commit(fresh, "v2")
        assert instance.loaded("v1", ["map_x"]) == old
        assert instance.loaded("v2", ["map_x"]) == new
    instance.retire(new)
    assert list(instance.folder.iterdir()) == [new]


def test_what_was_begun_or_came_too_soon_is_taken_away_alone(instance: Instance) -> None:
    """What was in force stays; without it, nothing is left."""
    with instance.locked():
        old = load(instance, "v1", "map_x")
        instance.begin()
        instance.abandon()
        new = load(instance, "v2", "map_x")
    instance.discard(new)
    assert list(instance.folder.iterdir()) == [old]
    instance.discard(old)
    assert not instance.folder.exists()
    with instance.locked():
        instance.begin()
        instance.abandon()
    assert not instance.folder.parent.exists()


def test_pins_that_are_not_whole_do_not_count(instance: Instance) -> None:
    """One that somebody has removed makes the loader load again."""
    with instance.locked():
        pins = load(instance, "v1", "map_x", "link_y")
        assert instance.loaded("v1", ["map_x", "link_y"])
        (pins / "link_y").unlink()
        assert instance.loaded("v1", ["map_x", "link_y"]) is None
        assert load(instance, "v1", "map_x", "link_y") == pins


def test_half_made_pins_of_a_crash_are_cleared(instance: Instance) -> None:
    """The next loader begins with an empty folder."""
    with instance.locked():
        (instance.begin() / "map_x").touch()
    with instance.locked():
        assert list(instance.begin().iterdir()) == []


def test_removing_what_is_not_there_is_no_error(instance: Instance, tmp_path: Path) -> None:
    """It tells so, and makes nothing on the way."""
    assert not instance.remove()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("is_removed", [False, True])
def test_a_loader_waits_for_the_one_at_work(
    instance: Instance, tmp_path: Path, *, is_removed: bool
) -> None:
    """It gets a folder that is there, also where the other has taken it away at its end."""
    entered = threading.Event()

    def wait() -> None:
        with instance.locked():
            load(instance, "v1", "map_x")
            entered.set()

    with held(tmp_path) as other:
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert not entered.wait(0.2)
        if is_removed:
            instance.clear()
        assert other.stdin
        other.stdin.close()
        assert entered.wait(10)
        waiter.join()
    assert instance.loaded("v1", ["map_x"])


def test_removing_waits_for_the_loader_at_work(instance: Instance, tmp_path: Path) -> None:
    """It takes nothing from under its hands."""
    with held(tmp_path) as other:
        remover = threading.Thread(target=instance.remove)
        remover.start()
        remover.join(0.2)
        assert instance.folder.is_dir()
        assert other.stdin
        other.stdin.close()
        remover.join(10)
    assert not instance.folder.exists()


def test_a_loader_that_was_killed_holds_nothing(instance: Instance, tmp_path: Path) -> None:
    """The kernel lets go for it."""
    with held(tmp_path) as other:
        other.kill()
        other.wait()
        with instance.locked():
            assert instance.folder.is_dir()


@pytest.mark.kernel
@pytest.mark.parametrize("below", ["", "instance"])
def test_a_folder_of_another_user_is_refused(
    instance: Instance, tmp_path: Path, below: str
) -> None:
    """Who made it could take the pins away, so the text says whose it is."""
    folder = instance.folder if below else instance.folder.parent
    folder.mkdir(parents=True)
    os.chown(folder, 65534, 65534)
    with pytest.raises(SensorError, match=f"{folder} .* 65534"), instance.locked():
        pass
    assert list(tmp_path.rglob("new")) == []


def test_a_link_to_elsewhere_is_refused(instance: Instance, tmp_path: Path) -> None:
    """It could lead to another's folder."""
    (tmp_path / "elsewhere").mkdir()
    instance.folder.parent.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(SensorError, match="remove it"), instance.locked():
        pass
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_map_that_is_not_pinned_is_named(tmp_path: Path) -> None:
    """The remedy is to load again."""
    with pytest.raises(SensorError, match=r"map_records: no such pin; unload .* load"):
        Pins(tmp_path).map("records")


def test_what_is_attached_is_read_from_the_pins(tmp_path: Path) -> None:
    """Links are programs; maps are not."""
    for name in ("link_one", "link_two", "map_three"):
        (tmp_path / name).touch()
    assert Pins(tmp_path).attached() == {"one", "two"}


@pytest.mark.kernel
def test_a_program_that_is_attached_on_demand_is_opened_once(tmp_path: Path) -> None:
    """What the kernel counts of it would count twice; those with one pin are all there.

    But for stand-bys: they were to be run only if others were not.
    """
    with Scope() as scope, mounted_bpffs(tmp_path / "bpf") as pins:
        cgroup = os.open(scope.path, os.O_RDONLY)
        for name, kept in (
            ("one", ("prog", "link")),
            ("two", ("prog",)),
            ("three", ("link",)),
            (STAND_BYS[0].name, ("link",)),
        ):
            program = make_program(SKB, EGRESS)
            link = libbpf.attach_cgroup(program, cgroup, EGRESS)
            for kind in kept:
                libbpf.pin(program if kind == "prog" else link, str(pins / f"{kind}_{name}"))
            os.close(program)
            os.close(link)
        os.close(cgroup)
        before = open_here()
        programs = Pins(pins).programs()
        assert open_here() - before == 3
        assert programs.misses() == 0
