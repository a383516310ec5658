# SPDX-License-Identifier: Apache-2.0
"""What guests are told to run."""

from __future__ import annotations

from pathlib import Path

from vm.suite import KERNEL_TESTS, LSM_TESTS, Suite, files_like, files_with_needs, is_long


def test_a_test_that_needs_something_is_run_in_guests_wherever_it_stands() -> None:
    """Such a file outside the folder of the kernel tests is named; those in it are there anyway."""
    found = files_with_needs()
    assert "tests/daemon/test_checkup.py" in found
    assert not {*found} & {*files_like(KERNEL_TESTS)}


def test_a_file_of_long_tests_is_told_by_its_mark() -> None:
    """One that has others too is not."""
    assert is_long("tests/kernel/test_refuse_races.py")
    assert not is_long("tests/kernel/test_refuse_exec.py")


def test_the_guest_without_bpf_has_something_to_run() -> None:
    """Otherwise it would prove nothing."""
    assert "tests/kernel/test_lsm.py" in files_like(LSM_TESTS)


def test_a_piece_of_a_run_is_about_the_machines_that_are_named() -> None:
    """Without a name it is about all of them."""
    whole = Suite(cache=Path("x"), everything=True, long=False)
    piece = Suite(cache=Path("x"), everything=True, long=False, machines=("5.10", "6.12"))
    names = ("this machine", "5.10", "6.1", "6.12", "6.1 without bpf")
    assert [name for name in names if whole.is_asked(name)] == [*names]
    assert [name for name in names if piece.is_asked(name)] == ["5.10", "6.12"]
