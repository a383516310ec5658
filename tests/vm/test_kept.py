# SPDX-License-Identifier: Apache-2.0
"""Results add up as long as they are about the same."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from vm.kept import JOURNAL, Kept, digests
from vm.report import Outcome

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"tests/kernel/test_a.py": "1", "tests/kernel/test_b.py": "2"}


def line(name: str, outcome: str = "passed") -> str:
    """Write a line of a journal."""
    told = {"name": name, "outcome": outcome, "reason": "", "seconds": 1.5, "long": True}
    return json.dumps(told) + "\n"


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """Give the results of a run that was cut off in the middle of a line."""
    kept = Kept(tmp_path / "6.1")
    kept.prepare("6.1.0", FILES, goes_on=False)
    lines = [line("tests.kernel.test_a::x", "failed"), line("tests.kernel.test_b::y"), '{"na']
    (kept.folder / JOURNAL).write_text("".join(lines), "utf-8")
    kept.add(10, "")
    return Kept(tmp_path / "6.1")


def names(kept: Kept) -> list[str]:
    """Name the tests that count."""
    return [case.name for case in kept.cases()]


def test_a_run_that_goes_on_has_what_was_there(kept: Kept) -> None:
    """And the time that it took; the last result of a test is the one that counts."""
    kept.prepare("6.1.0", FILES, goes_on=True)
    assert names(kept) == ["tests.kernel.test_a::x", "tests.kernel.test_b::y"]
    with (kept.folder / JOURNAL).open("a") as journal:
        journal.write(line("tests.kernel.test_a::x"))
    kept.add(5, "kernel")
    assert {case.outcome for case in kept.cases()} == {Outcome.PASSED}
    assert (kept.about.seconds, kept.about.through) == (15, ["kernel"])
    kept.prepare("6.1.0", FILES, goes_on=True)
    assert kept.about.through == ["kernel"]


@pytest.mark.parametrize(
    ("release", "files", "left"),
    [
        ("6.1.0", FILES | {"tests/kernel/test_a.py": "3"}, ["tests.kernel.test_b::y"]),
        ("6.1.0", {"tests/kernel/test_b.py": "2"}, ["tests.kernel.test_b::y"]),
        ("6.1.1", FILES, []),
    ],
    ids=["a file changed", "a file is gone", "another kernel"],
)
def test_what_is_about_something_else_does_not_count(
    kept: Kept, release: str, files: dict[str, str], left: list[str]
) -> None:
    """Nor is the whole through then."""
    kept.prepare("6.1.0", FILES, goes_on=True)
    kept.about.through = ["kernel"]
    kept.prepare(release, files, goes_on=True)
    assert names(kept) == left
    assert kept.about.through == []


def test_a_run_that_failed_is_not_through(kept: Kept) -> None:
    """Its next one runs what failed."""
    kept.prepare("6.1.0", FILES, goes_on=True)
    kept.add(5, "kernel")
    assert kept.about.through == []


def test_a_run_of_its_own_has_nothing(kept: Kept) -> None:
    """Unless it is asked to go on."""
    kept.prepare("6.1.0", FILES, goes_on=False)
    assert names(kept) == []
    assert kept.about.seconds == 0


def test_a_file_of_tests_is_summed_up_with_what_all_depend_on(tmp_path: Path) -> None:
    """A change of another file of tests is none of its concern; one of the sensor's is."""
    for name in ("sensor/a.py", "tests/kernel/test_a.py", "tests/kernel/test_b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    before = digests(tmp_path, [*FILES])
    (tmp_path / "tests/kernel/test_b.py").write_text("x")
    after = digests(tmp_path, [*FILES])
    assert [before[name] == after[name] for name in FILES] == [True, False]
    (tmp_path / "sensor/a.py").write_text("x")
    assert digests(tmp_path, [*FILES]).items().isdisjoint(after.items())
