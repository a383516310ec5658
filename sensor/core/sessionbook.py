# SPDX-License-Identifier: Apache-2.0
"""The book of sessions: each run of a tool with its sums, out of the events of many."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from sensor.core.line import command
from sensor.core.proof.place import is_proof
from sensor.core.quote import quote
from sensor.core.table import shown
from sensor.core.units import count, duration, size
from sensor.core.wall import instant, rfc3339
from sensor.core.when import Moment, Seq
from sensor.core.words import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.event import Event, Evidence, ProcessView
    from sensor.core.when import When

HEADS = (
    "session", "tool", "user", "started", "state", "lasted", "processes", "hosts", "sent",
    "received", "command",
)  # fmt: skip

_SECONDS = len("2026-11-23T14:03:07")


class State(Enum):
    """Where a session is. ``UNSEEN``: it is over, and its end was not seen."""

    RUNNING = "running"
    ENDED = "ended"
    UNSEEN = "end not seen"


@dataclass(frozen=True, slots=True)
class Now:
    """The time by which a session that has no end is judged; ``boot_id`` of the boot that runs.

    Without a ``boot_id`` nobody watches, and nobody can say that one runs.
    """

    boot_id: str | None
    at_ns: int


@dataclass(slots=True, kw_only=True)
class Run:
    """One session. ``started_ns`` is since the boot ``boot_id``.

    ``started_at`` is None where the start is not stored; ``started_ns`` is then
    that of the first event that is.

    ``hosts`` and ``processes`` are the session's own sums once it has ended;
    before, what its events tell: processes that ran something, names or
    addresses that were connected to.
    """

    id: str
    boot_id: str
    host: str
    started_at: str | None
    started_ns: int
    first_at: str
    first_seq: int
    last_seq: int = 0
    tool: str | None = None
    vendor: str | None = None
    parent_session: str | None = None
    verdict: str | None = None
    rule: str | None = None
    confidence: float | None = None
    evidence: tuple[Evidence, ...] = ()
    process: ProcessView | None = None
    ended_at: str | None = None
    duration_ns: int | None = None
    last_at: str = ""
    connections: int = 0
    refused: int = 0
    sent_bytes: int = 0
    received_bytes: int = 0
    sums: tuple[int | None, int | None] | None = None
    pids: set[tuple[int, int]] = field(default_factory=set)
    peers: set[str] = field(default_factory=set)

    @property
    def processes(self) -> int | None:
        """How many processes it had."""
        return self.sums[0] if self.sums else len(self.pids)

    @property
    def hosts(self) -> int | None:
        """How many hosts it connected to; None where there were too many to count."""
        return self.sums[1] if self.sums else len(self.peers)

    def state(self, now: Now) -> State:
        """Tell whether it runs still: no end was told, in the boot that is watched."""
        if self.ended_at:
            return State.ENDED
        return State.RUNNING if self.boot_id == now.boot_id else State.UNSEEN

    @property
    def is_proof(self) -> bool:
        """Whether `prove` began it, so that nobody used the tool."""
        return is_proof(self.process)

    def state_told(self, now: Now) -> str:
        """Say where it is, and if it is nobody's."""
        return f"{self.state(now).value}{' (prove)' if self.is_proof else ''}"

    def is_within(self, since: When | None, until: When | None, now: Now) -> bool:
        """Tell whether it was running at some time of a window."""
        is_running = self.state(now) is State.RUNNING
        match since:
            case Seq(seq) if self.last_seq < seq and not is_running:
                return False
            case Moment(wall_ns) if instant(self.last_at) < wall_ns and not is_running:
                return False
        match until:
            case Seq(seq):
                return self.first_seq <= seq
            case Moment(wall_ns):
                return instant(self.first_at) <= wall_ns
        return True

    def lasted_ns(self, now: Now) -> int | None:
        """Return how long it lasted or has been running; None where its end was not seen."""
        if self.state(now) is State.RUNNING:
            return max(0, now.at_ns - self.started_ns)
        return self.duration_ns

    def _since(self) -> str:
        before = "" if self.started_at else "before "
        return f"{before}{(self.started_at or self.first_at)[:_SECONDS]}Z"

    def as_dict(self, now: Now) -> dict[str, object]:
        """Return it in plain values; ``ended_at`` null is a session without a known end."""
        process = self.process
        return {
            "session": self.id,
            "state": self.state(now).value,
            "proof": self.is_proof,
            "tool": self.tool,
            "vendor": self.vendor,
            "host": self.host,
            "boot_id": self.boot_id,
            "parent_session": self.parent_session,
            "verdict": self.verdict,
            "rule": self.rule,
            "confidence": self.confidence,
            "evidence": [{"signal": one.signal, "value": one.value} for one in self.evidence],
            "user": process.user if process else None,
            "uid": process.uid if process else None,
            "pid": process.pid if process else None,
            "exe": process.exe if process else None,
            "argv": list(process.argv) if process and process.argv is not None else None,
            "cwd": process.cwd if process else None,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "first_at": self.first_at,
            "last_at": self.last_at,
            "first_seq": self.first_seq,
            "duration_ns": self.lasted_ns(now),
            "processes": self.processes,
            "hosts": self.hosts,
            "connections": self.connections,
            "refused": self.refused,
            "sent_bytes": self.sent_bytes,
            "received_bytes": self.received_bytes,
        }

    def texts(self, now: Now) -> list[str]:
        """Return the cells of its row under ``HEADS``."""
        process, lasted = self.process, self.lasted_ns(now)
        return [
            self.id,
            shown(self.tool),
            user_of(process),
            self._since(),
            self.state_told(now),
            "-" if lasted is None else duration(lasted),
            shown(self.processes),
            shown(self.hosts),
            size(self.sent_bytes),
            size(self.received_bytes),
            command(process) if process else "-",
        ]

    def _sums(self) -> Iterator[str]:
        if self.processes is not None:
            yield count(self.processes, "process", "processes")
        hosts = "" if self.hosts is None else f" to {count(self.hosts, 'host', 'hosts')}"
        yield f"{count(self.connections, 'connection', 'connections')}{hosts}"
        if self.refused:
            yield f"{self.refused} refused"
        yield f"sent {size(self.sent_bytes)}"
        yield f"received {size(self.received_bytes)}"

    def head(self, now: Now) -> Iterator[str]:
        """Write what stands above its tree."""
        process = self.process
        state, lasted = self.state_told(now), self.lasted_ns(now)
        took = "" if lasted is None else f" {duration(lasted)}"
        yield f"session   {self.id}  {shown(self.tool)} ({shown(self.vendor)})  {state}{took}"
        until = f" to {self.ended_at[:_SECONDS]}Z" if self.ended_at else ""
        yield f"time      {self._since()}{until}, from event {self.first_seq}"
        if process:
            yield f"user      {user_of(process)}, in {quote(process.cwd or '-')}"
        if self.parent_session:
            yield f"within    {self.parent_session}"
        if self.evidence:
            reasons = ", ".join(f"{one.signal} {quote(one.value)}" for one in self.evidence)
            yield f"known by  {reasons} (confidence {self.confidence})"
        yield f"sums      {', '.join(self._sums())}"


