# SPDX-License-Identifier: Apache-2.0
"""Amounts for people to read: at most four digits and a unit."""

from __future__ import annotations

_SIZES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_SHORT = ((1_000, 1, "ns"), (1_000_000, 1_000, "us"), (1_000_000_000, 1_000_000, "ms"))
_TENTH_NS = 100_000_000
_SECOND_NS = 1_000_000_000
_MINUTE_S = 60
_HOUR_S = 3600
_STEP = 1024  # from one binary unit to the next (IEC 80000-13)


def size(amount_bytes: int) -> str:
    """Write a size like ``12.3 KiB``."""
    amount = float(amount_bytes)
    for unit in _SIZES[:-1]:
        if amount < _STEP:
            return f"{amount_bytes} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= _STEP
    return f"{amount:.1f} {_SIZES[-1]}"


def duration(amount_ns: int) -> str:
    """Write a duration like ``350 ms``, ``1.2 s``, ``3 min 4 s`` or ``2 h 5 min``, rounded down."""
    for below, divisor, unit in _SHORT:
        if amount_ns < below:
            return f"{amount_ns // divisor} {unit}"
    seconds = amount_ns // _SECOND_NS
    if seconds < _MINUTE_S:
        return f"{seconds}.{amount_ns % _SECOND_NS // _TENTH_NS} s"
    if seconds < _HOUR_S:
        return f"{seconds // _MINUTE_S} min {seconds % _MINUTE_S} s"
    return f"{seconds // _HOUR_S} h {seconds % _HOUR_S // _MINUTE_S} min"


def count(amount: int, one: str, several: str) -> str:
    """Write a count with its noun."""
    return f"{amount} {one if amount == 1 else several}"
