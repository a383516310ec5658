# SPDX-License-Identifier: Apache-2.0
"""Recall on real tools: each as it was installed and in disguise, and what it was taken for.

Every tool only tells its version or its options, in a network of its own. The
policy would block all of them, and goes no further.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.confusion import ABSENT, OTHER, SEEN, UNSEEN, Table, Trial
from support.lab import Lab
from support.policing import policing
from support.runners import filled
from support.survey import ELSEWHERE, SURVEY, Surveyed
from support.tools import NoPythonError, cache, installed
from support.ways import WAYS, Start, Subject, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

POLICY = """
mode = "shadow"
[[rule]]
id = "no-agents"
tools = ["*"]
verdict = "block"
"""


@pytest.fixture(scope="module")
def table() -> Table:
    """Give what the last test prints."""
    return Table()


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """Give a daemon that observes a scope, and a lab for what runs in it."""
    with policing(tmp_path_factory.mktemp("police")) as police, Lab() as lab:
        police.start(POLICY)
        yield Trial(police, lab)


def there(tool: Surveyed) -> list[Subject]:
    """Install a tool, or skip it with the reason."""
    try:
        installed(tool.package)
    except (NoPythonError, subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        pytest.skip(f"{tool.package.name} cannot be installed here: {error}")
    return subjects(tool)


def started(subject: Subject, way: str, folder: Path) -> Start | str:
    """Make ready a start, or say why it cannot be."""
    start = WAYS[way](subject, folder)
    if way in {"npx", "uvx"} and isinstance(start, Start) and (problem := filled(subject.tool)):
        return problem
    return start


@pytest.mark.parametrize(
    "tool", SURVEY, ids=lambda one: f"{one.tool}-{one.package.registry.name}".lower()
)
def test_a_tool_is_known(tool: Surveyed, trial: Trial, table: Table) -> None:
    """However it is started it is seen; the table has what it is taken for."""
    for subject in there(tool):
        attempts, made = {}, []
        trial.begin()
        folder = Path(tempfile.mkdtemp(prefix="ways-", dir=cache()))
        try:
            for number, way in enumerate(WAYS):
                own = folder / str(number)
                own.mkdir()
                start = started(subject, way, own)
                if isinstance(start, Start):
                    attempts[way] = trial.run((*start.argv, *tool.arguments), start.env)
                    made += [start.made] if start.made else []
                else:
                    table.put(subject.name, way, ABSENT)
            trial.settle()
        finally:
            for path in made:
                path.unlink()
            shutil.rmtree(folder)
        for way, attempt in attempts.items():
            taken = trial.takes(attempt)
            outcome = taken.outcome((tool.tool, *tool.also))
            table.put(subject.name, way, outcome)
            if outcome != SEEN or attempt.status != 0:
                table.notes.append(f"{subject.name}, {way}: {outcome} {sorted(taken.tools)}, "
                                   f"status {attempt.status} {attempt.said[-200:]!r}")  # fmt: skip
        cells = table.cells[subject.name]
        assert cells["installed"] == SEEN
        assert UNSEEN not in cells.values(), cells


def test_the_table_is_printed(table: Table, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is taken for another tool than it is, however it is started."""
    with capsys.disabled():
        print(f"\n\n{table.whole(list(WAYS))}\n")  # noqa: T201
        print(table.counts(list(WAYS), [SEEN, UNSEEN, OTHER, ABSENT]))  # noqa: T201
        for name, where in ELSEWHERE.items():
            print(f"not tried: {name} ({where})")  # noqa: T201
        print("\n".join(table.notes))  # noqa: T201
    assert [row for row, cells in table.cells.items() if OTHER in cells.values()] == []
