# SPDX-License-Identifier: Apache-2.0
"""The join of the machines' results."""

from __future__ import annotations

import pytest

from vm.report import Case, Outcome, Run, cases, complaints, features, skipped_everywhere, summary

JUNIT = """\
<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest">
<testcase classname="kernel.test_exec" name="test_a" time="1.0">
  <properties><property name="long" value="yes" /></properties>
</testcase>
<testcase classname="kernel.test_exec" name="test_b"><failure message="1">x</failure></testcase>
<testcase classname="kernel.test_lsm" name="test_c">
  <skipped type="pytest.skip" message="lsm">conftest.py:54: lsm</skipped>
</testcase>
<testcase classname="kernel.test_lsm" name="test_d">
  <skipped type="pytest.xfail" message="a bug of the kernel" />
</testcase>
<testcase classname="kernel.test_exec" name="test_e" />
<testcase classname="kernel.test_exec" name="test_e"><error message="teardown">x</error></testcase>
</testsuite></testsuites>
"""


def run(machine: str, *found: Case, trouble: str = "", log: str = "") -> Run:
    """Give a run of this machine."""
    return Run(
        machine=machine,
        release=f"{machine}.0-amd64",
        cases=found,
        features={},
        seconds=12.3,
        trouble=trouble,
        log=log,
    )


def passed(name: str) -> Case:
    """Give a test that passed."""
    return Case(name, Outcome.PASSED)


def skipped(name: str, word: str) -> Case:
    """Give a test that was skipped with this word."""
    return Case(name, Outcome.SKIPPED, word)


def test_a_junit_file_gives_each_test_once_with_its_worst_outcome() -> None:
    """A teardown that fails fails the test; an expected failure has run."""
    assert cases(JUNIT) == [
        Case("kernel.test_exec::test_a", Outcome.PASSED, seconds=1.0, is_long=True),
        Case("kernel.test_exec::test_b", Outcome.FAILED),
        Case("kernel.test_lsm::test_c", Outcome.SKIPPED, "lsm"),
        Case("kernel.test_lsm::test_d", Outcome.PASSED),
        Case("kernel.test_exec::test_e", Outcome.FAILED),
    ]


@pytest.mark.parametrize("text", ["", "<testsuites>", "no XML"])
def test_a_file_cut_short_is_an_error(text: str) -> None:
    """A guest that died while it wrote its results has none."""
    with pytest.raises(ValueError, match="not a JUnit file"):
        cases(text)


def test_a_test_that_one_machine_runs_is_not_skipped_everywhere() -> None:
    """Each need has to be met by one machine only; a failure has run as well."""
    host = run("host", skipped("a", "lsm"), skipped("b", "kprobe"), skipped("c", "lsm"))
    guest = run("6.1", passed("a"), skipped("b", "host-wide"), Case("c", Outcome.FAILED))
    assert skipped_everywhere([host, guest]) == {"b": ["host-wide", "kprobe"]}


def test_a_test_that_only_one_machine_knows_is_judged_by_that_one() -> None:
    """A machine that was given fewer tests does not count as having skipped the others."""
    guest = run("6.1", skipped("a", "fentry"))
    assert skipped_everywhere([guest, run("6.1 without bpf", passed("b"))]) == {"a": ["fentry"]}


def test_nothing_is_complained_of_where_all_is_well() -> None:
    """Passed somewhere and failed nowhere is good."""
    assert complaints([run("host", skipped("a", "lsm")), run("6.1", passed("a"))]) == []


@pytest.mark.parametrize(
    ("machine", "named"),
    [
        (run("6.1", passed("a"), Case("b", Outcome.FAILED), log="why b failed"), "why b failed"),
        (run("6.1", trouble="not up within 90 s", log="its last words"), "its last words"),
        (run("6.1"), "0 passed"),
    ],
    ids=["a test failed", "no results", "no tests"],
)
def test_a_machine_in_trouble_is_complained_of_with_its_log(machine: Run, named: str) -> None:
    """A machine that ran nothing is no success."""
    [complaint] = complaints([run("host", passed("a"), passed("b")), machine])
    assert named in complaint


def test_a_summary_counts_and_says_the_words_of_what_was_skipped() -> None:
    """One line says it all of a machine."""
    machine = run("6.1", passed("a"), skipped("b", "lsm"), skipped("c", "lsm"))
    assert summary(machine) == "6.1 (6.1.0-amd64): 1 passed, 0 failed, skipped: lsm 2 (12 s)"
    assert summary(run("6.1", trouble="died")) == "6.1 (6.1.0-amd64): died (12 s)"


def test_a_doctor_that_said_nothing_gives_no_features() -> None:
    """A guest in which it does not start still has its tests in the table."""
    assert features("") == {}


def test_a_run_of_all_tests_counts_those_of_guests() -> None:
    """What passed elsewhere is no matter here; what was skipped or failed elsewhere is."""
    whole = run(
        "a",
        passed("tests.kernel.test_a::test"),
        passed("tests.core.test_b::test"),
        passed("tests.daemon.test_c::test"),
        skipped("tests.core.test_d::test", "lsm"),
    )
    kept = whole.about(["tests/kernel", "tests/daemon/test_c.py"])
    assert [case.name for case in kept.cases] == [
        "tests.kernel.test_a::test",
        "tests.daemon.test_c::test",
        "tests.core.test_d::test",
    ]
