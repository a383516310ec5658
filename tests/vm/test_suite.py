# SPDX-License-Identifier: Apache-2.0
"""What guests are told to run."""

from __future__ import annotations

from vm.suite import KERNEL_TESTS, LSM_TESTS, files_like, files_with_needs


def test_a_test_that_needs_something_is_run_in_guests_wherever_it_stands() -> None:
    """Such a file outside the folder of the kernel tests is named; those in it are there anyway."""
    found = files_with_needs()
    assert "tests/daemon/test_checkup.py" in found
    assert not [name for name in found if name.startswith(KERNEL_TESTS)]


def test_the_guest_without_bpf_has_something_to_run() -> None:
    """Otherwise it would prove nothing."""
    assert "tests/kernel/test_lsm.py" in files_like(LSM_TESTS)
