# SPDX-License-Identifier: Apache-2.0
"""Pins, maps, links and the ring buffer, against the kernel itself."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING

import pytest
from support.bpf import MapKind, make_map, only_one_program, possible_cpus
from support.host import BPFFS, Host
from support.loading import Loaded, loading
from support.scope import Scope

from sensor.daemon.catalogues import catalogue
from sensor.daemon.probing import Probing
from sensor.edge import libbpf
from sensor.errors import NoRoomError, NotPermittedError, SensorError
from sensor.wire.programs import MAPS, PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel

KEY, VALUE = b"key.", b"value..."
NO_DESCRIPTOR = 1_000_000


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Give loaded probes that know the catalogue."""
    with loading(tmp_path_factory.mktemp("tool")) as loaded:
        Probing(loaded.pins, lambda _: None).teach(catalogue())
        yield loaded


@pytest.fixture
def bpffs() -> Iterator[Path]:
    """Give a bpffs that nobody else sees."""
    with Host() as host:
        yield host.seen(BPFFS)


def test_an_entry_is_there_until_it_is_deleted() -> None:
    """Deleting twice is no error, and what is not there is None."""
    table = libbpf.Map(make_map(MapKind.HASH))
    assert table.lookup(KEY, len(VALUE)) is None
    table.update(KEY, VALUE)
    table.update(KEY, VALUE[::-1])
    assert table.lookup(KEY, len(VALUE)) == VALUE[::-1]
    table.delete(KEY)
    table.delete(KEY)
    assert table.lookup(KEY, len(VALUE)) is None


def test_only_what_is_there_is_replaced() -> None:
    """And only what is not there is inserted."""
    table = libbpf.Map(make_map(MapKind.HASH))
    assert not table.replace(KEY, VALUE)
    assert table.lookup(KEY, len(VALUE)) is None
    assert table.insert(KEY, VALUE)
    assert not table.insert(KEY, VALUE[::-1])
    with pytest.raises(NoRoomError, match="full"):
        table.insert(KEY[::-1], VALUE)
    assert table.replace(KEY, VALUE[::-1])
    assert table.lookup(KEY, len(VALUE)) == VALUE[::-1]


def test_a_full_map_is_an_error() -> None:
    """An entry that cannot be written is never dropped in silence."""
    table = libbpf.Map(make_map(MapKind.HASH))
    table.update(KEY, VALUE)
    with pytest.raises(SensorError, match="cannot write a map entry"):
        table.update(KEY[::-1], VALUE)


def test_slots_are_summed_over_all_cpus() -> None:
    """Each CPU has a count of its own; sums are of 64 bits."""
    possible = possible_cpus()
    table = libbpf.Map(make_map(MapKind.PERCPU_ARRAY, entries=2))
    counts = [2**33 + cpu for cpu in range(possible)]
    table.update(struct.pack("=I", 1), struct.pack(f"={possible}Q", *counts))
    assert list(table.sums(2)) == [0, sum(counts)]


def test_a_pin_opens_what_was_pinned(bpffs: Path) -> None:
    """It is the same map, through another descriptor, also when the first is closed."""
    path = str(bpffs / "map")
    fd = make_map(MapKind.HASH)
    libbpf.Map(fd).update(KEY, VALUE)
    libbpf.pin(fd, path)
    os.close(fd)
    assert libbpf.Map(libbpf.open_pin(path)).lookup(KEY, len(VALUE)) == VALUE


def test_a_pin_that_is_not_there_is_named(bpffs: Path) -> None:
    """The text has the path and the kernel's word."""
    with pytest.raises(SensorError, match=r"cannot open the pin .*/none: No such file"):
        libbpf.open_pin(str(bpffs / "none"))


def test_a_pin_is_never_replaced(bpffs: Path) -> None:
    """What has the name keeps it."""
    path = str(bpffs / "map")
    libbpf.pin(make_map(MapKind.HASH), path)
    with pytest.raises(SensorError, match=r"cannot pin .*/map: File exists"):
        libbpf.pin(make_map(MapKind.HASH), path)


def test_a_pin_goes_to_a_bpffs_and_nowhere_else(tmp_path: Path) -> None:
    """Other file systems cannot hold it, which is a matter of rights for the kernel."""
    with pytest.raises(NotPermittedError, match="cannot pin"):
        libbpf.pin(make_map(MapKind.HASH), str(tmp_path / "map"))


@pytest.mark.parametrize(
    ("attach", "text"),
    [
        (lambda fd: libbpf.attach_raw_tracepoint(fd, "sched_process_exec"), "sched_process_exec"),
        (lambda fd: libbpf.attach_cgroup(fd, fd, 10), r"cgroup \(type 10\)"),
        (libbpf.program_of, "link"),
    ],
)
def test_what_is_no_program_is_not_attached(attach: object, text: str) -> None:
    """The text names what was to be done."""
    assert callable(attach)
    with pytest.raises(SensorError, match=text):
        attach(NO_DESCRIPTOR)


def test_a_cgroup_that_admits_no_program_says_who_is_in_the_way(loaded: Loaded) -> None:
    """Root does not help there, so the remedy names another."""
    with Scope() as scope, only_one_program(scope):
        said = loaded.host.sensor("load", "--json", "--scope", scope.path)
        unloaded = loaded.host.sensor("unload", "--scope", scope.path)
    assert said.status == 0
    assert "bpftool cgroup tree" in said.out
    assert unloaded.status == 0


def test_a_link_names_its_program(loaded: Loaded) -> None:
    """Every pinned link holds a program of its own."""
    links = [libbpf.open_pin(str(path)) for path in loaded.folder.glob("link_*")]
    ids = {libbpf.program_of(link) for link in links}
    assert len(ids) == len(links) >= len([one for one in PROGRAMS if not one.on_demand])
    assert all(ids)


def test_all_maps_are_pinned(loaded: Loaded) -> None:
    """Each can be opened by its name."""
    assert {path.name for path in loaded.folder.glob("map_*")} == {f"map_{name}" for name in MAPS}
    assert all(loaded.pins.map(name).fd > 0 for name in MAPS)


def test_a_map_is_asked_for_before_it_is_needed() -> None:
    """Zero is yes; all else is the kernel's errno."""
    assert libbpf.try_map(MapKind.RING, 4096) == 0
    assert libbpf.try_map(MapKind.RING, 1) > 0
