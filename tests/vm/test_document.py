# SPDX-License-Identifier: Apache-2.0
"""The page about kernels."""

from __future__ import annotations

from vm.document import document
from vm.report import Case, Outcome, Run


def run(machine: str, features: dict[str, str]) -> Run:
    """Give a run of one test."""
    case = Case("a", Outcome.PASSED)
    return Run(machine=machine, release="r", cases=(case,), features=features, seconds=9)


def test_the_page_has_a_row_a_machine_and_a_column_a_kernel() -> None:
    """A feature that a kernel was not asked for is no feature that it lacks."""
    runs = [run("6.1", {"ring buffer": "yes"}), run("6.12", {"ring buffer": "yes", "lsm": "no"})]
    page = document(runs, {"5.10": "the mirror has no suite so-and-so"}, "2026-11-23")
    assert "| 6.1 | r | 1 | 0 | none | 9 s |  |" in page
    assert "| lsm | not asked | no |" in page
    assert "5.10 was not run: the mirror has no suite so-and-so." in page


def test_the_page_says_what_is_not_run_each_time() -> None:
    """A reader learns which of the results may be old."""
    page = document([], {}, "2026-11-23")
    assert "run 6.1 and 6.12, 6.1 without bpf" in page
    assert "5.10" in page
