# SPDX-License-Identifier: Apache-2.0
"""Maps that are made from their shapes."""

from __future__ import annotations

import os

import pytest

from sensor.edge.libbpf import Map
from sensor.edge.libbpf_maps import make, shape
from sensor.errors import SensorError
from sensor.wire.code import Shape

pytestmark = pytest.mark.kernel

# include/uapi/linux/bpf.h: BPF_F_NO_PREALLOC
NO_PREALLOC = 1
SHAPES = {
    "hash": Shape(1, 4, 8, 64, NO_PREALLOC),
    "array": Shape(2, 4, 24, 2, 0),
    "percpu_array": Shape(6, 4, 4096, 1, 0),
    "cgroup_array": Shape(8, 4, 4, 1, 0),
    "lru_hash": Shape(9, 16, 8, 128, 0),
    "lpm_trie": Shape(11, 24, 8, 128, NO_PREALLOC),
    "sk_storage": Shape(24, 4, 300, 0, NO_PREALLOC),
    "ringbuf": Shape(27, 0, 0, os.sysconf("SC_PAGESIZE"), 0),
}


@pytest.mark.parametrize("wanted", SHAPES.values(), ids=SHAPES.keys())
def test_a_map_has_the_shape_that_it_was_made_by(wanted: Shape) -> None:
    """As the kernel says, for each kind that the probes use."""
    fd = make("a_name_that_is_longer_than_the_kernel_takes", wanted)
    assert shape(fd) == wanted
    os.close(fd)


def test_a_map_that_is_made_can_be_used() -> None:
    """It is empty at first."""
    table = Map(make("table", SHAPES["hash"]))
    assert table.lookup(b"key.", 8) is None
    table.update(b"key.", b"value...")
    assert table.lookup(b"key.", 8) == b"value..."


def test_a_map_that_cannot_be_is_an_error() -> None:
    """By its name."""
    with pytest.raises(SensorError, match="cannot make the map odd"):
        make("odd", Shape(2, 3, 8, 1, 0))
