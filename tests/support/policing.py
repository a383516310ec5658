# SPDX-License-Identifier: Apache-2.0
"""A daemon that keeps a policy in a cgroup of the test's own; on all of a guest where asked to."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Unpack

from sensor.core.event import Event as SensorEvent
from sensor.core.form import as_dict
from sensor.edge.hubclient import Connection
from sensor.wire.requests import Point, Scale, Subscribe
from support.guest import in_guest
from support.patience import SOON_S
from support.running import Running, running
from support.scope import Scope, cgroup2_root
from support.stage import end_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from support.running import Event
    from support.scope import Argument, PopenOptions


class Policing:
    """A scope, the daemon over it, and the file with its policy, which can be another one later."""

    def __init__(self, scope: Scope, daemon: Running, file: Path) -> None:
        self.scope = scope
        self.daemon = daemon
        self._file = file
        self._kept = ""

    def start(self, policy: str, *options: str) -> None:
        """Start the daemon with a policy."""
        self._write(policy)
        self.daemon.start("--policy", str(self._file), *options)

    def restart(self) -> None:
        """Start the daemon again with the policy that it had."""
        self.daemon.start("--policy", str(self._file))

    def keep(self, policy: str) -> None:
        """Put another policy in force, unless it is in force already."""
        if policy == self._kept:
            return
        self._write(policy)
        with self._connected() as daemon:
            daemon.control("policy_reload")

    def run(self, argv: Sequence[Argument], **options: Unpack[PopenOptions]) -> tuple[int, int]:
        """Run a program in the scope to its end; give its pid and status."""
        process = self.scope.run(argv, **options)
        return process.pid, end_of(process)

    def seq(self) -> int:
        """Give the newest event's seq."""
        with self._connected() as daemon:
            return daemon.hello.seq

    def ways(self) -> dict[str, str]:
        """Say how the daemon refuses what, as its status has it."""
        with self._connected() as daemon:
            ways: dict[str, str] = daemon.status()["enforcement"]  # type: ignore[assignment]
            return ways

    def stored(self, seq: int) -> None:
        """Wait until the event with a seq is stored."""
        end = time.monotonic() + SOON_S
        while True:
            with self._connected() as daemon:
                store: dict[str, int] = daemon.status()["store"]  # type: ignore[assignment]
            if store["last_seq"] >= seq:
                return
            assert time.monotonic() < end, store
            time.sleep(0.02)

    def waiting(self) -> int:
        """Count the files that wait to be looked into."""
        with self._connected() as daemon:
            waiting: int = daemon.status()["contents"]["waiting"]  # type: ignore[index]
            return waiting

    def told_of(self, since: int, kind: str) -> list[Event]:
        """Give the events of a kind after a seq."""
        asked = Subscribe(since=Point(Scale.SEQ, since + 1), follow=False)
        with self._connected() as daemon:
            told = [one for batch in daemon.events(asked) for one in batch]
        assert all(isinstance(one, SensorEvent) for one in told), told
        events = [as_dict(one) for one in told if isinstance(one, SensorEvent)]
        return [event for event in events if event["kind"] == kind]

    def told(self, since: int, kind: str, count: int, *, port: int | None = None) -> list[Event]:
        """Give the events of a kind after a seq, of which there have to be so many.

        With a port, only those to it: the last test's may be told late.
        """
        end = time.monotonic() + SOON_S
        while True:
            events = [
                event
                for event in self.told_of(since, kind)
                if port is None or event["destination"]["port"] == port
            ]
            if len(events) >= count or time.monotonic() > end:
                assert len(events) == count, [event["line"] for event in events]
                return events

    def told_of_some(self, since: int, kind: str) -> list[Event]:
        """Give the events of a kind after a seq, of which there has to be one at least."""
        end = time.monotonic() + SOON_S
        while not (events := self.told_of(since, kind)):
            assert time.monotonic() < end, f"no {kind} was told"
            time.sleep(0.05)
        return events

    def _connected(self) -> Connection:
        """Ask the daemon itself: a command would take an emulated machine seconds to start."""
        return Connection(self.daemon.run_dir / "stream.sock", patience_s=SOON_S)

    def _write(self, policy: str) -> None:
        self._kept = policy
        self._file.write_text(f"version = 1\n{policy}", "utf-8")
        self._file.chmod(0o600)


@contextmanager
def policing(folder: Path, *, host_wide: bool = False) -> Iterator[Policing]:
    """Give a daemon over a scope of its own, not yet started.

    One that is to be ``host_wide`` is that in a guest, where it can refuse nobody
    anything but the tests; on a machine with others it keeps to the scope as well.
    """
    with Scope() as scope:
        where = cgroup2_root() if host_wide and in_guest() else scope.path
        with running(where, folder) as daemon:
            yield Policing(scope, daemon, folder / "policy.toml")
