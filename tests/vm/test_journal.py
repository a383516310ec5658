# SPDX-License-Identifier: Apache-2.0
"""Each test is written down as it ends, and not run again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from vm.journal import VARIABLE, name_of

TESTS = Path(__file__).parent.parent
SUITE = """
import os, pytest

@pytest.fixture
def broken():
    yield
    assert False

def test_good(): pass
def test_bad(): assert False
def test_broken(broken): pass
@pytest.mark.xfail
def test_expected(): assert False
@pytest.mark.parametrize("a", ["x::y"])
def test_skipped(a): pytest.skip("lsm")
def test_fatal(): os._exit(9)
"""
CONFTEST = """
def pytest_collection_modifyitems(items):
    items[0].user_properties.append(("long", "yes"))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with tests, the last of which ends the whole run."""
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel/test_it.py").write_text(SUITE, "utf-8")
    (tmp_path / "kernel/conftest.py").write_text(CONFTEST, "utf-8")
    return tmp_path


def play(folder: Path, *options: str) -> list[dict[str, object]]:
    """Run the tests with the plugin; give the lines of the journal."""
    journal = folder / "journal"
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "vm.journal", f"--rootdir={folder}", *options],
        cwd=folder, capture_output=True, check=False,
        env=os.environ | {"PYTHONPATH": str(TESTS), VARIABLE: str(journal)},
    )  # fmt: skip
    return [json.loads(line) for line in journal.read_text("utf-8").splitlines()]


def test_a_run_that_dies_has_told_all_before(folder: Path) -> None:
    """With outcome, reason, and whether it is long; a teardown that fails fails the test."""
    told = {str(one["name"]): one for one in play(folder)}
    names = ["test_good", "test_bad", "test_broken", "test_expected", "test_skipped[x::y]"]
    assert [*told] == [f"kernel.test_it::{name}" for name in names]
    assert [(one["outcome"], one["reason"], one["long"]) for one in told.values()] == [
        ("passed", "", True),
        ("failed", "", False),
        ("failed", "", False),
        ("passed", "", False),
        ("skipped", "lsm", False),
    ]


def test_what_is_through_is_not_run_again(folder: Path) -> None:
    """What has failed is, and what was not reached."""
    first = play(folder)
    again = play(folder, "--deselect=kernel/test_it.py::test_fatal")[len(first) :]
    assert [one["name"] for one in again] == [
        "kernel.test_it::test_bad",
        "kernel.test_it::test_broken",
    ]


def test_a_test_is_named_as_in_a_junit_file() -> None:
    """Results of both kinds are laid side by side."""
    assert name_of("tests/kernel/test_a.py::test_b[c]") == "tests.kernel.test_a::test_b[c]"
