# SPDX-License-Identifier: Apache-2.0
"""Counts are exact, and no stranger makes series without end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.event import Event, Kind, Verdict
from sensor.core.metrics import MOST_VALUES, OTHER, Metrics, Readings

if TYPE_CHECKING:
    from sensor.core.metrics import Family

NOW = Readings(
    started_s=1_700_000_000.5, sessions=2, unstored=3, store_bytes=4096, store_works=True,
    readers=4, skipped=5, undelivered=6,
)  # fmt: skip
EXEC = Event(
    v=1, seq=1, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=1_000_000_000,
    kind=Kind.EXEC, verdict=Verdict.ALERT, tool="codex",
)  # fmt: skip
LOSS = replace(EXEC, kind=Kind.LOSS, verdict=None, tool=None, loss=("exec", 23))


def families(metrics: Metrics) -> dict[str, Family]:
    """Give the metrics by their names."""
    return {one.name: one for one in metrics.families(NOW)}


def test_events_are_counted_by_kind_verdict_and_tool() -> None:
    """What has no verdict or no tool is none."""
    metrics = Metrics()
    metrics.count([EXEC, EXEC, LOSS], now_ns=0)
    counted = families(metrics)["agent_sensor_events"]
    assert counted.labels == ("kind", "verdict", "tool")
    assert counted.samples == {("exec", "alert", "codex"): 2, ("loss", "none", "none"): 1}


def test_losses_are_counted_by_what_was_lost() -> None:
    """By how much, not by how often it was told."""
    metrics = Metrics()
    metrics.count([LOSS, LOSS, replace(LOSS, loss=("fork", 1))], now_ns=0)
    assert families(metrics)["agent_sensor_lost"].samples == {("exec",): 46, ("fork",): 1}


def test_labels_are_bounded() -> None:
    """Of tools without end the last are others, and none is uncounted."""
    metrics = Metrics()
    metrics.count([replace(EXEC, tool=f"tool-{n}") for n in range(2 * MOST_VALUES)], now_ns=0)
    metrics.count([EXEC], now_ns=0)
    samples = families(metrics)["agent_sensor_events"].samples
    assert len(samples) < MOST_VALUES
    assert sum(samples.values()) == 2 * MOST_VALUES + 1
    assert samples["exec", "alert", OTHER] > MOST_VALUES


def test_readings_are_given_as_they_are() -> None:
    """Each under its name, counters told from gauges."""
    shown = families(Metrics())
    values = {
        name.removeprefix("agent_sensor_"): (one.samples[()], one.is_counter)
        for name, one in shown.items()
        if not one.labels
    }
    assert values == {
        "unstored": (3, True), "skipped": (5, True), "undelivered": (6, True), "up": (1, False),
        "start_time_seconds": (1_700_000_000.5, False), "sessions": (2, False),
        "store_bytes": (4096, False), "store_works": (1, False), "readers": (4, False),
        "ring_lag_seconds": (0.0, False),
    }  # fmt: skip


def test_the_lag_is_the_age_of_the_oldest_told_last() -> None:
    """No events leave it as it was, and a clock's step back is no age."""
    metrics = Metrics()
    metrics.count([EXEC, replace(EXEC, at_ns=2_000_000_000)], now_ns=2_500_000_000)
    metrics.count([], now_ns=9_000_000_000)
    assert families(metrics)["agent_sensor_ring_lag_seconds"].samples == {(): 1.5}
    metrics.count([EXEC], now_ns=0)
    assert families(metrics)["agent_sensor_ring_lag_seconds"].samples == {(): 0.0}
