# SPDX-License-Identifier: Apache-2.0
"""Amounts are written short, with their unit."""

from __future__ import annotations

import pytest

from sensor.core.units import count, duration, size


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (12_595, "12.3 KiB"),
        (5 * 1024**2, "5.0 MiB"),
        (2**64 - 1, "16.0 EiB"),
    ],
)
def test_a_size_has_a_binary_unit(amount: int, text: str) -> None:
    """Bytes are whole, the rest has one decimal."""
    assert size(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0, "0 ns"),
        (999, "999 ns"),
        (1_500, "1 us"),
        (350_000_000, "350 ms"),
        (1_200_000_000, "1.2 s"),
        (59_940_000_000, "59.9 s"),
        (59_999_000_000, "59.9 s"),
        (60_000_000_000, "1 min 0 s"),
        (184_000_000_000, "3 min 4 s"),
        (7_500_000_000_000, "2 h 5 min"),
    ],
)
def test_a_duration_has_the_unit_that_suits_it(amount: int, text: str) -> None:
    """What has not passed is not counted: durations are cut, not rounded."""
    assert duration(amount) == text


def test_a_noun_agrees_with_its_count() -> None:
    """One process, no processes."""
    assert count(1, "process", "processes") == "1 process"
    assert count(0, "process", "processes") == "0 processes"
