# SPDX-License-Identifier: Apache-2.0
"""An enforcer over maps of the test's, and a deputy that notes what it is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.daemon.enforcing import Enforcing
from sensor.daemon.members import Members
from sensor.daemon.policy_maps import PolicyMaps
from sensor.errors import SensorError
from sensor.wire.orders import Attach
from sensor.wire.reports import Outcome, Report
from support.policies import CATALOGUE, read
from support.policy_maps import MadeMaps

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.wire.orders import Order


@dataclass
class Deputy:
    """Takes orders; ``refuses`` are programs that the kernel would not attach.

    ``seen`` has each order with the generation that was in force then.
    """

    pins: MadeMaps
    refuses: set[str] = field(default_factory=set)
    answers: bool = True
    seen: list[tuple[Order, int]] = field(default_factory=list)

    def ask(self, order: Order) -> Report:
        """Take an order that is waited for."""
        assert isinstance(order, Attach)
        self.seen.append((order, self.pins.slot(3)))
        if not self.answers:
            raise SensorError("the deputy did not answer within 5 s; try again")
        failed = order.program in self.refuses
        return Report(1, Outcome.FAILED if failed else Outcome.DONE, "no such hook")

    def order(self, order: Order) -> bool:
        """Take an order that nobody waits for."""
        self.seen.append((order, self.pins.slot(3)))
        return True


class Scene:
    """An enforcer over maps of the test's, on a host with or without the security module."""

    def __init__(
        self, folder: Path, *, lsm: str = "capability,bpf\n", top: Path | None = None
    ) -> None:
        self.pins = MadeMaps(folder)
        self.deputy = Deputy(self.pins)
        modules = folder / "lsm"
        modules.write_text(lsm, "ascii")
        self.enforcing = Enforcing(
            PolicyMaps(self.pins),  # type: ignore[arg-type]
            Members(self.pins),  # type: ignore[arg-type]
            self.deputy,  # type: ignore[arg-type]
            top=top or folder,
            lsm=modules,
        )

    def apply(
        self, body: str, *, mode: str = "enforce", cgroup: int | None = None, asks: bool = True
    ) -> None:
        """Put rules in force."""
        self.enforcing.apply(
            read(body, mode), CATALOGUE, source="policy.toml", canary_cgroup=cgroup, asks=asks
        )

    def attached(self) -> set[str]:
        """Name the programs that it asked to attach."""
        return {order.program for order, _ in self.deputy.seen if isinstance(order, Attach)}
