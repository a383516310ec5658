# SPDX-License-Identifier: Apache-2.0
"""Whom policy names, while the user database answers and while it does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.policies import read

from sensor.core.policy.model import Accounts
from sensor.daemon import whom
from sensor.daemon.whom import AGAIN_S, TRIES, Whom
from sensor.errors import SensorError

if TYPE_CHECKING:
    from sensor.core.policy.model import Policy

POLICY = read(
    '[[rule]]\nid = "no"\ntools = ["some-cli"]\ngroups = ["contractors"]\nverdict = "block"\n',
    "enforce",
)


class Host:
    """A database that answers, or does not; the host's own files; a clock that is moved."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.database: Accounts | None = None
        self.files = Accounts({}, {})
        self.now_s = 1000.0
        monkeypatch.setattr(whom, "accounts_of", self._ask)
        monkeypatch.setattr(whom, "local_accounts_of", lambda _: self.files)
        self.whom = Whom(lambda: self.now_s)

    def _ask(self, _policy: Policy) -> Accounts:
        if self.database is None:
            raise SensorError("the user database did not answer within 2 s")
        return self.database


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """Give a host whose database is dead."""
    return Host(monkeypatch)


def test_an_outage_takes_nobody_out_of_a_group(host: Host) -> None:
    """Files list a group without those of its members whom only the directory knows."""
    host.whom.known = Accounts({}, {"contractors": frozenset({1000}), "far": frozenset({2})})
    host.files = Accounts({}, {"contractors": frozenset({7}), "near": frozenset()})
    assert host.whom.look_up(POLICY).groups == {
        "contractors": frozenset({7, 1000}), "far": frozenset({2}), "near": frozenset()
    }  # fmt: skip


def test_a_user_who_is_known_stays_who_he_is(host: Host) -> None:
    """Files add only those who are not known."""
    host.whom.known = Accounts({"amy": 1000}, {})
    host.files = Accounts({"amy": 7, "root": 0}, {})
    assert host.whom.look_up(POLICY).users == {"amy": 1000, "root": 0}


def test_an_answer_counts_as_it_is(host: Host) -> None:
    """Whoever was taken out of a group is out of it; nothing is due."""
    host.whom.known = Accounts({}, {"contractors": frozenset({1000})})
    host.database = Accounts({}, {"contractors": frozenset()})
    assert host.whom.look_up(POLICY) == host.database
    assert not host.whom.why
    assert host.whom.timeout() is None
    assert not host.whom.is_due()


def test_who_does_not_answer_is_asked_soon_but_not_for_ever(host: Host) -> None:
    """Each time may hold the daemon up; an answer begins all over."""
    for _ in range(2):
        for _ in range(TRIES - 1):
            host.whom.look_up(POLICY)
            assert "did not answer" in host.whom.why
            assert host.whom.timeout() == AGAIN_S
            assert not host.whom.is_due()
            host.now_s += AGAIN_S
            assert host.whom.is_due()
        host.whom.look_up(POLICY)
        assert host.whom.timeout() is None
        host.database = Accounts({}, {})
        host.whom.look_up(POLICY)
        host.database = None
