# SPDX-License-Identifier: Apache-2.0
"""Kernel time that policy by name adds to packets and connects."""

from __future__ import annotations

import statistics
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

from support.seeds import compressed

from bench import programs
from bench.policed import BY_NAME, NOTHING, hello_file, policed, said
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from support.policing import Policing

    from bench.programs import Programs, Runs
    from bench.workshop import Argument, Workshop

_HELLO, _LEARN, _CONNECT, _EMPTY = "judge_hello", "learn_names", "seen_connect4", "empty"
_MTU = 1500
_REMARK = (
    "Medians of bursts, of the kernel's run-time statistics less what they say of an empty program"
    " that sees the same packets. Runs are those of one operation. A connection that says a hello"
    " is a SYN, an ACK, the hello and its end, of both ends; up to the hello it is undecided."
)
_TEST_REMARK = (
    "DNS answers are run by BPF_PROG_TEST_RUN, less a datagram from another port; new answers for"
    " an address that is known, as is usual."
)


def measure(shop: Workshop) -> Table:
    """Measure programs on traffic of the bench's own, and on packets made up for them."""
    with policed(BY_NAME) as police:
        ours = programs.Programs(police.daemon.pid)
        try:
            rows = _answers(shop, ours)
            with programs.statistics():
                rows += _Traffic(shop, police, ours).rows()
        finally:
            ours.close()
    return Table(
        "Added kernel time: what policy by name looks at",
        ("what", "program", "ns", "runs"),
        tuple(rows),
        (_REMARK, _TEST_REMARK),
    )


@dataclass(frozen=True, slots=True)
class _Traffic:
    """Bursts of traffic in the scope, with the programs' counters read around them."""

    shop: Workshop
    police: Policing
    ours: Programs

    def rows(self) -> list[tuple[str, ...]]:
        pour, hello = self.shop.driver("pour"), hello_file(self.shop)
        kib, count = self.shop.times(65536, 8192), self.shop.times(500, 200)
        bulk: list[Argument] = [pour, "1", str(kib), str(_MTU), hello]
        greet: list[Argument] = [pour, str(count), "0", str(_MTU), hello]
        request = self.shop.folder / "request"
        request.write_bytes(b"GET / HTTP/1.1\r\n\r\n")
        rows = [
            self._row("packet of a decided flow", _HELLO, bulk),
            self._row("packet that arrives, no DNS", _LEARN, bulk),
            self._row("connection that says a hello, all", _HELLO, greet, count),
            self._row("connection that says GET, all", _HELLO, [*greet[:-1], request], count),
            self._row("packet of an undecided flow, no data", _HELLO, self._dials(count)),
            self._connects("connect4 that concerns nobody"),
        ]
        self.police.keep(NOTHING)
        return [*rows, self._connects("connect4, a policy of no rules")]

    def _connects(self, what: str) -> tuple[str, ...]:
        count = self.shop.times(2000, 500)
        return self._row(what, _CONNECT, self._dials(count), count)

    def _dials(self, count: int) -> list[Argument]:
        return [self.shop.driver("dial"), str(count)]

    def _row(
        self, what: str, name: str, argv: Sequence[Argument], count: int = 0
    ) -> tuple[str, ...]:
        """Give mean ns of a program for each of ``count`` operations, or for each run."""
        means, runs = [], []
        for _ in range(self.shop.times(7, 3)):
            spent = self._spent(argv)
            mine, empty = spent[name], spent[_EMPTY]
            operations = count or mine.count
            net_ns = mine.total_ns - mine.count * empty.total_ns / empty.count
            means.append(net_ns / operations)
            runs.append(mine.count / operations)
        return (what, name, f"{statistics.median(means):.0f}", f"{statistics.median(runs):.1f}")

    def _spent(self, argv: Sequence[Argument]) -> dict[str, Runs]:
        before = self.ours.runs()
        with programs.empty_packet_program(self.police.scope.path) as fd:
            said(self.police, argv)
            empty = programs.runs_of(fd)
        after = self.ours.runs()
        return {name: runs.since(before[name]) for name, runs in after.items()} | {_EMPTY: empty}


def _answers(shop: Workshop, ours: Programs) -> list[tuple[str, ...]]:
    fd, repeat = ours.fd(_LEARN), shop.times(100_000, 20_000)

    def run(message: bytes, port: int = 53) -> float:
        packet = _datagram(message, port)
        times = [programs.test_run_ns(fd, packet, repeat) for _ in range(shop.times(7, 3))]
        return statistics.median(times)

    none = run(_answer("www.fine.example", 1), port=54)
    cases = {
        "DNS answer nobody asked for, unlisted, one address": run(_answer("www.fine.example", 1)),
        "DNS answer nobody asked for, listed, one address": run(_answer("api.blocked.example", 1)),
        "DNS answer nobody asked for, listed, four": run(_answer("api.blocked.example", 4)),
        "DNS answer nobody asked for, listed, thirty": run(_answer("api.blocked.example", 30)),
    }
    return [(what, _LEARN, f"{took - none:.0f}", "1.0") for what, took in cases.items()]


def _answer(name: str, addresses: int) -> bytes:
    return compressed(name, *[(1, bytes((198, 51, 100, number))) for number in range(addresses)])


def _datagram(message: bytes, port: int) -> bytes:
    """Put a message into UDP, IPv4 and Ethernet; the kernel's test takes the last off again."""
    udp = struct.pack("!4H", port, 40000, 8 + len(message), 0) + message
    addresses = bytes((192, 0, 2, 53, 192, 0, 2, 1))
    ip4 = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0) + addresses
    return bytes(12) + b"\x08\x00" + ip4 + udp
