# SPDX-License-Identifier: Apache-2.0
"""The ring buffer from the consumer's side, against the kernel itself."""

from __future__ import annotations

import selectors
from typing import TYPE_CHECKING

import pytest
from support.loading import Loaded, loading

from sensor.core.facts import Exec
from sensor.daemon.catalogues import catalogue
from sensor.daemon.probing import Probing
from sensor.edge.libbpf import Map
from sensor.edge.libbpf_ring import Ring
from sensor.errors import SensorError
from sensor.wire import probe

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

NO_DESCRIPTOR = 1_000_000


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Give loaded probes that know the catalogue."""
    with loading(tmp_path_factory.mktemp("tool")) as loaded:
        Probing(loaded.pins, lambda _: None).teach(catalogue())
        yield loaded


def test_what_is_no_ring_is_not_mapped() -> None:
    """The error says what could not be done."""
    with pytest.raises(SensorError, match="ring buffer"):
        Ring(Map(NO_DESCRIPTOR), lambda _: None)


def ring(loaded: Loaded, records: list[bytes]) -> Ring:
    """Open the ring buffer of the probes; nothing waits in it."""
    opened = Ring(loaded.pins.map("records"), records.append)
    opened.consume()
    records.clear()
    return opened


def test_the_ring_gives_each_record_once(loaded: Loaded) -> None:
    """Records come as bytes, in their order, and consume tells how many."""
    records: list[bytes] = []
    opened = ring(loaded, records)
    pids = [loaded.run_tool() for _ in range(3)]
    count = opened.consume()
    facts = [probe.read(record) for record in records]
    assert count == len(facts)
    execs = [fact.process.pid for fact in facts if isinstance(fact, Exec)]
    assert execs == pids
    assert opened.consume() == 0
    opened.close()


def test_what_the_taker_raises_comes_out_of_consume(loaded: Loaded) -> None:
    """The record that it was raised for is gone; those behind it are still there."""
    taken: list[bytes] = []

    def take(record: bytes) -> None:
        taken.append(record)
        if len(taken) == 1:
            raise KeyboardInterrupt

    ring(loaded, []).close()
    opened = Ring(loaded.pins.map("records"), take)
    loaded.run_tool()
    loaded.run_tool()
    with pytest.raises(KeyboardInterrupt):
        opened.consume()
    assert len(taken) == 1
    left = opened.consume()
    assert len(taken) == 1 + left
    assert left >= 3
    assert len(set(taken)) == len(taken)
    opened.close()


def test_a_ring_is_readable_when_records_wait(loaded: Loaded) -> None:
    """A selector wakes on it, and only then."""
    opened = ring(loaded, [])
    with selectors.DefaultSelector() as selector:
        selector.register(opened, selectors.EVENT_READ)
        assert selector.select(0) == []
        loaded.run_tool()
        assert selector.select(10)
        opened.consume()
        assert selector.select(0) == []
    opened.close()
    opened.close()


def test_a_ring_is_drained_when_all_is_read(loaded: Loaded) -> None:
    """And not while something waits."""
    opened = ring(loaded, [])
    assert opened.is_drained()
    loaded.run_tool()
    assert not opened.is_drained()
    position = opened.reserved()
    assert not opened.has_read(position)
    opened.consume()
    assert opened.is_drained()
    assert opened.has_read(position)
    opened.close()
