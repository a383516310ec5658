# SPDX-License-Identifier: Apache-2.0
"""Every event is an OCSF event by the published names, and nothing of it is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import cast

import pytest
from support.case_events import FOUND
from support.ocsf import problems

from sensor.core.event import (
    Destination,
    Enforcement,
    Event,
    Evidence,
    HealthView,
    Kind,
    NameSource,
    ProcessView,
    Traffic,
    Verdict,
)
from sensor.core.facts import Process
from sensor.core.ocsf import CONTROL, as_ocsf
from sensor.core.outcome import Outcome

PROCESS = ProcessView(
    pid=9, started_ns=1_000_000_000, ppid=1, exe="/usr/bin/node", script="/opt/claude/cli.js",
    argv=("claude",), cwd="/src", uid=1000, user="alice", loginuid=1000, ino=77, fileless=False,
    container="box", truncated=("argv",), status=2 << 8,
)  # fmt: skip
TO = Destination(
    ip=ip_address("192.0.2.1"), port=443, transport="tcp", name="api.example",
    name_source=NameSource.DNS, endpoint="anthropic",
    addresses=(ip_address("192.0.2.1"), ip_address("2001:db8::1")), rcode=0,
)  # fmt: skip
FULL = Event(
    v=1, seq=7, boot_id="b", host="build-7", at="2026-11-23T14:03:07.512345678Z",
    at_ns=3_000_000_000, kind=Kind.EXEC, verdict=Verdict.ALERT, rule="default", tool="claude-code",
    vendor="anthropic", confidence=0.9, evidence=(Evidence("name", "claude"),), session="s1",
    depth=0, process=PROCESS, parent=Process(1, 500_000_000), destination=TO,
    traffic=Traffic(sent_bytes=1, received_bytes=2, duration_ns=3_000_000, outcome=Outcome.CLOSED),
    duration_ns=2_000_000_000,
)  # fmt: skip
BARE = Event(v=1, seq=1, boot_id="b", host="h", at=FULL.at, at_ns=1, kind=Kind.EXEC)

CLASSES = {
    Kind.EXEC: (1007, 1),
    Kind.EXIT: (1007, 2),
    Kind.CONNECT: (4001, 1),
    Kind.CLOSE: (4001, 2),
    Kind.RESOLVE: (4003, 2),
    Kind.SESSION_START: (2004, 1),
    Kind.SESSION_END: (2004, 3),
}


def part(event: dict[str, object], name: str) -> dict[str, object]:
    """Give an object of an event."""
    return cast("dict[str, object]", event[name])


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("verdict", [None, *Verdict])
@pytest.mark.parametrize("confidence", [None, 0.9])
def test_every_event_is_as_published(
    kind: Kind, verdict: Verdict | None, confidence: float | None
) -> None:
    """Names, required attributes, enumerations, class and activity; full or bare."""
    for event in (FULL, BARE):
        shaped = as_ocsf(replace(event, kind=kind, verdict=verdict, confidence=confidence))
        assert problems(shaped) == []
        assert json.loads(json.dumps(shaped)) == shaped


@pytest.mark.parametrize("kind", Kind)
def test_a_kind_has_its_class(kind: Kind) -> None:
    """What the schema has no class for, and what lacks its parts, is a base event."""
    shaped = as_ocsf(replace(FULL, kind=kind))
    assert (shaped["class_uid"], shaped["activity_id"]) == CLASSES.get(kind, (0, 99))
    assert as_ocsf(replace(BARE, kind=kind))["class_uid"] == 0


def test_what_an_audit_found_is_inventory() -> None:
    """The tool is the product; the traces go along."""
    shaped = as_ocsf(FOUND)
    assert problems(shaped) == []
    assert (shaped["class_uid"], shaped["activity_name"]) == (5020, "Collect")
    assert shaped["product"] == {"uid": "codex", "vendor_name": FOUND.vendor, "version": "2.0"}
    assert "inventory" in part(shaped, "unmapped")
    assert FOUND.inventory
    bare = replace(FOUND, vendor=None, inventory=replace(FOUND.inventory, versions=()))
    assert as_ocsf(bare)["product"] == {"uid": "codex"}


@pytest.mark.parametrize(
    ("outcome", "activity", "status"),
    [
        (Outcome.CLOSED, "Close", 1),
        (Outcome.RESET, "Reset", 2),
        (Outcome.REFUSED, "Refuse", 2),
        (Outcome.FAILED, "Fail", 2),
        (Outcome.TIMED_OUT, "Fail", 2),
        (Outcome.UNREACHABLE, "Fail", 2),
    ],
)
def test_a_connection_ends_as_it_did(outcome: Outcome, activity: str, status: int) -> None:
    """The activity says how, the traffic how much went each way."""
    traffic = Traffic(sent_bytes=1, received_bytes=2, duration_ns=3_000_000, outcome=outcome)
    shaped = as_ocsf(replace(FULL, kind=Kind.CLOSE, verdict=None, traffic=traffic))
    assert (shaped["activity_name"], shaped["status_id"]) == (activity, status)
    assert shaped["status_detail"] == outcome.value
    assert shaped["traffic"] == {"bytes": 3, "bytes_out": 1, "bytes_in": 2}
    assert shaped["duration"] == 3


def test_a_connection_that_begins_has_no_traffic() -> None:
    """Absent is absent."""
    shaped = as_ocsf(replace(FULL, kind=Kind.CONNECT, traffic=None, duration_ns=None))
    assert not shaped.keys() & {"traffic", "duration", "status_id"}


def test_a_launch_is_what_the_parent_did() -> None:
    """Where nothing is known of the parent, the process stands for itself."""
    launch = as_ocsf(FULL)
    assert part(part(launch, "actor"), "process")["pid"] == 1
    alone = as_ocsf(replace(FULL, parent=None))
    assert part(part(alone, "actor"), "process")["pid"] == 9


@pytest.mark.parametrize(
    ("status", "code", "status_id"), [(0, 0, 1), (2 << 8, 2, 2), (9, 137, 2), (None, None, None)]
)
def test_an_end_has_its_code(status: int | None, code: int | None, status_id: int | None) -> None:
    """A signal counts as a shell counts it."""
    event = replace(FULL, kind=Kind.EXIT, process=replace(PROCESS, status=status))
    shaped = as_ocsf(event)
    assert (shaped.get("exit_code"), shaped.get("status_id")) == (code, status_id)


@pytest.mark.parametrize(
    ("rcode", "shown", "number", "status"),
    [
        (0, "NoError", 0, 1),
        (3, "NXDomain", 3, 2),
        (10, "NotZone", 10, 2),
        (15, "15", 99, 2),
        (None, None, None, None),
    ],
)
def test_an_answer_has_its_code(
    rcode: int | None, shown: str | None, number: int | None, status: int | None
) -> None:
    """By the schema's own word; one that it has no word for is another."""
    event = replace(FULL, kind=Kind.RESOLVE, destination=replace(TO, rcode=rcode))
    shaped = as_ocsf(event)
    found = tuple(shaped.get(name) for name in ("rcode", "rcode_id", "status_id"))
    assert found == (shown, number, status)
    assert shaped["query"] == {"hostname": "api.example"}
    assert "hostname" not in part(shaped, "dst_endpoint")
    assert shaped["answers"] == [
        {"rdata": "192.0.2.1", "type": "A"}, {"rdata": "2001:db8::1", "type": "AAAA"},
    ]  # fmt: skip


