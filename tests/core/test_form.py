# SPDX-License-Identifier: Apache-2.0
"""An event as plain values has every name of the table, and nothing that JSON cannot hold."""

from __future__ import annotations

import json
from dataclasses import fields
from ipaddress import ip_address

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
from sensor.core.form import as_dict
from sensor.core.inventory import Clue, Inventory
from sensor.core.outcome import Outcome

BARE = Event(
    v=1,
    seq=7,
    boot_id="b",
    host="build-7",
    at="2026-11-23T14:03:07.512345678Z",
    at_ns=5,
    kind=Kind.LOSS,
)
FULL = Event(
    v=1,
    seq=7,
    boot_id="b",
    host="build-7",
    at="2026-11-23T14:03:07.512345678Z",
    at_ns=5,
    kind=Kind.CONNECT,
    verdict=Verdict.ALERT,
    evidence=(Evidence("name", "claude"),),
    process=ProcessView(pid=9, started_ns=9, argv=("claude", "-p"), truncated=("argv",)),
    parent=Process(1, 2),
    destination=Destination(
        ip=ip_address("2001:db8::1"),
        port=443,
        transport="tcp",
        name_source=NameSource.DNS,
        addresses=(ip_address("192.0.2.1"),),
    ),
    traffic=Traffic(sent_bytes=1, received_bytes=2, duration_ns=3, outcome=Outcome.RESET),
    loss=("exec", 3),
    gap=Lack("2026-11-23T14:00:00Z", "2026-11-23T14:01:00Z", 7, 9),
    enforcement=Enforcement.CGROUP,
    policy=PolicyView(standing="kept", generation=3, source="p", rules=2, blocks=1, mode="shadow"),
    health=HealthView("enforcement", is_well=True),
    inventory=Inventory(
        user="alice",
        uid=1000,
        home="/home/alice",
        place=None,
        state="used",
        certainty="likely",
        first_seen=None,
        last_used="2026-11-01T10:00:00Z",
        traces=(Clue(kind="state", shows="used", certainty="likely", path="/home/alice/.codex"),),
    ),
)


def test_every_field_has_its_name() -> None:
    """A field that is added to the event and not to its form is caught here."""
    plain = as_dict(FULL)
    assert list(plain) == [*(one.name for one in fields(Event)), "line"]
    for part, kind in (
        ("process", ProcessView),
        ("destination", Destination),
        ("traffic", Traffic),
        ("parent", Process),
        ("gap", Lack),
        ("policy", PolicyView),
        ("health", HealthView),
        ("inventory", Inventory),
    ):
        inner = plain[part]
        assert isinstance(inner, dict)
        assert list(inner) == [one.name for one in fields(kind)]


def test_values_are_plain() -> None:
    """Enums are their words, addresses and times are text, pairs have names."""
    plain = json.loads(json.dumps(as_dict(FULL)))
    assert plain["kind"] == "connect"
    assert plain["verdict"] == "alert"
    assert plain["enforcement"] == "cgroup"
    assert plain["health"] == {"what": "enforcement", "is_well": True}
    assert plain["at"] == FULL.at
    assert plain["evidence"] == [{"signal": "name", "value": "claude"}]
    assert plain["process"]["argv"] == ["claude", "-p"]
    assert plain["process"]["truncated"] == ["argv"]
    assert plain["parent"] == {"pid": 1, "started_ns": 2}
    assert plain["destination"]["ip"] == "2001:db8::1"
    assert plain["destination"]["name_source"] == "dns"
    assert plain["destination"]["addresses"] == ["192.0.2.1"]
    assert plain["traffic"]["outcome"] == "reset"
    assert plain["loss"] == {"what": "exec", "count": 3}
    assert plain["inventory"]["traces"][0]["shared_with"] == []
    assert plain["line"] == FULL.line


def test_absent_is_null() -> None:
    """Every name is there, also where there is nothing to say."""
    plain = as_dict(BARE)
    assert set(plain) == set(as_dict(FULL))
    names = ("verdict", "process", "parent", "traffic", "loss", "gap", "policy", "health")
    assert {plain[name] for name in names} == {None}


def test_absent_parts_of_parts_are_null() -> None:
    """An unread argv is not an empty one."""
    bare = Event(
        v=1,
        seq=7,
        boot_id="b",
        host="h",
        at=BARE.at,
        at_ns=5,
        kind=Kind.CONNECT,
        process=ProcessView(pid=9, started_ns=9),
        destination=Destination(ip=None, port=None, transport=None),
    )
    plain = json.loads(json.dumps(as_dict(bare)))
    assert plain["process"]["argv"] is None
    assert plain["destination"]["ip"] is None
    assert plain["destination"]["name_source"] is None
