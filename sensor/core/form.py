# SPDX-License-Identifier: Apache-2.0
"""The event as plain values, under the names of docs/events.md, for JSON and msgpack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core import inventory

if TYPE_CHECKING:
    from sensor.core.event import Destination, Event, Lack, PolicyView, ProcessView, Traffic


def as_dict(event: Event) -> dict[str, object]:
    """Return an event with every name of the table: absent is None, an address is text."""
    return {**fields_of(event), "line": event.line}


def fields_of(event: Event) -> dict[str, object]:
    """Return all but the line, which takes as long to write as the rest, and says no more."""
    return {
        "v": event.v,
        "seq": event.seq,
        "boot_id": event.boot_id,
        "host": event.host,
        "at": event.at,
        "at_ns": event.at_ns,
        "kind": event.kind.value,
        "verdict": event.verdict.value if event.verdict else None,
        "enforcement": event.enforcement.value if event.enforcement else None,
        "rule": event.rule,
        "tool": event.tool,
        "vendor": event.vendor,
        "confidence": event.confidence,
        "evidence": [{"signal": one.signal, "value": one.value} for one in event.evidence],
        "looked": event.looked,
        "risk": [{"signal": one.signal, "value": one.value} for one in event.risk],
        "lineage": event.lineage,
        "session": event.session,
        "parent_session": event.parent_session,
        "depth": event.depth,
        "late": event.late,
        "process": _process(event.process) if event.process else None,
        "parent": (
            {"pid": event.parent.pid, "started_ns": event.parent.started_ns}
            if event.parent
            else None
        ),
        "destination": _destination(event.destination) if event.destination else None,
        "traffic": _traffic(event.traffic) if event.traffic else None,
        "loss": {"what": event.loss[0], "count": event.loss[1]} if event.loss else None,
        "gap": _gap(event.gap) if event.gap else None,
        "policy": _policy(event.policy) if event.policy else None,
        "health": (
            {"what": event.health.what, "is_well": event.health.is_well} if event.health else None
        ),
        "reason": event.reason,
        "duration_ns": event.duration_ns,
        "processes": event.processes,
        "hosts": event.hosts,
        "inventory": inventory.as_dict(event.inventory) if event.inventory else None,
    }


def _gap(gap: Lack) -> dict[str, object]:
    return {
        "from_at": gap.from_at,
        "to_at": gap.to_at,
        "first_seq": gap.first_seq,
        "last_seq": gap.last_seq,
    }


def _policy(policy: PolicyView) -> dict[str, object]:
    return {
        "standing": policy.standing,
        "generation": policy.generation,
        "source": policy.source,
        "rules": policy.rules,
        "blocks": policy.blocks,
        "mode": policy.mode,
    }


def _process(process: ProcessView) -> dict[str, object]:
    return {
        "pid": process.pid,
        "started_ns": process.started_ns,
        "comm": process.comm,
        "ppid": process.ppid,
        "exe": process.exe,
        "script": process.script,
        "interpreter": process.interpreter,
        "name_typed": process.name_typed,
        "argv": None if process.argv is None else list(process.argv),
        "cwd": process.cwd,
        "uid": process.uid,
        "user": process.user,
        "loginuid": process.loginuid,
        "tty": process.tty,
        "cgroup": process.cgroup,
        "cgroup_id": process.cgroup_id,
        "container": process.container,
        "dev": process.dev,
        "ino": process.ino,
        "fileless": process.fileless,
        "truncated": list(process.truncated),
        "status": process.status,
        "package": process.package,
        "ancestors": list(process.ancestors),
    }


def _destination(to: Destination) -> dict[str, object]:
    return {
        "ip": None if to.ip is None else str(to.ip),
        "port": to.port,
        "transport": to.transport,
        "name": to.name,
        "name_source": to.name_source.value if to.name_source else None,
        "endpoint": to.endpoint,
        "addresses": [str(one) for one in to.addresses],
        "rcode": to.rcode,
        "cut": to.cut,
    }


def _traffic(traffic: Traffic) -> dict[str, object]:
    return {
        "sent_bytes": traffic.sent_bytes,
        "received_bytes": traffic.received_bytes,
        "duration_ns": traffic.duration_ns,
        "outcome": traffic.outcome,
    }