def test_a_session_is_one_finding_from_start_to_end() -> None:
    """Both carry the session's id; one without an id is that of its process."""
    start, end = (
        as_ocsf(replace(FULL, kind=kind)) for kind in (Kind.SESSION_START, Kind.SESSION_END)
    )
    assert part(start, "finding_info")["uid"] == part(end, "finding_info")["uid"] == "s1"
    assert part(start, "finding_info")["title"] == "AI tool claude-code runs"
    nameless = as_ocsf(replace(FULL, kind=Kind.SESSION_START, session=None, tool=None))
    assert part(nameless, "finding_info")["uid"] == "b:9:1000000000"
    assert part(nameless, "finding_info")["title"] == "AI tool of no name runs"


def test_every_verdict_has_its_control() -> None:
    """An alert is observed and never reported as denied."""
    assert set(CONTROL) == set(Verdict)
    shaped = as_ocsf(FULL)
    assert (shaped["action_id"], shaped["disposition_id"], shaped["is_alert"]) == (3, 19, True)
    assert shaped["policy"] == {"uid": "default"}
    allowed = as_ocsf(replace(FULL, verdict=Verdict.ALLOW, rule=None))
    assert (allowed["action_id"], allowed["disposition_id"], allowed["is_alert"]) == (1, 1, False)
    assert "policy" not in allowed


