# SPDX-License-Identifier: Apache-2.0
"""Attached probes as the sensor uses them: facts come out, actions go in.

Starts the loader, which is a process of its own, and opens what it pinned.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.actions import (
    Destroy,
    Follow,
    Kill,
    Look,
    Notify,
    Record,
    Release,
    Search,
)
from sensor.core.facts import Damaged, Loss
from sensor.core.order import Order
from sensor.daemon.instance import COMPILING, Loaded
from sensor.daemon.members import Members
from sensor.daemon.state import Slot, State
from sensor.edge import proc
from sensor.edge.libbpf_ring import Ring
from sensor.errors import DamagedRecordError, ExitCode, NoRoomError, SensorError
from sensor.wire import marks, probe, tables

if TYPE_CHECKING:
    from collections.abc import Callable, KeysView

    from sensor.core.actions import Action
    from sensor.core.catalogue import Catalogue
    from sensor.core.facts import Connect, Fact
    from sensor.daemon.instance import Pins


LOOK_EVERY_S = 10.0
"""How often it is looked whether the loader is at work."""

HEAR_EVERY_S = 0.5
"""How often it is looked whether the loader has said that it compiles."""

_NS_PER_S = 1_000_000_000
_MISSED = probe.LOST.index("missed")


def command(*arguments: str) -> list[str]:
    """Give the command line that runs agent-sensor, deaf to PYTHON* variables and the cwd."""
    return [sys.executable, "-I", "-m", "sensor", *arguments]


def run_loader(
    *,
    bpffs: Path,
    run_dir: Path,
    scope: Path,
    observes: bool = False,
    works: Callable[[], None] = lambda: None,
    say: Callable[[str], None] = lambda _: None,
) -> Loaded:
    """Load through a process that ends afterwards; ``works`` is called while that is at work.

    ``say`` gets the line that it compiles, where it does.
    Where it only ``observes``, nothing is loaded that a policy alone would ask for.
    What was in force of another version stays so until the caller has it retired.
    Raises SensorError with the loader's own sentence where it fails.
    """
    arguments = [
        f"--bpffs={bpffs}", f"--run-dir={run_dir}", f"--scope={scope}", "--json", "--beside",
        *(["--observes"] if observes else []),
    ]  # fmt: skip
    with subprocess.Popen(
        command("load", *arguments), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, errors="backslashreplace",
        process_group=0,  # Ctrl-C is for the sensor, which lets the loader end first
    ) as loader:  # fmt: skip
        try:
            stdout, stderr = _heard(loader, works, say)
        except BaseException:
            loader.kill()
            raise
    if loader.returncode:
        error = SensorError(_sentence(stderr, loader.returncode))
        error.exit_code = _exit_code(loader.returncode)
        raise error
    said = json.loads(stdout)
    return Loaded(Path(said["pins"]), reused=said["reused"], missing=said["missing"])


def _heard(
    loader: subprocess.Popen[str], works: Callable[[], None], say: Callable[[str], None]
) -> tuple[str, str]:
    """Wait for what the loader says. One that hangs, which uses no CPU, is not said to work."""
    had_s, looks_s, is_said = 0.0, time.monotonic() + LOOK_EVERY_S, False
    while True:
        try:
            return loader.communicate(timeout=min(LOOK_EVERY_S, HEAR_EVERY_S))
        except subprocess.TimeoutExpired as waited:
            # All that was written until now, as bytes (CPython's Popen._check_timeout).
            line = _line_of(waited.stderr or b"")
            if line and not is_said:
                is_said = True
                say(line)
        if time.monotonic() >= looks_s:
            before_s, had_s = had_s, proc.worked_s(loader.pid)
            if had_s > before_s:
                works()
            looks_s = time.monotonic() + LOOK_EVERY_S


def _line_of(stderr: bytes) -> str:
    """Pick the line that says of a compile, if it is there as a whole."""
    lines = stderr.decode("utf-8", "backslashreplace").splitlines(keepends=True)
    return next((one[:-1] for one in lines if one.startswith(COMPILING) and one[-1] == "\n"), "")


def _sentence(stderr: str, returncode: int) -> str:
    """Pick the loader's own sentence; around it may stand pages of the compiler or the verifier."""
    mark = "agent-sensor: "
    said = [line.removeprefix(mark) for line in stderr.splitlines() if line.startswith(mark)]
    return (
        said[-1]
        if said
        else (
            f"the loader ended with {returncode} and no reason; agent-sensor load shows all it says"
        )
    )


def _exit_code(returncode: int) -> ExitCode:
    return ExitCode(returncode) if returncode in set(ExitCode) else ExitCode.FAILED


