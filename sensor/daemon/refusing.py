# SPDX-License-Identifier: Apache-2.0
"""All that a daemon has beside an observer: there while there is a policy, and only then."""

from __future__ import annotations

import selectors
import time
from typing import TYPE_CHECKING

from sensor.core.facts import Health, Undone
from sensor.core.policy.model import Mode
from sensor.core.units import duration
from sensor.core.wall import rfc3339
from sensor.daemon import deputy as deputies
from sensor.daemon.acting import Acting
from sensor.daemon.enforcing import Enforcing
from sensor.daemon.policing import Policing
from sensor.daemon.policy_maps import PolicyMaps
from sensor.daemon.proving import Proving, cgroup_for
from sensor.daemon.standby import KEPT
from sensor.daemon.sweeping import Sweeping
from sensor.edge import proc
from sensor.errors import BadInputError, SensorError
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sensor.core.audit.trigger import Occasion
    from sensor.core.catalogue import Catalogue
    from sensor.daemon.instance import Pins
    from sensor.daemon.sensing import Sensing
    from sensor.wire.requests import Control

DEPUTY = "deputy"
_NS_PER_S, _MINUTE_S = 1_000_000_000, 60


class Refusing:
    """Deputy, tables, proof and blocks of one daemon. Started before it gives up its rights."""

    def __init__(
        self, path: Path, catalogue: Catalogue, sensing: Sensing, pins: Pins, *,
        scope: Path, top: Path, run_dir: Path, state_dir: Path, default: Path,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._sensing = sensing
        self._say = say
        self.deputy = deputies.start(pins=pins.folder, scope=scope)
        self._maps = PolicyMaps(pins)
        instance = pins.folder.parent.name
        self.proving = Proving(
            self.deputy,
            run_dir=run_dir,
            cgroup=cgroup_for(instance, scope=scope, top=top),
            tell=sensing.see,
        )
        self.enforcing = Enforcing(self._maps, sensing.probing.members, self.deputy, top=top)
        self._acting = Acting(self.deputy)
        self._sweeping = Sweeping(self.deputy, self._acting, sensing.found_open)
        self.policing = Policing(
            path, catalogue, self.enforcing, self.proving,
            state_dir=state_dir,
            may_be_missing=path == default and (state_dir / KEPT).exists(),
            sensing=sensing, sweeping=self._sweeping,
        )  # fmt: skip
        self._wrong = (False, 0, False)
        self._began_wall_ns = time.time_ns()
        sensing.act = self._acting.do
        sensing.probing.places_of = self._maps.places_of

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch the deputy."""
        self._selector = selector
        selector.register(self.deputy, selectors.EVENT_READ, lambda _mask: self._listen())
        cradles = self.policing.cradles
        if cradles.folders:
            selector.register(cradles.folders, selectors.EVENT_READ, lambda _mask: cradles.heed())

    def _listen(self) -> None:
        self.deputy.read()
        if self.deputy.is_gone:
            self._selector.unregister(self.deputy)
        deputy = self.deputy
        wrong = (
            deputy.is_gone,
            deputy.restarts,
            deputy.dropped > 0,
        )  # not each one that is dropped
        if wrong != self._wrong:
            self._wrong = wrong
            why = "; ".join(deputy.problems())
            self._say(why)
            self._sensing.see(Health(at_ns=_now_ns(), what=DEPUTY, is_well=False, why=why))

    def turn(self) -> None:
        """Do what is due, and put right what was said of whom nobody has ended."""
        self.policing.turn()
        for process, why in self._acting.undone():
            self._sensing.see(Undone(at_ns=_now_ns(), process=process, why=why))

    def lose(self, why: str) -> None:
        """Know that the probes are detached: nothing is refused, proved or changed any more."""
        self.policing.lose(why)

    def timeout(self) -> float | None:
        """Say for how long nothing is due; None: for ever."""
        return self.policing.timeout()

    def control(self, request: Control) -> dict[str, object]:
        """Carry out what root asks for. Raises SensorError where it cannot be."""
        match request.do:
            case "policy_reload":
                return self.policing.reload()
            case "block_add":
                return self.policing.block_add(request.arguments, by=_asker(request))
            case "block_rm":
                block_id = Fields("block_rm", request.arguments).need("id", str)
                return self.policing.block_remove(block_id, by=_asker(request))
            case "block_ls":
                return self.policing.block_list()
            case _:
                raise BadInputError(f"{request.do}: nothing that this daemon does")

    @property
    def audits(self) -> Occasion | None:
        """After which detections the policy in force wants an audit, None if it does not say."""
        enforced = self.enforcing.in_force
        return enforced.policy.audits if enforced else None

    def status(self) -> dict[str, object]:
        """Return what ``status`` says of it."""
        enforced, proving = self.enforcing.in_force, self.proving
        return {
            "mode": enforced.policy.mode.value if enforced else Mode.OBSERVE.value,
            "enforcement": self._ways(),
            "policy": self.policing.state(),
            "proved_at": proving.proved_at,
            "proved": self._proof(),
            "deputy": self.deputy.state(),
        }

    def problems(self) -> list[str]:
        """Say what is wrong, one sentence each."""
        parts = self.policing, self.deputy, self._acting, self._sweeping
        wrong = [*self.enforcing.lacks(), *(one for part in parts for one in part.problems())]
        if self.proving.why:
            wrong.append(f"{self._proof()}")
        return wrong

    def _ways(self) -> dict[str, str]:
        """Say how things are refused: as attached, and as the canary has seen it."""
        ways = self.policing.ways()
        for way in self.proving.ways:
            kind, _, seen = way.partition(":")
            if kind == "exec":
                ways["exec"] = seen
        return ways

    def _proof(self) -> str:
        """Say whether it enforces, since when, and why not."""
        enforced, proving = self.enforcing.in_force, self.proving
        if enforced is None or enforced.policy.mode is not Mode.ENFORCE:
            mode = enforced.policy.mode.value if enforced else "missing"
            since = _second(rfc3339(self.enforcing.since_wall_ns or self._began_wall_ns))
            return f"observing only since {since}, because the policy's mode is {mode}"
        if proving.why is not None:
            since = _second(proving.failed_at or rfc3339(time.time_ns()))
            return f"not proved since {since}, because {proving.why}"
        if proving.proved_ns is None:
            return "enforcing (not proved yet)"
        ago_s = (_now_ns() - proving.proved_ns) // _NS_PER_S
        ago = f"{ago_s} s" if ago_s < _MINUTE_S else duration(ago_s * _NS_PER_S)
        return f"enforcing (proved {ago} ago)"

    def generation(self) -> int:
        """Give the number of the policy in force, 0 for none."""
        return self.enforcing.in_force.generation if self.enforcing.in_force else 0

    def close(self) -> None:
        """Let the deputy go, watch no cgroups, and take the canary away."""
        self.deputy.close()
        self.policing.close()
        try:
            self.proving.remove()
        except SensorError as problem:
            self._say(str(problem))


def _second(at: str) -> str:
    """Write a time to the second."""
    return f"{at[: len('2026-11-23T14:03:07')]}Z"


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def _asker(request: Control) -> str:
    """Say who asks: root, and who logged in to be it."""
    login = None if request.pid is None else proc.loginuid(request.pid)
    return "uid 0" if login is None else f"uid 0, logged in as {login}"
