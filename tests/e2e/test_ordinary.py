# SPDX-License-Identifier: Apache-2.0
"""Precision on real software: what builds run, and strangers of a tool's name, are refused by none.

The policy blocks every tool and is enforced, in a scope of the test's own.
"""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.confusion import Table, Trial
from support.lab import Lab
from support.ordinary import SHELVES, STRANGERS, commands, of_the_host
from support.policing import policing
from support.tools import installed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from support.ordinary import Shelf
    from support.tools import Package

pytestmark = pytest.mark.e2e

POLICY = """
mode = "enforce"
[[rule]]
id = "no-agents"
tools = ["*"]
verdict = "block"
"""
VERDICTS = BLOCKED, ALERTED, CLEAN = "blocked", "alerted", "clean"
COLUMN = "verdict"


@pytest.fixture(scope="module")
def table() -> Table:
    """Give what the last test prints."""
    return Table()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Give a daemon that refuses every tool in a scope, and a lab for what runs in it."""
    with policing(tmp_path_factory.mktemp("police")) as police, Lab() as lab:
        police.start(POLICY)
        yield Trial(police, lab)


def judge(trial: Trial, table: Table, programs: Iterable[tuple[str, list[str]]], of: str) -> None:
    """Run each program, and put what came of it into the table."""
    trial.begin()
    attempts = {name: trial.run(argv) for name, argv in programs}
    trial.settle()
    for name, attempt in attempts.items():
        taken = trial.takes(attempt)
        verdict = BLOCKED if "block" in taken.verdicts else ALERTED if taken.tools else CLEAN
        table.put(f"{of}: {name}", COLUMN, verdict)
        if verdict != CLEAN or attempt.status != 0:
            table.notes.append(f"{of}: {name}: {verdict} {sorted(taken.tools)}, "
                               f"status {attempt.status} {attempt.said[-200:]!r}")  # fmt: skip
    assert [row for row, cells in table.cells.items() if cells[COLUMN] == BLOCKED] == []


@pytest.mark.parametrize("shelf", [*SHELVES, *STRANGERS], ids=lambda one: one.name)
def test_no_program_is_refused(shelf: Shelf, trial: Trial, table: Table) -> None:
    """Nor ended after its start."""
    try:
        programs = list(commands(shelf))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{shelf.name} cannot be installed here: {error}")
    judge(trial, table, programs, shelf.name)


def test_no_program_of_the_host_is_refused(trial: Trial, table: Table) -> None:
    """What every build runs."""
    judge(trial, table, of_the_host(), "host")


@pytest.mark.parametrize("package", [tools.CODEX, tools.GEMINI_CLI], ids=lambda one: one.program)
def test_the_tool_of_a_stranger_s_name_is_ended(package: Package, trial: Trial) -> None:
    """By the manifest that it came with; the kernel alone would not have."""
    trial.begin()
    attempt = trial.run([installed(package), "--help"])
    trial.settle()
    assert "block" in trial.takes(attempt).verdicts
    assert attempt.status != 0


def test_the_verdicts_are_printed(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    """What was told at all is named."""
    with capsys.disabled():
        print(f"\n\n{table.counts([COLUMN], VERDICTS)}")  # noqa: T201
        print("\n".join(table.notes))  # noqa: T201
    assert table.cells
