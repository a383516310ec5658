# SPDX-License-Identifier: Apache-2.0
"""Events under the names of the Elastic Common Schema 9.3.0.

What ECS has no field for stands under ``agent_sensor``, a name of our own as
ECS asks for it, with the names of the stream.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.foreign import (
    command_line,
    container,
    entity,
    exit_code,
    name_of,
    present,
    rest,
    wall_ns,
)
from sensor.core.outcome import Outcome
from sensor.core.wall import rfc3339
from sensor.core.words import Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.event import Destination, Event, ProcessView
    from sensor.core.inventory import Inventory

VERSION = "9.3.0"

_DATASET = "agent_sensor.events"
_PROTOCOLS = {"tcp": "6", "udp": "17"}  # IANA's numbers
_RCODES = ("NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED")  # RFC 1035, 4.1.1

# event.action, event.category, event.type. What is no activity of anybody has no category.
_WORDS: dict[Kind, tuple[str, list[str], list[str]]] = {
    Kind.EXEC: ("exec", ["process"], ["start"]),
    Kind.EXIT: ("end", ["process"], ["end"]),
    Kind.CONNECT: ("connection_attempted", ["network"], ["connection", "start"]),
    Kind.CLOSE: ("connection_closed", ["network"], ["connection", "end"]),
    Kind.RESOLVE: ("dns_answered", ["network"], ["protocol", "info"]),
    Kind.INVENTORY: ("package_found", ["package"], ["info"]),
    Kind.SESSION_START: ("session_started", ["session", "process"], ["start"]),
    Kind.SESSION_END: ("session_ended", ["session", "process"], ["end"]),
    Kind.POLICY: ("policy_changed", ["configuration"], ["change"]),
    Kind.HEALTH: ("health", [], ["info"]),
}

# Of our names, those that a field of the schema stands for.
_MAPPED = {
    "": {"v", "seq", "boot_id", "host", "at", "kind", "rule", "reason", "parent"},
    "process": {"pid", "ppid", "exe", "argv", "cwd", "uid", "user", "container"},
    "destination": {"ip", "port", "transport", "name", "addresses", "rcode"},
    "traffic": {"sent_bytes", "received_bytes", "duration_ns"},
}


def as_ecs(event: Event) -> dict[str, object]:
    """Return an event as an ECS document of nested objects."""
    process, to = event.process, event.destination
    return present(
        {
            "@timestamp": event.at,
            "ecs": {"version": VERSION},
            "message": event.line,
            "event": _event(event),
            "host": {"name": event.host, "hostname": event.host, "boot": {"id": event.boot_id}},
            "observer": {"type": "sensor", "product": "agent-sensor", "hostname": event.host},
            "process": _process(event, process) if process else None,
            "container": container(process, "id") if process else None,
            "user": _user(process or event.inventory),
            "rule": {"id": event.rule} if event.rule else None,
            **(_network(event, to) if to else {}),
            "related": _related(event) or None,
            "package": _package(event),
            "agent_sensor": rest(event, _MAPPED),
        }
    )


def _event(event: Event) -> dict[str, object]:
    action, category, types = _WORDS.get(event.kind, (event.kind.value, [], ["info"]))
    duration = event.traffic.duration_ns if event.traffic else event.duration_ns
    alarming = event.verdict not in {None, Verdict.ALLOW}
    return present(
        {
            "kind": "alert" if alarming else "event" if category else "state",
            "category": category,
            "type": [*types, *_allowed(event)],
            "action": action,
            "outcome": _outcome(event),
            "reason": event.reason,
            "id": f"{event.boot_id}:{event.seq}",
            "sequence": event.seq,
            "module": "agent_sensor",
            "dataset": _DATASET,
            "duration": duration,
            "start": rfc3339(wall_ns(event, event.at_ns - duration)) if duration else None,
        }
    )


def _allowed(event: Event) -> list[str]:
    """Say what became of an attempt; a block that was not carried out is neither."""
    if event.is_refused:
        return ["denied"]
    return ["allowed"] if event.verdict is Verdict.ALLOW else []


def _outcome(event: Event) -> str | None:
    """Tell whether what was tried came about; None where that is not the question."""
    to, traffic = event.destination, event.traffic
    if event.is_refused:
        return "failure"
    if traffic:
        return "success" if traffic.outcome == Outcome.CLOSED else "failure"
    if event.kind is Kind.RESOLVE and to and to.rcode is not None:
        return "failure" if to.rcode else "success"
    return None


def _process(event: Event, view: ProcessView) -> dict[str, object]:
    started_by = event.parent
    parent = (
        {
            "pid": started_by.pid,
            "entity_id": entity(event, started_by),
            "start": rfc3339(wall_ns(event, started_by.started_ns)),
        }
        if started_by
        else present({"pid": view.ppid})
    )
    return present(
        {
            "pid": view.pid,
            "entity_id": entity(event, view),
            "start": rfc3339(wall_ns(event, view.started_ns)),
            "end": event.at if event.kind is Kind.EXIT else None,
            "exit_code": exit_code(view),
            "name": name_of(view),
            "executable": view.exe,
            "args": None if view.argv is None else list(view.argv),
            "args_count": None if view.argv is None else len(view.argv),
            "command_line": command_line(view),
            "working_directory": view.cwd,
            "interactive": None if view.tty is None else True,
            "user": _user(view),
            "parent": parent or None,
        }
    )


def _user(view: ProcessView | Inventory | None) -> dict[str, object] | None:
    if view is None or view.uid is None:
        return None
    return present({"id": str(view.uid), "name": view.user})


def _package(event: Event) -> dict[str, object] | None:
    """Write what an audit found as a package: the newest version that it names."""
    found = event.inventory
    if found is None:
        return None
    paths = [clue.path for clue in found.traces if clue.shows == "installed"]
    return present(
        {
            "name": event.tool,
            "version": found.versions[-1] if found.versions else None,
            "path": paths[0] if paths else None,
        }
    )


def _network(event: Event, to: Destination) -> dict[str, object]:
    """Write where to and how; of a resolver's answer the name is the question."""
    asked = event.kind is Kind.RESOLVE
    address = None if to.ip is None else str(to.ip)
    sent, received = (
        (event.traffic.sent_bytes, event.traffic.received_bytes) if event.traffic else (None, None)
    )
    return {
        "source": present({"bytes": sent}) or None,
        "destination": present(
            {
                "address": address if asked else to.name or address,
                "ip": address,
                "port": to.port,
                "domain": None if asked else to.name,
                "bytes": received,
            }
        )
        or None,
        "network": present(
            {
                "direction": "egress",
                "transport": to.transport,
                "iana_number": _PROTOCOLS.get(to.transport or ""),
                "type": f"ipv{to.ip.version}" if to.ip else None,
                "protocol": "dns" if asked else None,
                "bytes": None if sent is None or received is None else sent + received,
            }
        ),
        "dns": _dns(to) if asked else None,
    }


def _dns(asked: Destination) -> dict[str, object]:
    rcode = asked.rcode
    word = None if rcode is None else _RCODES[rcode] if rcode < len(_RCODES) else str(rcode)
    return present(
        {
            "type": "answer",
            "question": {"name": asked.name} if asked.name else None,
            "resolved_ip": [str(one) for one in asked.addresses],
            "response_code": word,
        }
    )


def _related(event: Event) -> dict[str, object]:
    """Gather what people search for, wherever in the document it stands."""
    to, process = event.destination, event.process
    addresses = [to.ip, *to.addresses] if to else []
    return present(
        {
            "ip": [str(one) for one in dict.fromkeys(addresses) if one],
            "hosts": [to.name] if to and to.name else [],
            "user": [process.user] if process and process.user else [],
        }
    )