@pytest.mark.parametrize(
    ("verdict", "how", "action", "disposition"),
    [
        (Verdict.WOULD_BLOCK, Enforcement.NONE, 3, 15),
        (Verdict.BLOCK, Enforcement.LSM, 2, 2),
        (Verdict.BLOCK, Enforcement.DESTROY, 2, 21),
        (Verdict.BLOCK, Enforcement.NONE, 3, 16),
    ],
)
def test_only_what_was_refused_is_denied(
    verdict: Verdict, how: Enforcement, action: int, disposition: int
) -> None:
    """With the rule and what it says; a block that was not carried out is only observed."""
    event = replace(FULL, verdict=verdict, enforcement=how, rule="no-agents", reason="Use qwen.")
    shaped = as_ocsf(event)
    assert (shaped["action_id"], shaped["disposition_id"]) == (action, disposition)
    assert shaped["policy"] == {"uid": "no-agents", "desc": "Use qwen."}
    assert part(shaped, "unmapped")["enforcement"] == how.value


@pytest.mark.parametrize(
    ("confidence", "level", "score"), [(0.2, 1, 20), (0.5, 2, 50), (0.8, 3, 80), (1.0, 3, 100)]
)
def test_confidence_is_a_level_and_a_score(confidence: float, level: int, score: int) -> None:
    """Of a hundred; a class that has neither does without."""
    shaped = as_ocsf(replace(FULL, confidence=confidence))
    assert (shaped["confidence_id"], shaped["confidence_score"]) == (level, score)
    assert "confidence_id" not in as_ocsf(replace(FULL, kind=Kind.EXIT, verdict=None))


@pytest.mark.parametrize(
    ("kind", "verdict", "severity"),
    [
        (Kind.EXEC, Verdict.ALLOW, 1),
        (Kind.EXEC, Verdict.ALERT, 3),
        (Kind.EXIT, None, 1),
        (Kind.EXEC, Verdict.WOULD_BLOCK, 3),
        (Kind.EXEC, Verdict.BLOCK, 4),
        (Kind.LOSS, None, 3),
        (Kind.POLICY, None, 1),
    ],
)
def test_severity_is_the_verdict_s(kind: Kind, verdict: Verdict | None, severity: int) -> None:
    """What is missing from the stream is somebody's business too."""
    assert as_ocsf(replace(FULL, kind=kind, verdict=verdict))["severity_id"] == severity


@pytest.mark.parametrize(("is_well", "severity"), [(True, 1), (False, 3)])
def test_a_part_that_fails_is_somebodys_business(*, is_well: bool, severity: int) -> None:
    """One that works is none."""
    event = replace(
        FULL, kind=Kind.HEALTH, verdict=None, health=HealthView("enforcement", is_well=is_well)
    )
    assert as_ocsf(event)["severity_id"] == severity


def test_profiles_are_those_whose_attributes_are_there() -> None:
    """A reader that knows a profile looks for its attributes."""
    assert part(as_ocsf(FULL), "metadata")["profiles"] == [
        "host", "security_control", "linux/linux_users", "container",
    ]  # fmt: skip
    outside = replace(PROCESS, loginuid=None, container=None)
    plain = replace(FULL, verdict=None, process=outside)
    assert part(as_ocsf(plain), "metadata")["profiles"] == ["host"]


def test_what_has_no_attribute_is_kept_under_our_names() -> None:
    """Nothing of an event is lost on the way."""
    rest = part(as_ocsf(FULL), "unmapped")
    assert rest["tool"] == "claude-code"
    assert rest["evidence"] == [{"signal": "name", "value": "claude"}]
    assert part(rest, "process")["script"] == "/opt/claude/cli.js"
    assert part(rest, "destination")["endpoint"] == "anthropic"
    assert part(rest, "process")["truncated"] == ["argv"]
    assert "parent" not in rest
    lost = as_ocsf(replace(BARE, kind=Kind.LOSS, loss=("exec", 3)))
    assert part(lost, "unmapped")["loss"] == {"what": "exec", "count": 3}


@pytest.mark.parametrize(
    ("risk", "severity"), [("unguarded", 4), ("redirected", 4), ("proxied", 3)]
)
def test_a_dangerous_run_is_rated_high(risk: str, severity: int) -> None:
    """A proxy is what many hosts have for all programs."""
    event = replace(FULL, risk=(Evidence(risk, "--x"),), verdict=Verdict.ALERT)
    assert as_ocsf(event)["severity_id"] == severity
