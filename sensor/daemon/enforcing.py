# SPDX-License-Identifier: Apache-2.0
"""Puts a policy in force: what of this host it needs, the kernel's tables, programs on demand.

Programs that the new policy needs are attached before it is in force, and those
that it does not are taken away after that, so that nothing which is refused
before and after is let through in between.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.enforced import Enforced
from sensor.core.policy.model import Mode
from sensor.core.policy.rows import PolicyFlag, TableVerdict
from sensor.core.policy.tables import compile_tables
from sensor.daemon.proving import ADDRESS
from sensor.daemon.whom import Whom
from sensor.edge import canary
from sensor.edge.resolvers import configured
from sensor.errors import SensorError
from sensor.wire.orders import Attach, Detach
from sensor.wire.programs import HELLO, JUDGE, LEARN, ON_DEMAND
from sensor.wire.reports import Outcome
from sensor.wire.rulings import hash_suffix

if TYPE_CHECKING:
    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Address
    from sensor.core.policy.model import Accounts, Policy
    from sensor.core.policy.tables import Tables
    from sensor.daemon.deputy import Deputy
    from sensor.daemon.members import Members
    from sensor.daemon.policy_maps import PolicyMaps

LSM = Path("/sys/kernel/security/lsm")
WAYS = "exec", "connect", "name"
"""What is refused, each in a way of its own."""

_NO_LSM = "bpf is not among the active security modules (/sys/kernel/security/lsm)"


class Enforcing:
    """Keeps one policy in force. ``missing`` says which programs it lacks, and why."""

    def __init__(
        self, maps: PolicyMaps, members: Members, deputy: Deputy, *, top: Path, lsm: Path = LSM
    ) -> None:
        self._maps = maps
        self._members = members
        self._deputy = deputy
        self._top = top
        self._lsm = lsm
        self._cgroup_ids: dict[str, int] = {}
        self._resolvers: frozenset[Address] = frozenset()
        self.whom = Whom()
        self.in_force: Enforced | None = None
        self.since_wall_ns = 0
        self.attached: frozenset[str] = frozenset()
        self.missing: dict[str, str] = {}

    def apply(
        self,
        policy: Policy,
        catalogue: Catalogue,
        *,
        source: str,
        canary_cgroup: int | None,
        asks: bool = True,
    ) -> Enforced:
        """Put a policy in force. Raises SensorError where it cannot be; the one before stays.

        ``canary_cgroup`` is where its refusals can be proved, None where nowhere.
        Whom it names is what is known already, unless it ``asks``.
        """
        accounts = self.whom.look_up(policy) if asks else self.whom.known
        resolvers = frozenset(configured())
        tables = _compiled(
            policy, catalogue, accounts, resolvers, with_canary=canary_cgroup is not None
        )
        cgroup_ids = self._resolved(tables)
        generation, moved = self._maps.fill(tables, cgroup_ids)
        if canary_cgroup is not None:
            self._maps.name_canary(canary.NAME, len(catalogue.tools) + 1, canary_cgroup)
        is_renewed = moved or canary_cgroup is not None
        if is_renewed:
            self._members.renew_answers()
        wanted = _wanted(tables)
        self._attach(wanted)
        self._maps.turn(generation)
        seed = self._maps.seed
        self._detach(wanted)
        self._maps.forget_resolvers(tables.policy.resolvers)
        self.whom.known, self._resolvers, self._cgroup_ids = accounts, resolvers, cgroup_ids
        self.since_wall_ns = time.time_ns()
        self.in_force = Enforced(
            generation=generation,
            source=source,
            tables=tables,
            domains={hash_suffix(name, seed): name for name in tables.domains},
        )
        return self.in_force

    @property
    def in_kernel(self) -> tuple[int, int]:
        """Give seed and generation of the kernel's tables: a run before may have left some."""
        return self._maps.seed, self._maps.generation

    def release(self) -> None:
        """Refuse nothing any more."""
        self._maps.turn(0)
        self._maps.forget_canary(canary.NAME)
        self._detach(frozenset())
        self.in_force = None

    def is_stale(self) -> bool:
        """Tell whether whom or what policy names, or the host's resolvers, have changed since."""
        if self.in_force is None:
            return False
        if self.whom.look_up(self.in_force.policy) != self.whom.known:
            return True
        return self._resolvers != frozenset(configured()) or self.has_moved()

    def has_moved(self) -> bool:
        """Tell whether a cgroup that policy names was made or taken away since."""
        tables = self.in_force.tables if self.in_force else None
        return tables is not None and self._cgroup_ids != self._resolved(tables)  # type: ignore[arg-type]  # apply() puts no other there than Tables

    def cradles(self) -> frozenset[Path]:
        """Give the folders in which the next part of a cgroup that policy names would be made."""
        if self.in_force is None:
            return frozenset()
        paths = self.in_force.tables.cgroups  # type: ignore[attr-defined]  # apply() puts no other there than Tables
        return frozenset(self._cradle(path) for path in paths if path.strip("/"))

    def _cradle(self, path: str) -> Path:
        folder = (self._top / path.lstrip("/")).parent
        while folder != self._top and _inode(folder) is None:
            folder = folder.parent
        return folder

    def mend(self) -> None:
        """Try once more to attach what the policy in force lacks."""
        if self.in_force is not None and self._not_refused():
            self._attach(_wanted(self.in_force.tables))  # type: ignore[arg-type]  # apply() puts no other there than Tables

    def lacks(self) -> list[str]:
        """Say what policy asks for and this host does not give, one sentence each."""
        if self.in_force is None:
            return []
        return [
            *([self.whom.why] if self.whom.why else []),
            *self._not_refused(),
        ]

    def _not_refused(self) -> list[str]:
        return [
            f"not refused: {program.sees} ({self.missing[program.name]})"
            for program in ON_DEMAND
            if program.name in self.missing and program.name != JUDGE
        ]

    def ways(self) -> dict[str, str]:
        """Say how what is refused: `exec` by lsm or kill, connections by cgroup, names by tls."""
        if self.in_force is None or self.in_force.policy.mode is not Mode.ENFORCE:
            return dict.fromkeys(WAYS, "none")
        return {
            "exec": "lsm" if JUDGE in self.attached else "kill",
            "connect": "cgroup",
            "name": "tls" if HELLO in self.attached else "none",
        }

    def _resolved(self, tables: Tables) -> dict[str, int]:
        """Give the ids of the cgroups that policy names; one that is not there may come."""
        found: dict[str, int] = {}
        for path in tables.cgroups:
            if (number := _inode(self._top / path.lstrip("/"))) is not None:
                found[path] = number
        return found

    def _attach(self, wanted: frozenset[str]) -> None:
        self.missing = {}
        for name in sorted(wanted):
            if name == JUDGE and not self._has_lsm():
                self.missing[name] = _NO_LSM
                continue
            try:
                report = self._deputy.ask(Attach(name))
            except SensorError as problem:
                self.missing[name] = str(problem)
                continue
            if report.outcome is not Outcome.DONE:
                self.missing[name] = report.detail
        self.attached = wanted - {*self.missing}

    def _detach(self, wanted: frozenset[str]) -> None:
        for program in ON_DEMAND:
            if program.name not in wanted:
                self._deputy.order(Detach(program.name))
        self.attached &= wanted

    def _has_lsm(self) -> bool:
        """Tell whether the kernel asks BPF as a security module: attaching alone proves nothing."""
        try:
            return "bpf" in self._lsm.read_text("ascii").strip().split(",")
        except OSError:
            return False


def _compiled(
    policy: Policy, catalogue: Catalogue, accounts: Accounts, resolvers: frozenset[Address], *,
    with_canary: bool,
) -> Tables:  # fmt: skip
    return compile_tables(
        policy,
        catalogue,
        accounts=accounts,
        resolvers=resolvers,
        wall_offset_ns=time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME),
        canary=ADDRESS if with_canary else None,
    )


def _inode(folder: Path) -> int | None:
    """Give the number of a folder that may be taken away at any moment, None where it is gone."""
    with suppress(OSError):
        return folder.stat().st_ino
    return None


def _wanted(tables: Tables) -> frozenset[str]:
    """Name the programs that a policy needs."""
    wanted = set()
    refuses = any(one.verdict is TableVerdict.BLOCK for one in tables.entries)
    if refuses and PolicyFlag.EXEC in tables.flags:
        wanted.add(JUDGE)
    if PolicyFlag.NAME in tables.flags:
        wanted |= {LEARN, HELLO}
    return frozenset(wanted)