def user_of(process: ProcessView | None) -> str:
    """Name the user of a process for a terminal, one without a name by its number."""
    if process is None:
        return "-"
    return quote(process.user) if process.user else shown(process.uid)


class Book:
    """Sums up sessions; give it their events in order, of all kinds or some."""

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}

    def take(self, event: Event) -> None:
        """Add one event to its session."""
        if event.session is None:
            return
        run = self.runs.get(event.session)
        if run is None:
            run = self.runs[event.session] = _begun(event, event.session)
        run.last_at, run.last_seq = max(run.last_at, event.at), max(run.last_seq, event.seq)
        process = event.process
        match event.kind:
            case Kind.SESSION_START:
                run.confidence, run.evidence = event.confidence, event.evidence
                run.parent_session, run.process = event.parent_session, process
            case Kind.EXEC if event.is_refused:
                run.refused += 1
                _judge(run, event)
            case Kind.CONNECT if event.is_refused:
                run.refused += 1
            case Kind.EXEC if process:
                run.pids.add((process.pid, process.started_ns))
                _judge(run, event)
            case Kind.CONNECT if to := event.destination:
                run.connections += 1
                run.peers.add(to.name or str(to.ip))
            case Kind.CLOSE if event.traffic:
                run.sent_bytes += event.traffic.sent_bytes
                run.received_bytes += event.traffic.received_bytes
            case Kind.SESSION_END:
                run.ended_at, run.duration_ns = event.at, event.duration_ns
                run.sums = (event.processes, event.hosts)
                run.process = run.process or process
            case _:
                pass


def _judge(run: Run, event: Event) -> None:
    """Take over what was said about the tool itself, not about what it started."""
    if event.depth == 0:
        run.verdict = event.verdict.value if event.verdict else None
        run.rule = event.rule
        run.process = run.process or event.process


def _begun(event: Event, session: str) -> Run:
    """Begin a run with its first event that is stored, which may not be its start."""
    started_at, started_ns = None, event.at_ns
    if event.kind is Kind.SESSION_START:
        started_at = event.at
        if event.late and event.process:  # it ran before it was found
            started_ns = event.process.started_ns
            started_at = rfc3339(instant(event.at) - (event.at_ns - started_ns))
    return Run(
        id=session,
        boot_id=event.boot_id,
        host=event.host,
        started_at=started_at,
        started_ns=started_ns,
        first_at=event.at,
        first_seq=event.seq,
        tool=event.tool,
        vendor=event.vendor,
    )
