# SPDX-License-Identifier: Apache-2.0
"""A storm of programs that nobody has seen before: what it costs the daemon, and the searcher."""

from __future__ import annotations

import os
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.drivers import built
from support.scope import Scope

from bench.daemon import daemon
from bench.process import Process
from bench.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from bench.daemon import Daemon
    from bench.workshop import Workshop

_SMALL, _LARGE = 20_000, 200
_LARGE_BYTES = 21 << 20
_PATIENCE_S = 900
_DISK = Path("/var/tmp")  # noqa: S108  # a folder of our own is made in it
_COPIES = 'i=0; while [ $i -lt "$2" ]; do cp "$1" x.$i; ./x.$i; rm x.$i; i=$((i+1)); done'
_REMARK = (
    "Small: a copy of a static program of {} KiB, run once and removed; large: one of 21 MiB of"
    " its own bytes, run twice. The searcher's share is its CPU time by the time until the last"
    " file was looked into. Lost is what the ring had no room for; dropped are files that found the"
    " queue full, which are told again when they run again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Storm:
    """One storm: what ran, how long until all was looked into, and what that took."""

    what: str
    files: int
    ran_s: float
    searched_s: float
    daemon_s: float
    searcher_s: float
    searched: int
    dropped: int
    lost: int


def measure(shop: Workshop) -> Table:
    """Run small ones, then large ones, under a daemon of their own."""
    program = built() / "nothing"
    with (
        Scope() as scope,
        daemon(scope) as sensor,
        tempfile.TemporaryDirectory(prefix="agent-sensor-storm-", dir=_DISK) as folder,
    ):
        sensor.start()
        small, large = shop.times(_SMALL, 1000), shop.times(_LARGE, 20)
        storms = [
            _storm(sensor, "small", small, lambda: _run_small(scope, program, small, folder)),
            _storm(sensor, "large", large, lambda: _run_large(scope, program, large, folder)),
        ]
    return Table(
        "A storm of programs never seen",
        (
            *("programs", "files", "ran s", "searched s", "daemon's CPU s", "searcher's CPU s"),
            *("searcher's share", "looked into", "dropped", "lost"),
        ),
        tuple(map(_row, storms)),
        (_REMARK.format(program.stat().st_size >> 10),),
    )


def _storm(sensor: Daemon, what: str, files: int, run: Callable[[], None]) -> _Storm:
    """Run it, wait until no file waits any more, and give what was used meanwhile."""
    before, cpu_s = sensor.searches(), sensor.cpu_s()
    told = sensor.told()
    searcher = _Searcher(sensor.pid)
    began = time.perf_counter()
    run()
    ran_s = time.perf_counter() - began
    end = time.monotonic() + _PATIENCE_S
    while sensor.waiting():
        searcher.look()
        assert time.monotonic() < end, "files wait to be looked into for ever"
        time.sleep(0.2)
    searched_s = time.perf_counter() - began
    searcher.look()
    after = sensor.searches()
    return _Storm(
        what=what,
        files=files,
        ran_s=ran_s,
        searched_s=searched_s,
        daemon_s=sensor.cpu_s() - cpu_s,
        searcher_s=searcher.used_s,
        searched=after.get("nothing", 0) - before.get("nothing", 0),
        dropped=after.get("dropped", 0) - before.get("dropped", 0),
        lost=sensor.told().since(told).lost,
    )


class _Searcher:
    """The CPU time of the daemon's searcher, which comes and goes."""

    def __init__(self, daemon: int) -> None:
        self._daemon = daemon
        self._used: dict[int, float] = {}
        self._first: dict[int, float] = {}
        for pid in self._pids():
            self._first[pid] = Process(pid).cpu_s()

    def look(self) -> None:
        """Note what it has used by now."""
        for pid in self._pids():
            self._used[pid] = Process(pid).cpu_s() - self._first.get(pid, 0.0)

    @property
    def used_s(self) -> float:
        """All that was used since the beginning."""
        return sum(self._used.values())

    def _pids(self) -> list[int]:
        children = Path(f"/proc/{self._daemon}/task/{self._daemon}/children").read_text("ascii")
        return [
            int(pid)
            for pid in children.split()
            if b"searcher" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]


def _run_small(scope: Scope, program: Path, files: int, folder: str) -> None:
    argv: list[str | Path] = ["sh", "-c", _COPIES, "sh", program, str(files)]
    assert scope.run(argv, cwd=folder).wait(_PATIENCE_S) == 0


def _run_large(scope: Scope, program: Path, files: int, folder: str) -> None:
    start = program.read_bytes()
    for number in range(files):
        file = Path(folder, f"large-{number}")
        file.write_bytes(start + os.urandom(_LARGE_BYTES - len(start)))
        file.chmod(0o755)
        for _ in range(2):
            assert scope.run([file]).wait(_PATIENCE_S) == 0


def _row(storm: _Storm) -> tuple[str, ...]:
    return (
        *(storm.what, str(storm.files), f"{storm.ran_s:.1f}", f"{storm.searched_s:.1f}"),
        *(f"{storm.daemon_s:.2f}", f"{storm.searcher_s:.2f}"),
        f"{storm.searcher_s / storm.searched_s:.0%}",
        *(str(storm.searched), str(storm.dropped), str(storm.lost)),
    )
