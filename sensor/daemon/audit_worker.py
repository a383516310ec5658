# SPDX-License-Identifier: Apache-2.0
"""Audits that follow detections: one short-lived process at a time, with nothing but time to lose.

What it finds comes back as facts, and goes the way of all events.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import time
from collections import deque
from functools import partial
from typing import TYPE_CHECKING

from sensor.core.audit.trigger import Occasion, Trigger
from sensor.daemon import probing
from sensor.errors import BadInputError, BadWordError, FrameError
from sensor.wire.inventory import Lines

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.catalogue import Catalogue
    from sensor.core.config import Config
    from sensor.core.event import Event
    from sensor.core.facts import Fact

MOST_WAITING = 256
"""Users whose audit waits for another to end; of more, the daemon says that they were left out."""

_PART_BYTES = 1 << 16
_STOP_S = 5


class Auditing:
    """Starts audits, where the configuration or a policy asks for them.

    ``say`` is for the operator's log. Raises BadInputError where the
    configuration names a tool that is none.
    """

    def __init__(self, config: Config, catalogue: Catalogue, *, say: Callable[[str], None]) -> None:
        self._config = config
        self._occasion = _configured(config, catalogue)
        self._trigger = Trigger()
        self._say = say
        self._waiting: deque[int] = deque()
        self._worker: subprocess.Popen[bytes] | None = None
        self._lines = Lines(_now_ns)
        self._uid = -1

    def learn(self, catalogue: Catalogue) -> None:
        """Read the configuration's words for tools again, by another catalogue."""
        self._occasion = _configured(self._config, catalogue)

    def hear(self, event: Event, policys: Occasion | None = None) -> None:
        """Take an event; it may call for an audit, which begins at the next turn.

        ``policys`` is what the policy in force says about it, None where it says
        nothing: then the configuration's holds.
        """
        uid = self._trigger.user(event, policys or self._occasion)
        if uid is None or uid in self._waiting:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._say(f"user {uid} is not audited: {MOST_WAITING} audits wait already")
            return
        self._waiting.append(uid)

    def turn(self, selector: selectors.BaseSelector, see: Callable[[Fact], None]) -> None:
        """Start the next audit if none runs; ``see`` gets what it finds."""
        if self._worker or not self._waiting:
            return
        self._uid = self._waiting.popleft()
        self._lines = Lines(_now_ns)
        try:
            self._worker = subprocess.Popen(
                command(self._uid), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, env={"PATH": os.defpath, "LC_ALL": "C.UTF-8"},
            )  # fmt: skip
        except OSError as problem:
            self._say(f"user {self._uid} cannot be audited: {problem}")
            return
        assert self._worker.stdout  # noqa: S101 - a pipe, as asked for above
        os.set_blocking(self._worker.stdout.fileno(), False)
        selector.register(
            self._worker.stdout,
            selectors.EVENT_READ,
            partial(self._read, self._worker, selector, see),
        )

    def _read(
        self, worker: subprocess.Popen[bytes], selector: selectors.BaseSelector,
        see: Callable[[Fact], None], _mask: int,
    ) -> None:  # fmt: skip
        """Take what the worker has printed; at its end, see how it ended."""
        assert worker.stdout  # noqa: S101 - it was registered
        try:
            part = os.read(worker.stdout.fileno(), _PART_BYTES)
            for fact in self._lines.take(part):
                see(fact)
        except BlockingIOError:
            return
        except FrameError as problem:
            self._say(f"the audit of user {self._uid} says what is no finding: {problem}")
            part = b""
        if part:
            return
        selector.unregister(worker.stdout)
        if status := self._end(worker):
            self._say(f"the audit of user {self._uid} ended with {status}")

    def _end(self, worker: subprocess.Popen[bytes]) -> int:
        self._worker = None
        if worker.stdout:
            worker.stdout.close()
        try:
            return worker.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            return worker.wait()

    def close(self) -> None:
        """End the audit that runs."""
        if self._worker:
            self._worker.terminate()
            self._end(self._worker)


def command(uid: int) -> list[str]:
    """Write the command of one audit; it needs none of the daemon's memory or connections."""
    return probing.command("audit", "--worker", "--no-sessions", "--user", str(uid))


def _configured(config: Config, catalogue: Catalogue) -> Occasion:
    """Read the configuration's words for tools as those of a policy are read."""
    if not config.high_risk:
        return Occasion(config.audit_on)
    from sensor.core.policy.targets import Words  # noqa: PLC0415  # observers have no room for it

    words = Words(catalogue)
    try:
        found = frozenset().union(*map(words.tools, config.high_risk))
    except BadWordError as problem:
        raise BadInputError(
            f"configuration: audit: high_risk: {problem.why}; {problem.remedy}"
        ) from problem
    return Occasion(config.audit_on, found)


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
