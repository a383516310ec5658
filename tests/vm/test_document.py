# SPDX-License-Identifier: Apache-2.0
"""The page about kernels."""

from __future__ import annotations

from dataclasses import replace

from vm.document import document
from vm.report import Case, Outcome, Run


def run(machine: str, features: dict[str, str]) -> Run:
    """Give a run of one test."""
    case = Case("tests.kernel.test_a::b", Outcome.PASSED)
    return Run(machine=machine, release="r", cases=(case,), features=features, seconds=9)


def with_long(machine: str) -> Run:
    """Give a run of a long test as well."""
    more = Case("tests.kernel.test_c::d", Outcome.PASSED, seconds=12.4, is_long=True)
    found = run(machine, {})
    return replace(found, cases=(*found.cases, more))


def test_the_page_has_a_row_a_machine_and_a_column_a_kernel() -> None:
    """A feature that a kernel was not asked for is no feature that it lacks."""
    runs = [run("6.1", {"ring buffer": "yes"}), run("6.12", {"ring buffer": "yes", "lsm": "no"})]
    page = document(runs, {"5.10": "the mirror has no suite so-and-so"}, "2026-11-23")
    assert "| 6.1 | r | 1 | 0 | 0 | none | 9 s |  |" in page
    assert "| lsm | not asked | no |" in page
    assert "5.10 was not run: the mirror has no suite so-and-so." in page


def test_the_page_says_what_is_not_run_each_time() -> None:
    """A reader learns which of the results may be old."""
    page = document([], {}, "2026-11-23")
    assert "run 6.1 and 6.12, 6.1 without bpf" in page
    assert "5.10" in page


def test_a_page_without_long_tests_says_so() -> None:
    """A machine of its own, which runs them each time, is no guest."""
    page = document([with_long("this machine"), run("6.1", {})], {}, "2026-11-23")
    assert "no guest ran a test marked `long`" in page


def test_long_tests_have_a_row_a_file() -> None:
    """And the guests that ran none of them are named."""
    page = document([with_long("6.12"), run("6.1", {})], {}, "2026-11-23")
    assert "| test_c | 1 passed, 12 s |" in page
    assert "6.1 ran none of them above." in page


def test_a_machine_whose_pieces_are_not_all_there_is_no_whole() -> None:
    """Or a few tests that passed would be taken for all of them."""
    part = replace(run("6.1", {}), is_part=True)
    assert "| 9 s | not all was run |" in document([part], {}, "2026-11-23")
