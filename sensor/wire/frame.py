# SPDX-License-Identifier: Apache-2.0
"""The event as bytes: what the store keeps and what every reader gets.

The names are those of docs/events.md but ``line``, which readers write
themselves. Text that is no UTF-8 (a lone surrogate, as Python makes them of
foreign file names) goes out as an escape: a reader in any language can read it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import msgpack

from sensor.core.event import (
    Destination,
    Enforcement,
    Event,
    Evidence,
    HealthView,
    Kind,
    Lack,
    NameSource,
    PolicyView,
    ProcessView,
    Traffic,
    Verdict,
)
from sensor.core.facts import Process
from sensor.core.filter import Traits, traits_of
from sensor.core.form import fields_of
from sensor.wire.envelope import LARGEST_BYTES, unpack
from sensor.wire.fields import Fields
from sensor.wire.inventory import inventory_of

LARGEST_BODY_BYTES = LARGEST_BYTES - 64
"""With room for the envelope."""

_pack = msgpack.Packer(autoreset=True, unicode_errors="backslashreplace").pack


class Frame(NamedTuple):
    """One event, ready to be kept and sent. A tuple, as one is made for every event."""

    seq: int
    at_ns: int
    traits: Traits
    body: bytes


def frame_of(event: Event) -> Frame:
    """Return what the hub and the store take."""
    return Frame(event.seq, event.at_ns, traits_of(event), body(event))


def body(event: Event) -> bytes:
    """Return an event as msgpack.

    Arguments that make it larger than a frame are left out, and named as cut: a
    process found in /proc has up to 6 MiB of them (fs/exec.c: bprm_stack_limits).
    """
    packed: bytes = _pack(fields_of(event))
    if len(packed) > LARGEST_BODY_BYTES and event.process is not None:
        process = replace(event.process, argv=None, truncated=(*event.process.truncated, "argv"))
        packed = _pack(fields_of(replace(event, process=process)))
    return packed


def event_of(body: bytes) -> Event:
    """Return the event that ``body`` was made of.

    Raises FrameError where a name is missing or holds what it cannot. A name
    that is not known is left out: it comes from a later version. Names that an
    earlier version did not have yet may be missing.
    """
    raw = Fields("event", unpack(body, most_members=LARGEST_BYTES))
    return Event(
        v=raw.need("v", int),
        seq=raw.need("seq", int),
        boot_id=raw.need("boot_id", str),
        host=raw.need("host", str),
        at=raw.need("at", str),
        at_ns=raw.need("at_ns", int),
        kind=raw.word("kind", Kind, raw.need("kind", str)),
        verdict=raw.maybe_word("verdict", Verdict),
        enforcement=raw.maybe_word("enforcement", Enforcement) if "enforcement" in raw else None,
        rule=raw.maybe("rule", str),
        tool=raw.maybe("tool", str),
        vendor=raw.maybe("vendor", str),
        confidence=raw.maybe_number("confidence"),
        evidence=raw.parts("evidence", _evidence),
        looked=raw.need("looked", bool) if "looked" in raw else False,
        risk=raw.parts("risk", _evidence) if "risk" in raw else (),
        lineage=raw.maybe("lineage", str) if "lineage" in raw else None,
        session=raw.maybe("session", str),
        parent_session=raw.maybe("parent_session", str),
        depth=raw.maybe("depth", int),
        late=raw.need("late", bool),
        process=raw.part("process", _process),
        parent=raw.part("parent", _parent),
        destination=raw.part("destination", _destination),
        traffic=raw.part("traffic", _traffic),
        loss=raw.part("loss", _loss),
        gap=raw.part("gap", _gap),
        policy=raw.part("policy", _policy) if "policy" in raw else None,
        health=raw.part("health", _health) if "health" in raw else None,
        reason=raw.maybe("reason", str),
        duration_ns=raw.maybe("duration_ns", int),
        processes=raw.maybe("processes", int),
        hosts=raw.maybe("hosts", int),
        inventory=raw.part("inventory", inventory_of) if "inventory" in raw else None,
    )


def _evidence(raw: Fields) -> Evidence:
    return Evidence(raw.need("signal", str), raw.need("value", str))


def _parent(raw: Fields) -> Process:
    return Process(raw.need("pid", int), raw.need("started_ns", int))


def _loss(raw: Fields) -> tuple[str, int]:
    return raw.need("what", str), raw.need("count", int)


def _gap(raw: Fields) -> Lack:
    return Lack(
        raw.need("from_at", str),
        raw.need("to_at", str),
        raw.maybe("first_seq", int),
        raw.maybe("last_seq", int),
    )


def _policy(raw: Fields) -> PolicyView:
    return PolicyView(
        standing=raw.need("standing", str),
        generation=raw.need("generation", int),
        source=raw.maybe("source", str),
        rules=raw.maybe("rules", int),
        blocks=raw.maybe("blocks", int),
        mode=raw.maybe("mode", str),
    )


def _health(raw: Fields) -> HealthView:
    return HealthView(raw.need("what", str), is_well=raw.need("is_well", bool))


def _process(raw: Fields) -> ProcessView:
    return ProcessView(
        pid=raw.need("pid", int),
        started_ns=raw.need("started_ns", int),
        comm=raw.maybe("comm", str) if "comm" in raw else None,
        ppid=raw.maybe("ppid", int),
        exe=raw.maybe("exe", str),
        script=raw.maybe("script", str),
        interpreter=raw.maybe("interpreter", str),
        name_typed=raw.maybe("name_typed", str),
        argv=raw.maybe_texts("argv"),
        cwd=raw.maybe("cwd", str),
        uid=raw.maybe("uid", int),
        user=raw.maybe("user", str),
        loginuid=raw.maybe("loginuid", int),
        tty=raw.maybe("tty", str),
        cgroup=raw.maybe("cgroup", str),
        cgroup_id=raw.maybe("cgroup_id", int),
        container=raw.maybe("container", str) if "container" in raw else None,
        dev=raw.maybe("dev", int),
        ino=raw.maybe("ino", int),
        fileless=raw.maybe("fileless", bool),
        truncated=raw.texts("truncated"),
        status=raw.maybe("status", int),
        package=raw.maybe("package", str) if "package" in raw else None,
        ancestors=raw.texts("ancestors") if "ancestors" in raw else (),
    )


def _destination(raw: Fields) -> Destination:
    ip = raw.maybe("ip", str)
    return Destination(
        ip=None if ip is None else raw.address("ip", ip),
        port=raw.maybe("port", int),
        transport=raw.maybe("transport", str),
        name=raw.maybe("name", str),
        name_source=raw.maybe_word("name_source", NameSource),
        endpoint=raw.maybe("endpoint", str),
        addresses=tuple(raw.address("addresses", one) for one in raw.texts("addresses")),
        rcode=raw.maybe("rcode", int),
        cut=raw.need("cut", bool),
    )


def _traffic(raw: Fields) -> Traffic:
    return Traffic(
        sent_bytes=raw.need("sent_bytes", int),
        received_bytes=raw.need("received_bytes", int),
        duration_ns=raw.need("duration_ns", int),
        outcome=raw.need("outcome", str),
    )
