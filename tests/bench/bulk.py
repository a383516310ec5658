# SPDX-License-Identifier: Apache-2.0
"""Bulk TCP with the packet programs of policy attached and not, in pairs."""

from __future__ import annotations

import os
import statistics
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.drivers import built
from support.scope import Scope

from bench.policed import BY_NAME, hello_file, policed
from bench.programs import Programs
from bench.table import Table, sure
from bench.workshop import timed
from sensor.edge import libbpf
from sensor.wire.programs import HELLO, LEARN, ON_DEMAND

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from bench.workshop import Argument, Took, Workshop

_MTUS = (65536, 1500)
_REMARK = (
    "Medians of {} pairs, the first changing each time. One connection says a hello that no rule is"
    " about, and then {} MiB over a loopback in a network of its own; both ends are in the scope. A"
    " ratio below 1 is faster with the programs."
)


def measure(shop: Workshop) -> Table:
    """Pour with the programs on and off in turn, while a policy by name is in force."""
    count, mib = shop.times(60, 12), shop.times(256, 64)
    with policed(BY_NAME) as police, Scope() as scope:
        probes = Programs(police.daemon.pid)
        try:
            pours = _Pours(shop, scope, probes, mib)
            rows = [_row(mtu, pours.pairs(mtu, count)) for mtu in _MTUS]
        finally:
            probes.close()
    return Table(
        "Bulk TCP, packet programs on / off",
        ("MTU", "wall", "95 % sure", "CPU", "off MiB/s"),
        tuple((*row[:-1], f"{mib / float(row[-1]):.0f}") for row in rows),
        (_REMARK.format(count, mib),),
    )


@dataclass(frozen=True, slots=True)
class _Pours:
    """Pours of so many MiB in a scope that the daemon does not look at."""

    shop: Workshop
    scope: Scope
    probes: Programs
    mib: int

    def pairs(self, mtu: int, count: int) -> list[tuple[Took, Took]]:
        """Give so many pours, each without the programs and with them."""
        argv: list[Argument] = [
            built() / "join", self.scope.path / "cgroup.procs", self.shop.driver("pour"),
            "1", str(self.mib * 1024), str(mtu), hello_file(self.shop),
        ]  # fmt: skip
        pairs = []
        for turn in range(count):
            took = {}
            for is_on in (True, False) if turn % 2 else (False, True):
                with self._attached() if is_on else nullcontext():
                    took[is_on] = timed(argv)
            pairs.append((took[False], took[True]))
        return pairs

    @contextmanager
    def _attached(self) -> Iterator[None]:
        """Attach what a policy by name has attached."""
        links = [os.open(self.scope.path, os.O_RDONLY | os.O_DIRECTORY)]
        try:
            for program in ON_DEMAND:
                if program.name in {LEARN, HELLO}:
                    fd, kind = self.probes.fd(program.name), program.hook.attach_type or 0
                    links.append(libbpf.attach_cgroup(fd, links[0], kind))
            yield
        finally:
            for link in links:
                os.close(link)


def _row(mtu: int, pairs: Sequence[tuple[Took, Took]]) -> tuple[str, ...]:
    walls = [on.wall_s / off.wall_s for off, on in pairs]
    low, high = sure(walls)
    return (
        str(mtu),
        f"{statistics.median(walls):.4f}",
        f"{low:.3f}-{high:.3f}",
        f"{statistics.median(on.cpu_s / off.cpu_s for off, on in pairs):.4f}",
        str(statistics.median(off.wall_s for off, _ in pairs)),
    )