class Probing:
    """The probes of one instance: the ring's consumer and the tables' writer.

    ``places_of`` gives the bits of the folders of policy that a file lies below.
    """

    def __init__(self, pins: Pins, take: Callable[[Fact], None]) -> None:
        self._pins = pins
        self._take = take
        self.members = Members(pins)
        self._state = State.of(pins)
        self._flows = pins.map("flows")
        self._lost = pins.map("lost")
        # Kept beside the counters, so that the next sensor tells what nobody has told.
        self._told = pins.map("told")
        self._programs = pins.programs()
        self._looked_ns = self._in_vain = 0
        self._order = Order()
        self._refusals_until_ns = 0
        self.verdicts = Ring(pins.map("verdicts"), self._refusal)
        self.ring = Ring(pins.map("records"), self._record)
        self.places_of: Callable[[str | None], int] = lambda _: 0
        self._taught: dict[str, KeysView[bytes]] = {}
        self.lost = 0
        self.lost_at_ns: int | None = None
        self._counted = tables.counters_of(
            self._told.lookup(bytes(4), 8 * len(probe.LOST)) or bytes(8 * len(probe.LOST))
        )
        self._misses = self._counted[_MISSED]

    def teach(self, catalogue: Catalogue) -> None:
        """Fill the maps by which the kernel recognises candidates."""
        seed = self._state[Slot.SEED]
        for name, entries in (
            ("words", marks.words(catalogue, seed)),
            ("names", marks.names(catalogue)),
            ("brokers", marks.brokers()),
            ("options", marks.options(seed)),
        ):
            table = self._pins.map(name)
            key, value = next(iter(entries.items()), (b"", b""))
            there = dict(table.items(len(key), len(value)))
            # What is not of the catalogue is of the run before, until the first time.
            stale = self._taught.get(name, there.keys()) - entries.keys()
            for key, value in entries.items():
                table.update(key, value)
            for key in stale & there.keys():
                table.delete(key)
            self._taught[name] = entries.keys()
        self.members.renew_answers()

    def read(self) -> int:
        """Take every record that waits, and tell what was lost. Returns how many there were.

        What was refused is read first: all that was before it is in the other ring then.
        """
        refused, others = self._read_refusals(), self.ring.consume()
        if self.ring.is_drained():
            for fact in self._order.rest():
                self._take(fact)
        count = refused + others
        now = list(self._lost.sums(len(probe.LOST)))
        now[_MISSED] = self._missed(made_up=now[_MISSED])
        if now != self._counted:
            self._tell_losses(now)
        return count

    def _tell_losses(self, now: list[int]) -> None:
        for loss in probe.losses(self._counted, now, _now_ns()):
            self._lose(loss)
        self._told.update(bytes(4), tables.counters(now))
        self._counted = now

    def _missed(self, made_up: int) -> int:
        """Count how often a program was not run, by a look a second: that takes a call each.

        But for those whose stand-by was run. What that has made up for after it was told, or
        was run for in vain, makes up for nothing else.
        """
        now_ns = _now_ns()
        if now_ns - self._looked_ns >= _NS_PER_S:
            self._looked_ns, misses = now_ns, self._programs.misses()
            missed = misses - made_up + self._in_vain
            self._in_vain += max(0, self._misses - missed)
            self._misses = max(missed, self._misses)
        return self._misses

    def _lose(self, loss: Loss) -> None:
        self.lost += loss.count
        self.lost_at_ns = loss.at_ns
        self._take(loss)

    def apply(self, action: Action) -> None:
        """Do to the kernel's tables what the engine wants."""
        match action:
            case Follow():
                if not self.follow(action):
                    self._lose(Loss(at_ns=_now_ns(), what="member", count=1))
            case Release(process):
                self.members.release(process)
            case Record() | Destroy() | Kill() | Notify() | Look() | Search():
                pass  # none of the kernel's tables that it keeps

    def follow(self, action: Follow) -> bool:
        """Have the kernel follow a process. Returns False where it has no room."""
        paths = self.places_of(action.exe)
        return self.members.follow(action.process, action.root, action.tools, paths=paths)

    def follow_connection(self, fact: Connect) -> None:
        """Have the end of a connection told that was open before the probes were there."""
        try:
            self._flows.insert(tables.flow_key(fact.cookie), tables.flow(fact))
        except NoRoomError:
            self._lose(Loss(at_ns=_now_ns(), what="flow", count=1))

    def _read_refusals(self) -> int:
        self._refusals_until_ns = _now_ns()
        return self.verdicts.consume()

    def _refusal(self, record: bytes) -> None:
        self._order.hold(_fact(record))

    def _record(self, record: bytes) -> None:
        fact = _fact(record)
        if fact.at_ns > self._refusals_until_ns:
            self._read_refusals()  # there may be some of the time between
        for earlier in self._order.before(fact):
            self._take(earlier)
        self._take(fact)


def _fact(record: bytes) -> Fact:
    try:
        return probe.read(record)
    except DamagedRecordError as problem:
        return Damaged(at_ns=_now_ns(), why=str(problem))


def _now_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
