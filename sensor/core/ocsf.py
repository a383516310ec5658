# SPDX-License-Identifier: Apache-2.0
"""Events in the words of OCSF 1.6.0 (schema.ocsf.io), for those who collect in its classes.

Every name used here is in 1.7 and 1.8 as well. What OCSF has no attribute for
stands in ``unmapped`` under the stream's own names; times are milliseconds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sensor.core import ocsf_objects as objects
from sensor.core.foreign import entity, exit_code, present, rest
from sensor.core.outcome import Outcome
from sensor.core.words import Enforcement, Kind, Verdict

if TYPE_CHECKING:
    from sensor.core.event import Destination, Event, ProcessView
    from sensor.core.inventory import Inventory

VERSION = "1.6.0"

_INFORMATIONAL, _MEDIUM, _HIGH = 1, 3, 4  # severity_id
_SUCCESS, _FAILURE = 1, 2  # status_id
_OTHER = 99  # of every enumeration
_RULE = 1  # analytic.type_id
_PERCENT = 100
_MEDIUM_CONFIDENCE, _HIGH_CONFIDENCE = 0.5, 0.8


class Activity(NamedTuple):
    """A class of the schema, by category and uid, and what was done in it."""

    category: int
    uid: int
    class_name: str
    id: int
    name: str


_LAUNCH = Activity(1, 1007, "Process Activity", 1, "Launch")
_TERMINATE = _LAUNCH._replace(id=2, name="Terminate")
_CREATE = Activity(2, 2004, "Detection Finding", 1, "Create")
_END = _CREATE._replace(id=3, name="Close")
_OPEN = Activity(4, 4001, "Network Activity", 1, "Open")
_CLOSE = _OPEN._replace(id=2, name="Close")
_RESET = _OPEN._replace(id=3, name="Reset")
_FAIL = _OPEN._replace(id=4, name="Fail")
_REFUSE = _OPEN._replace(id=5, name="Refuse")
_RESPONSE = Activity(4, 4003, "DNS Activity", 2, "Response")

_COLLECT = Activity(5, 5020, "Software Inventory Info", 2, "Collect")

_ENDINGS: dict[str, Activity] = {
    Outcome.CLOSED: _CLOSE,
    Outcome.REFUSED: _REFUSE,
    Outcome.RESET: _RESET,
}
"""The other outcomes are failures."""


class Control(NamedTuple):
    """A verdict in the security_control profile, by the numbers of its enumerations."""

    action: int
    disposition: int
    severity: int


CONTROL = {
    Verdict.ALLOW: Control(1, 1, _INFORMATIONAL),  # Allowed, Allowed
    Verdict.ALERT: Control(3, 19, _MEDIUM),  # Observed, Alert
    Verdict.WOULD_BLOCK: Control(3, 15, _MEDIUM),  # Observed, Detected
    Verdict.BLOCK: Control(2, 2, _HIGH),  # Denied, Blocked
}

_RESET_SOCKET = Control(2, 21, _HIGH)  # Denied, Reset: it was open already
_NOT_DONE = Control(3, 16, _HIGH)  # Observed, No Action

_RCODES = (
    "NoError", "FormError", "ServError", "NXDomain", "NotImp", "Refused", "YXDomain", "YXRRSet",
    "NXRRSet", "NotAuth", "NotZone",
)  # fmt: skip

# Of our names, those that an attribute of the schema stands for.
_MAPPED = {
    "": {"v", "seq", "boot_id", "host", "at", "kind", "verdict", "rule", "session", "parent",
         "duration_ns"},  # enforcement says more than the disposition does
    "process": {"pid", "ppid", "exe", "argv", "cwd", "uid", "user", "loginuid", "tty", "ino",
                "container"},
    "destination": {"ip", "port", "transport", "name", "addresses", "rcode"},
    "traffic": {"sent_bytes", "received_bytes", "duration_ns"},
}  # fmt: skip


def as_ocsf(event: Event) -> dict[str, object]:
    """Return an event as an OCSF event; one without the parts of its class is a base event."""
    activity, parts = _told(event)
    return present(
        {
            "category_uid": activity.category,
            "class_uid": activity.uid,
            "class_name": activity.class_name,
            "activity_id": activity.id,
            "activity_name": activity.name,
            "type_uid": activity.uid * 100 + activity.id,
            "time": objects.moment(event, event.at_ns),
            "severity_id": _severity(event, activity),
            "message": event.line,
            "metadata": _metadata(event),
            "device": objects.device(event),
            "duration": objects.milliseconds(event.duration_ns),
            **_control(event),
            **_confidence(event, activity),
            **parts,
            "unmapped": rest(event, _MAPPED) or None,
        }
    )


def _told(event: Event) -> tuple[Activity, dict[str, object]]:
    """Choose the class, and write what is its own."""
    process, to = event.process, event.destination
    match event.kind:
        case Kind.EXEC | Kind.EXIT if process:
            return _image(event, process)
        case Kind.SESSION_START | Kind.SESSION_END if process:
            return _finding(event, process)
        case Kind.INVENTORY if found := event.inventory:
            return _COLLECT, {"product": _product(event, found)}
        case _ if to:
            return _reached(event, to)
        case _:
            return _base(event)


def _reached(event: Event, to: Destination) -> tuple[Activity, dict[str, object]]:
    """Choose among the classes of the network."""
    match event.kind:
        case Kind.CONNECT:
            return _OPEN, _connection(event, to)
        case Kind.CLOSE if event.traffic:
            return _ENDINGS.get(event.traffic.outcome, _FAIL), _connection(event, to)
        case Kind.RESOLVE:
            return _RESPONSE, _answer(event, to)
        case _:
            return _base(event)


def _base(event: Event) -> tuple[Activity, dict[str, object]]:
    return Activity(0, 0, "Base Event", _OTHER, event.kind.value), {}


def _product(event: Event, found: Inventory) -> dict[str, object]:
    """Describe what an audit found; whose it is and by which traces is in ``unmapped``."""
    return present(
        {
            "uid": event.tool,
            "vendor_name": event.vendor,
            "version": found.versions[-1] if found.versions else None,
        }
    )


def _metadata(event: Event) -> dict[str, object]:
    """Say which schema and whose event this is, and from which profiles it has attributes."""
    profiles = ["host"]
    if event.verdict:
        profiles.append("security_control")
    if event.process and event.process.loginuid is not None:
        profiles.append("linux/linux_users")
    if event.process and event.process.container:
        profiles.append("container")
    return present(
        {
            "version": VERSION,
            "product": {"name": "agent-sensor", "vendor_name": "agent-sensor"},
            "profiles": profiles,
            "uid": f"{event.boot_id}:{event.seq}",
            "sequence": event.seq,
            "original_time": event.at,
            "event_code": event.kind.value,
            "correlation_uid": event.session,
        }
    )


def _control(event: Event) -> dict[str, object]:
    """Write what policy said, where it had a word in."""
    if event.verdict is None:
        return {}
    control = _controlled(event, event.verdict)
    return {
        "action_id": control.action,
        "disposition_id": control.disposition,
        "is_alert": event.verdict is not Verdict.ALLOW,
        "policy": present({"uid": event.rule, "desc": event.reason}) or None,
    }


def _controlled(event: Event, verdict: Verdict) -> Control:
    """Say what was done; a block that was not carried out is not told as one."""
    if event.enforcement is Enforcement.DESTROY:
        return _RESET_SOCKET
    if verdict is Verdict.BLOCK and not event.is_refused:
        return _NOT_DONE
    return CONTROL[verdict]


def _confidence(event: Event, activity: Activity) -> dict[str, object]:
    """Write the confidence where the class, or the profile of verdicts, has it."""
    sure = event.confidence
    if sure is None or (event.verdict is None and activity.uid != _CREATE.uid):
        return {}
    level = 1 + (sure >= _MEDIUM_CONFIDENCE) + (sure >= _HIGH_CONFIDENCE)  # Low, Medium, High
    return {"confidence_id": level, "confidence_score": round(sure * _PERCENT)}


def _severity(event: Event, activity: Activity) -> int:
    """Rate a verdict; what is no activity of anybody (a loss, a gap) somebody has to look at."""
    if event.is_risky:
        return _HIGH
    if event.verdict:
        return CONTROL[event.verdict].severity
    if event.kind is Kind.POLICY or (event.health and event.health.is_well):
        return _INFORMATIONAL
    return _INFORMATIONAL if activity.uid else _MEDIUM


def _image(event: Event, process: ProcessView) -> tuple[Activity, dict[str, object]]:
    """Tell of a launch, which the parent did, or of an end."""
    seen = objects.process(event, process)
    if event.kind is Kind.EXEC:
        did = objects.parent(event, event.parent) if event.parent else seen
        return _LAUNCH, {"actor": {"process": did}, "process": seen}
    code = exit_code(process)
    return _TERMINATE, {
        "actor": {"process": seen},
        "process": seen,
        "exit_code": code,
        "status_id": None if code is None else _FAILURE if code else _SUCCESS,
    }


def _finding(event: Event, process: ProcessView) -> tuple[Activity, dict[str, object]]:
    """Tell of a session; its start and its end are the same finding."""
    seen = objects.process(event, process)
    return _CREATE if event.kind is Kind.SESSION_START else _END, {
        "finding_info": {
            "uid": event.session or entity(event, process),
            "title": f"AI tool {event.tool or 'of no name'} runs",
            "types": ["AI tool"],
            "analytic": {"name": "agent-sensor", "type_id": _RULE},
            "first_seen_time": objects.moment(event, process.started_ns),
        },
        "evidences": [{"process": seen}],
        "actor": {"process": seen},
    }


def _connection(event: Event, to: Destination) -> dict[str, object]:
    parts = {**objects.endpoints(event, to, named=True), "is_src_dst_assignment_known": True}
    if (traffic := event.traffic) is None:
        return parts
    return {
        **parts,
        "traffic": {
            "bytes": traffic.sent_bytes + traffic.received_bytes,
            "bytes_out": traffic.sent_bytes,
            "bytes_in": traffic.received_bytes,
        },
        "duration": objects.milliseconds(traffic.duration_ns),
        "status_id": _SUCCESS if traffic.outcome == Outcome.CLOSED else _FAILURE,
        "status_detail": str(traffic.outcome),
    }


def _answer(event: Event, asked: Destination) -> dict[str, object]:
    """Tell of a resolver's answer; the name is the question, and no name of the resolver's."""
    parts = {
        **objects.endpoints(event, asked, named=False),
        "query": {"hostname": asked.name} if asked.name else None,
        "answers": [
            {"rdata": str(one), "type": "A" if one.version == 4 else "AAAA"}  # noqa: PLR2004 - IPv4
            for one in asked.addresses
        ],
    }
    if (rcode := asked.rcode) is None:
        return parts
    known = rcode < len(_RCODES)
    return {
        **parts,
        "rcode_id": rcode if known else _OTHER,
        "rcode": _RCODES[rcode] if known else str(rcode),
        "status_id": _FAILURE if rcode else _SUCCESS,
    }
