# SPDX-License-Identifier: Apache-2.0
"""How the daemon stands: what ``status`` says. Plain values, for the wire and for people."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.config import Config
from sensor.core.metrics import Readings
from sensor.daemon.standby import DEFAULT
from sensor.errors import BadInputError
from sensor.wire.programs import PROGRAMS, STAND_BYS

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable

    from sensor.daemon.contents import Contents
    from sensor.daemon.exporting import Exporting
    from sensor.daemon.footing import Footing
    from sensor.daemon.refusing import Refusing
    from sensor.daemon.sensing import Sensing
    from sensor.daemon.teaching import Teaching
    from sensor.daemon.telling import Telling
    from sensor.edge.hub import Hub
    from sensor.edge.store import Store
    from sensor.edge.store_writer import Writer
    from sensor.wire.requests import Control

CONTROLS = frozenset(
    {"stop", "policy_reload", "block_add", "block_rm", "block_ls", "catalog_reload"}
)
"""What root may ask for."""

RECENTLY_NS = 3_600_000_000_000
"""For how long a loss is a problem: long enough to be seen, too short to hide the next one."""

_STATUS = Path("/proc/self/status")


class Clock:
    """The clocks, for the hub."""

    @staticmethod
    def now_ns() -> int:
        """Return CLOCK_BOOTTIME."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def wall_offset_ns(self) -> int:
        """Return the wall clock minus CLOCK_BOOTTIME."""
        return time.time_ns() - self.now_ns()


@dataclass(slots=True, kw_only=True)
class Standing:
    """Knows all parts of the daemon, and does what root asks of it by ``control``."""

    sensing: Sensing
    telling: Telling
    past: Store
    started_at: str
    started_s: float
    scope: str
    missing: dict[str, str]
    footing: Footing
    stop: Callable[[], None]
    hub: Hub | None = None
    writer: Writer | None = None
    exporting: Exporting | None = None
    refusing: Refusing | None = None
    teaching: Teaching | None = None
    contents: Contents | None = None
    wrong: list[str] = field(default_factory=list)
    """What is wrong with how it was started, one sentence each."""
    controls: frozenset[str] = field(default=CONTROLS)

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch what the parts wait for."""
        for part in (self.exporting, self.refusing, self.contents, self.footing):
            if part:
                part.register(selector)

    def turn(self) -> None:
        """Do what is due in the parts."""
        for part in (self.refusing, self.contents, self.footing):
            if part:
                part.turn()

    def status(self) -> dict[str, object]:
        """Return how things are now; ``problems`` is empty when all is well."""
        gone = self.footing.gone()
        return {
            **(self.refusing.status() if self.refusing else self._observing()),
            "started_at": self.started_at,
            "scope": self.scope,
            "hooks": {
                program.name: program.name not in self.missing and program.name not in gone
                for program in PROGRAMS
                if not program.on_demand
            },
            "sessions": self.sensing.engine.sessions,
            "processes": self.sensing.engine.members,
            "events": dict(self.telling.counts),
            "lost": self.sensing.probing.lost,
            "catalogue": self.teaching.state() if self.teaching else None,
            "contents": self.contents.state() if self.contents else {},
            "store": self._store(),
            "hub": self.hub.state() if self.hub else {},
            "memory_bytes": _resident_bytes(),
            "problems": self._problems(),
        }

    def readings(self) -> Readings:
        """Return what is measured of how things are now."""
        state = self.writer.state() if self.writer else None
        readers, skipped = self.hub.load() if self.hub else (0, 0)
        return Readings(
            started_s=self.started_s,
            sessions=self.sensing.engine.sessions,
            unstored=state.unstored if state else 0,
            store_bytes=self.past.sizes().file_bytes,
            store_works=not (state and state.problem),
            readers=readers,
            skipped=skipped,
            undelivered=self.exporting.undelivered if self.exporting else 0,
        )

    def control(self, request: Control) -> dict[str, object]:
        """Carry out what root asks for."""
        if request.do == "stop":
            self.stop()
            return {"stopping": True}
        if request.do == "catalog_reload" and self.teaching:
            return self.teaching.reload()
        if self.refusing is None:
            if request.do == "block_ls":
                return {"blocks": []}
            raise BadInputError(
                "no policy: this daemon was started without one and has given up the rights to keep"
                f" one; write {DEFAULT} (two lines are enough: version = 1 and"
                ' mode = "enforce"), and restart it'
            )
        return self.refusing.control(request)

    def _observing(self) -> dict[str, object]:
        """Return what there is to say of policy where there is none."""
        return {
            "mode": "observe",
            "enforcement": {"exec": "none", "connect": "none", "name": "none"},
            "policy": None,
            "proved_at": None,
            "proved": f"observing only since {self.started_at[:19]}Z, because there is no policy",
        }

    def _store(self) -> dict[str, object]:
        sizes = self.past.sizes()
        state = self.writer.state() if self.writer else None
        return {
            "path": str(self.past.path),
            "file_bytes": sizes.file_bytes,
            "log_bytes": sizes.log_bytes,
            "used_bytes": sizes.used_bytes,
            "last_seq": state.last_seq if state else self.past.last_seq,
            "waiting": state.waiting_rows if state else 0,
            "unstored": state.unstored if state else 0,
            "problem": state.problem if state else None,
        }

    def _problems(self) -> list[str]:
        problems = self.footing.problems() + self.wrong
        problems += [
            f"not seen: {program.sees} ({self.missing[program.name]})"
            for program in (*PROGRAMS, *STAND_BYS)
            if program.name in self.missing and not program.on_demand
        ]
        for part in (self.teaching, self.refusing):
            if part:
                problems += part.problems()
        lost_at_ns = self.sensing.probing.lost_at_ns
        if lost_at_ns is not None and Clock.now_ns() - lost_at_ns < RECENTLY_NS:
            problems.append(
                f"records were lost within the last hour; {self.sensing.probing.lost} in all"
            )
        state = self.writer.state() if self.writer else None
        if state and state.problem:
            problems.append(f"events cannot be stored: {state.problem}")
        if state and state.unstored:
            problems.append(f"{state.unstored} events were told and not stored")
        return problems


def without_group(config: Config, gid: int | None) -> list[str]:
    """Say that the group is missing that somebody has named; the usual one `install` makes."""
    if gid is not None or config.group == Config().group:
        return []
    problem = (
        f"[stream] group = {config.group!a}: this host has no such group, so root alone reads the"
        f" stream; run groupadd --system {config.group}, or name another, and restart agent-sensor"
    )
    return [problem]


def _resident_bytes() -> int:
    """Read VmRSS (proc(5))."""
    for line in _STATUS.read_text("ascii", "replace").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0
