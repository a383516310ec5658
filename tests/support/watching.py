# SPDX-License-Identifier: Apache-2.0
"""A sensor under test: `agent-sensor watch --json` as a process, its lines as events."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

from support.patience import READY_S, SOON_S

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from support.scope import Scope

AGENT_SENSOR = Path(sys.executable).with_name("agent-sensor")

Event = dict[str, Any]  # as docs/events.md has it


class Watching:
    """The sensor watches ``scope`` for the length of a ``with``.

    The test fails if the sensor does not get ready, does not end with 0 when
    asked to, or writes a traceback.
    """

    def __init__(self, scope: Scope, *options: str) -> None:
        self._argv: list[str | Path] = [
            AGENT_SENSOR,
            "watch",
            "--scope",
            scope.path,
            "--json",
            *options,
        ]
        self._change = threading.Condition()
        self._events: list[Event] = []
        self._broken: list[str] = []
        self._said: list[str] = []
        self._open = 2
        self._stopped = False

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        assert self._process.stdout
        assert self._process.stderr
        for stream, take in (
            (self._process.stdout, self._take),
            (self._process.stderr, self._said.append),
        ):
            threading.Thread(target=self._read, args=(stream, take), daemon=True).start()
        try:
            self._wait(self._is_ready, READY_S, "did not get ready")
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        stopped = self._stopped
        try:
            status = self.stop(signal.SIGTERM)
        finally:
            self._process.kill()
            self._process.wait()
        if error is None:
            assert status == 0 or stopped, f"the sensor ended with {status}: {self.stderr}"
            assert not self._broken, f"lines that are no JSON: {self._broken}"
            assert "Traceback" not in self.stderr, self.stderr

    @property
    def pid(self) -> int:
        """The sensor's process."""
        return self._process.pid

    @property
    def stderr(self) -> str:
        """What the sensor has said to its user so far."""
        return "".join(self._said)

    def stop(self, how: signal.Signals) -> int:
        """Send a signal, wait for the end and for the last line, and give the exit status."""
        self._stopped = True
        self._process.send_signal(how)
        self._process.send_signal(signal.SIGCONT)
        status = self._process.wait(SOON_S)
        self._wait(lambda: not self._open, SOON_S, "left its output open")
        return status

    def pause(self) -> None:
        """Keep the sensor from reading; the kernel goes on to record."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let the sensor read again."""
        self._process.send_signal(signal.SIGCONT)

    def events(self, kind: str | None = None, pid: int | None = None) -> list[Event]:
        """Events so far in their order, of one ``kind`` or one process if asked."""
        with self._change:
            return [
                event
                for event in self._events
                if kind in (None, event["kind"])
                and (pid is None or (event["process"] or {}).get("pid") == pid)
            ]

    def until(
        self, predicate: Callable[[list[Event]], bool], deadline_s: float = SOON_S
    ) -> list[Event]:
        """Wait until ``predicate`` holds for the events so far, and give them."""
        self._wait(lambda: predicate(self._events), deadline_s, "did not tell what was awaited")
        return self.events()

    def wake_ups(self) -> int:
        """Count how often the sensor's threads have gone to sleep, once they are idle."""
        deadline = time.monotonic() + SOON_S
        before, same = self._switches(), 0
        while same < 5:
            assert time.monotonic() < deadline, "the sensor never comes to rest"
            time.sleep(0.05)
            now = self._switches()
            before, same = now, same + 1 if now == before else 0
        return before

    def _switches(self) -> int:
        statuses = Path(f"/proc/{self.pid}/task").glob("*/status")
        lines = [line for path in statuses for line in path.read_text("utf-8").splitlines()]
        return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_"))

    def _take(self, line: str) -> None:
        try:
            self._events.append(json.loads(line))
        except ValueError:
            self._broken.append(line)

    def _is_ready(self) -> bool:
        return any(line.startswith("watching") for line in self._said)

    def _read(self, stream: IO[str], take: Callable[[str], None]) -> None:
        """Take each line of ``stream``; a thread's work."""
        for line in stream:
            with self._change:
                take(line)
                self._change.notify_all()
        with self._change:
            self._open -= 1
            self._change.notify_all()

    def _wait(self, holds: Callable[[], bool], deadline_s: float, failing: str) -> None:
        def settled() -> bool:
            return holds() or not self._open

        with self._change:
            self._change.wait_for(settled, deadline_s)
            tail = [event.get("line") or event for event in self._events[-20:]]
            assert holds(), f"the sensor {failing}; events end {tail}; it said {self.stderr!r}"
