# SPDX-License-Identifier: Apache-2.0
"""A checkup of the host that the tests run on."""

from __future__ import annotations

import pytest

from sensor.core.checkup import State
from sensor.core.features import FEATURES, Need
from sensor.daemon.checkup import checkup
from sensor.edge import libbpf


def test_every_feature_is_asked_for_in_its_order() -> None:
    """With rights or without: what cannot be asked is unknown, and says why."""
    findings = checkup().findings
    assert [finding.feature for finding in findings] == list(FEATURES)
    for finding in findings:
        assert finding.answer.detail or finding.answer.state is not State.UNKNOWN


@pytest.mark.kernel
def test_a_host_that_the_kernel_tests_run_on_has_all_that_is_required() -> None:
    """The verdict agrees with what the other tests prove by attaching the probes."""
    states = {finding.feature.id: finding.answer.state for finding in checkup().findings}
    required = [feature.id for feature in FEATURES if feature.need is Need.REQUIRED]
    assert {states[each] for each in required} == {State.YES}
    assert states["sock_addr"] is states["cgroup_skb"] is State.YES


@pytest.mark.kernel
def test_a_refusal_is_told_by_its_errno() -> None:
    """No kernel has a program type 4095, nor a function of that name."""
    assert libbpf.try_program(4095) == 22
    assert libbpf.try_program(26, 24, function="no_such_function") == 2
    assert libbpf.try_map(4095, 1) == 22


@pytest.mark.kernel
@pytest.mark.needs("fentry")
def test_a_kernel_that_takes_fentry_programs_is_said_to() -> None:
    """The question and the tests' own way of asking agree."""
    states = {finding.feature.id: finding.answer.state for finding in checkup().findings}
    assert states["fentry"] is State.YES


@pytest.mark.kernel
@pytest.mark.needs("lsm")
def test_lsm_programs_that_load_are_not_said_to_be_refused() -> None:
    """Nobody is sent to another kernel; what remains is whether bpf is active."""
    (lsm,) = (finding for finding in checkup().findings if finding.feature.id == "lsm")
    assert lsm.remedy != lsm.feature.remedy
