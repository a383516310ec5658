# SPDX-License-Identifier: Apache-2.0
"""A pytest plugin that writes down each test as it ends, so that a run that is cut off keeps it.

``-p vm.journal`` with ``AGENT_SENSOR_JOURNAL=FILE``: a line of JSON a test. What the
file has already as passed or skipped is not run again.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

VARIABLE = "AGENT_SENSOR_JOURNAL"
# Set by tests/conftest.py; in a JUnit file it is there as well.
LONG = ("long", "yes")
GOOD = ("passed", "skipped")

# Of the test that runs, what its phases have come to so far.
_phases: list[pytest.TestReport] = []


def name_of(nodeid: str) -> str:
    """Name a test as a JUnit file does: ``tests.kernel.test_exec::test_a[path]``."""
    file, _, test = nodeid.partition("::")
    return f"{file.removesuffix('.py').replace('/', '.')}::{test}"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was through before."""
    try:
        lines = _journal().read_text("utf-8").splitlines()
    except FileNotFoundError:
        lines = []
    through = {one["name"] for one in map(json.loads, lines) if one["outcome"] in GOOD}
    before = [item for item in items if name_of(item.nodeid) in through]
    config.hook.pytest_deselected(items=before)
    items[:] = [item for item in items if name_of(item.nodeid) not in through]


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Write the test's line when its last phase has ended."""
    _phases.append(report)
    if report.when != "teardown":
        return
    phases, _phases[:] = _phases[:], []
    with _journal().open("a", encoding="utf-8") as journal:
        journal.write(json.dumps(entry(phases)) + "\n")


def entry(phases: list[pytest.TestReport]) -> dict[str, object]:
    """Say what a test came to; an expected failure has run."""
    outcome, reason = "passed", ""
    for phase in phases:
        if phase.skipped and not hasattr(phase, "wasxfail"):
            outcome, reason = "skipped", _word(phase)
    if any(phase.failed for phase in phases):
        outcome, reason = "failed", ""
    return {
        "name": name_of(phases[0].nodeid),
        "outcome": outcome,
        "reason": reason,
        "seconds": round(sum(phase.duration for phase in phases), 2),
        "long": LONG in phases[0].user_properties,
    }


def _word(phase: pytest.TestReport) -> str:
    """Give what a test was skipped with."""
    text = phase.longrepr[2] if isinstance(phase.longrepr, tuple) else str(phase.longrepr)
    return text.removeprefix("Skipped: ")


def _journal() -> Path:
    return Path(os.environ[VARIABLE])
