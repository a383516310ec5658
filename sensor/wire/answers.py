# SPDX-License-Identifier: Apache-2.0
"""What the hub says to a reader, as values and as envelopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.errors import FrameError
from sensor.wire.envelope import VERSION, envelope
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.errors import SensorError


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    """The first answer: whose stream this is, up to which seq, and since when (Unix time)."""

    host: str
    boot_id: str
    seq: int
    started_at: str
    v: int = VERSION


@dataclass(frozen=True, slots=True)
class Told:
    """One event; ``wire.frame`` reads its body."""

    body: bytes


@dataclass(frozen=True, slots=True)
class Skipped:
    """What was not sent though it may have been wanted: a range of seqs, both ends included."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Done:
    """All that was asked for has been said, up to this seq."""

    seq: int


@dataclass(frozen=True, slots=True)
class State:
    """The answer to ``status``."""

    status: dict[str, object]


@dataclass(frozen=True, slots=True)
class Obeyed:
    """A control request was carried out; what there is to say of it."""

    result: dict[str, object]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request was not carried out, and why; ``code`` is an ``ExitCode``."""

    text: str
    code: int


Answer = Hello | Told | Skipped | Done | State | Obeyed | Refused


def hello(one: Hello) -> bytes:
    """Say whose stream this is."""
    said = {
        "v": one.v,
        "host": one.host,
        "boot_id": one.boot_id,
        "seq": one.seq,
        "started_at": one.started_at,
    }
    return envelope({"hello": said})


def told(body: bytes) -> bytes:
    """Tell an event."""
    return envelope({"event": body})


def skipped(first: int, last: int) -> bytes:
    """Tell what was left out."""
    return envelope({"skipped": (first, last)})


def done(seq: int) -> bytes:
    """Tell that nothing more will come."""
    return envelope({"done": seq})


def state(status: dict[str, object]) -> bytes:
    """Tell how the daemon is."""
    return envelope({"status": status})


def obeyed(result: dict[str, object]) -> bytes:
    """Tell that it was carried out."""
    return envelope({"ok": result})


def refused(problem: SensorError) -> bytes:
    """Tell why not."""
    return envelope({"error": str(problem), "code": int(problem.exit_code)})


def answer_of(raw: dict[str, object]) -> Answer:
    """Read an answer. Raises FrameError where it says nothing that is known."""
    for name, read in _ANSWERS.items():
        if name in raw:
            return read(Fields("answer", raw))
    known = ", ".join(_ANSWERS)
    raise FrameError(f"answer: expected one of {known}")


def _hello(raw: Fields) -> Hello:
    said = Fields("hello", raw.need("hello", dict))
    return Hello(
        v=said.need("v", int),
        host=said.need("host", str),
        boot_id=said.need("boot_id", str),
        seq=said.need("seq", int),
        started_at=said.need("started_at", str),
    )


def _skipped(raw: Fields) -> Skipped:
    match raw.items("skipped", int):
        case [first, last]:
            return Skipped(first, last)
        case _:
            raise FrameError("answer: skipped: expected two seqs")


_ANSWERS: dict[str, Callable[[Fields], Answer]] = {
    "event": lambda raw: Told(raw.need("event", bytes)),
    "skipped": _skipped,
    "done": lambda raw: Done(raw.need("done", int)),
    "hello": _hello,
    "status": lambda raw: State(raw.need("status", dict)),
    "ok": lambda raw: Obeyed(raw.need("ok", dict)),
    "error": lambda raw: Refused(raw.need("error", str), raw.need("code", int)),
}
