# SPDX-License-Identifier: Apache-2.0
"""Layouts lay members end to end, as the C structs do that they stand for."""

from __future__ import annotations

from sensor.wire.layout import Layout

PAIR = Layout("Q at_ns", "I pid", "4s name")


def test_a_layout_has_no_padding() -> None:
    """Each member begins where the one before it ends."""
    assert PAIR.offsets() == {"at_ns": 0, "pid": 8, "name": 12}
    assert PAIR.size == 16


def test_what_is_packed_is_unpacked() -> None:
    """Packing and unpacking are inverse."""
    assert PAIR.unpack(PAIR.pack(1, 2, b"abcd")) == (1, 2, b"abcd")
