# SPDX-License-Identifier: Apache-2.0
"""Whom policy names, as the user database has last said it; an outage takes nobody away."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sensor.core.policy.model import Accounts
from sensor.daemon.policies import accounts_of, local_accounts_of
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.policy.model import Policy

AGAIN_S, TRIES = 10.0, 30
"""How long after an answer that did not come the next is asked for, and how often on end.

Each may hold the daemon up for as long as an answer may take.
"""


class Whom:
    """Looks users and groups up. ``known`` are those of the policy in force.

    ``why`` says why nothing answers, if nothing does.
    """

    def __init__(self, now_s: Callable[[], float] = time.monotonic) -> None:
        self._now_s = now_s
        self._left = TRIES
        self._due_s: float | None = None
        self.known = Accounts({}, {})
        self.why = ""

    def look_up(self, policy: Policy) -> Accounts:
        """Look up whom a policy names; without an answer, go by what was known and is in files."""
        try:
            found = accounts_of(policy)
        except SensorError as problem:
            self.why = f"{problem}; users and groups are those known before, and of /etc"
            found = _joined(self.known, local_accounts_of(policy))
            self._left = max(0, self._left - 1)
            self._due_s = self._now_s() + AGAIN_S if self._left else None
        else:
            self.why, self._left, self._due_s = "", TRIES, None
        return found

    def is_due(self) -> bool:
        """Tell whether what did not answer is to be asked once more."""
        return self.timeout() == 0

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        return None if self._due_s is None else max(0.0, self._due_s - self._now_s())


def _joined(known: Accounts, local: Accounts) -> Accounts:
    """Add what files say: a group that they list may have members whom they do not know."""
    nobody: frozenset[int] = frozenset()
    groups = {
        name: known.groups.get(name, nobody) | local.groups.get(name, nobody)
        for name in known.groups.keys() | local.groups.keys()
    }
    return Accounts({**local.users, **known.users}, groups)
