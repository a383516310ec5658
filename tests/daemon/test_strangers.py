# SPDX-License-Identifier: Apache-2.0
"""Strangers as /proc shows them, where they are still there."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from support.deputies import sleeping

from sensor.core.facts import Connect, Loss, Process, Transport
from sensor.daemon.strangers import introduced
from sensor.edge import proc

NOBODY = Process(0, 0)


def connect(process: Process, root: Process = NOBODY) -> Connect:
    """Give a connection that policy had something to say of."""
    return Connect(
        at_ns=1, process=process, root=root, uid=0, cookie=1,
        address=ip_address("192.0.2.1"), port=443, transport=Transport.TCP,
    )  # fmt: skip


def test_a_stranger_is_shown_with_what_it_runs() -> None:
    """By its own start time, as the kernel told it."""
    with sleeping() as process:
        one = proc.entry(process.pid).process
        finer = replace(one, started_ns=one.started_ns + 1234)
        fact = introduced(replace(connect(finer), cgroup_id=7))
        assert isinstance(fact, Connect)
        assert fact.image
        assert fact.image.process == finer
        assert "python" in fact.image.exe
        assert fact.image.cgroup_id == 7


@pytest.mark.parametrize(
    "process", [NOBODY, Process(4194303, 1), Process(1, 10**18)], ids=["none", "gone", "another"]
)
def test_who_is_not_there_is_not_shown(process: Process) -> None:
    """A pid alone is nobody."""
    assert introduced(connect(process)) == connect(process)


def test_a_session_s_own_are_known_already() -> None:
    """And other facts are nobody's."""
    with sleeping() as process:
        own = connect(proc.entry(process.pid).process, root=Process(7, 7))
        assert introduced(own) is own
    loss = Loss(at_ns=1, what="exit", count=1)
    assert introduced(loss) is loss
