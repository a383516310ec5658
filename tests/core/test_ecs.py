# SPDX-License-Identifier: Apache-2.0
"""Every event is an ECS document by the published names, and nothing of it is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from ipaddress import ip_address
from typing import TYPE_CHECKING, cast

import pytest

from sensor.core.ecs import as_ecs
from sensor.core.event import (
    Destination,
    Enforcement,
    Event,
    Evidence,
    Kind,
    NameSource,
    ProcessView,
    Traffic,
    Verdict,
)
from sensor.core.facts import Process
from sensor.core.inventory import Clue, Inventory
from sensor.core.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

PROCESS = ProcessView(
    pid=9, started_ns=1_000_000_000, ppid=1, exe="/usr/bin/node", script="/opt/claude/cli.js",
    argv=("claude", "a b"), cwd="/src", uid=0, user="root", loginuid=1000, tty="pts3", ino=77,
    container="box", fileless=False, truncated=("argv",), status=2 << 8,
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
    traffic=Traffic(sent_bytes=1, received_bytes=2, duration_ns=1_000_000, outcome=Outcome.CLOSED),
    reason="because", duration_ns=2_000_000_000,
)  # fmt: skip
BARE = Event(v=1, seq=1, boot_id="b", host="h", at=FULL.at, at_ns=1, kind=Kind.EXEC)

# Of ECS 9.3.0, what events can use, by its published names.
PUBLISHED = {
    f"{group}.{name}" if group else name
    for group, names in {
        "": "@timestamp message tags labels",
        "ecs": "version",
        "event": """action agent_id_status category code created dataset duration end hash id
            ingested kind module original outcome provider reason reference risk_score
            risk_score_norm sequence severity start timezone type url""",
        "host": "architecture boot.id domain hostname id ip mac name os.kernel os.type uptime",
        "observer": "hostname ip mac name product serial_number type vendor version",
        "process": """args args_count command_line end entity_id executable exit_code interactive
            name pid start title uptime working_directory user.id user.name real_user.id
            real_user.name parent.pid parent.entity_id parent.start parent.executable parent.name
            tty.char_device.major tty.char_device.minor""",
        "container": "id image.name image.tag labels name runtime",
        "user": "domain email full_name hash id name roles",
        "rule": "author category description id license name reference ruleset uuid version",
        "source": "address bytes domain ip mac packets port",
        "package": """architecture build_version checksum description install_scope installed
            license name path reference size type version""",
        "destination": "address bytes domain ip mac packets port registered_domain",
        "network": """application bytes community_id direction forwarded_ip iana_number name
            packets protocol transport type""",
        "dns": """header_flags id op_code question.class question.name question.type
            resolved_ip response_code type""",
        "related": "hash hosts ip user",
    }.items()
    for name in names.split()
}
ALLOWED = {
    "event.kind": {
        "alert", "asset", "enrichment", "event", "metric", "state", "pipeline_error", "signal",
    },
    "event.category": {
        "api", "authentication", "configuration", "database", "driver", "email", "file", "host",
        "iam", "intrusion_detection", "library", "malware", "network", "package", "process",
        "registry", "session", "threat", "vulnerability", "web",
    },
    "event.type": {
        "access", "admin", "allowed", "change", "connection", "creation", "deletion", "denied",
        "device", "end", "error", "group", "indicator", "info", "installation", "protocol",
        "start", "user",
    },
    "event.outcome": {"failure", "success", "unknown"},
}  # fmt: skip
# Which types may stand beside which category.
EXPECTED = {
    "package": {"access", "change", "deletion", "info", "installation", "start"},
    "process": {"access", "change", "end", "info", "start"},
    "network": {"access", "allowed", "connection", "denied", "end", "info", "protocol", "start"},
    "session": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
}


def leaves(document: dict[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    """Give each field with its dotted name; what is ours is ours."""
    for name, value in document.items():
        if name == "agent_sensor":
            continue
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield before + name, value


def part(document: dict[str, object], *names: str) -> dict[str, object]:
    """Give an object of a document."""
    for name in names:
        document = cast("dict[str, object]", document[name])
    return document


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("verdict", [None, *Verdict])
def test_every_document_is_as_published(kind: Kind, verdict: Verdict | None) -> None:
    """Names, words of closed sets, and no nulls; full or bare."""
    for event in (FULL, BARE, replace(BARE, process=PROCESS, destination=TO)):
        document = as_ecs(replace(event, kind=kind, verdict=verdict))
        assert json.loads(json.dumps(document)) == document
        for name, value in leaves(document):
            assert name in PUBLISHED
            assert value is not None
            words = value if isinstance(value, list) else [value]
            assert {*map(str, words)} <= ALLOWED.get(name, {*map(str, words)}), name


@pytest.mark.parametrize("kind", Kind)
def test_types_fit_their_category(kind: Kind) -> None:
    """As the schema lists them for each category, but for allowed, which is about policy."""
    told = part(as_ecs(replace(FULL, kind=kind)), "event")
    for category in cast("list[str]", told.get("category", [])):
        assert {*cast("list[str]", told["type"])} <= EXPECTED[category]


def test_what_an_audit_found_is_a_package() -> None:
    """Its user is the home's, its path one at which it is installed."""
    clues = tuple(
        Clue(kind="x", shows=shows, certainty="certain", path=f"/{shows}")
        for shows in ("used", "installed")
    )
    found = Inventory(
        user="alice", uid=1000, home="/home/alice", place=None, state="installed",
        certainty="certain", first_seen=None, last_used=None, versions=("1.0", "2.0"), traces=clues,
    )  # fmt: skip
    bare = replace(BARE, kind=Kind.INVENTORY, tool="codex")
    document = as_ecs(replace(bare, inventory=found))
    assert document["package"] == {"name": "codex", "version": "2.0", "path": "/installed"}
    assert document["user"] == {"id": "1000", "name": "alice"}
    empty = as_ecs(replace(bare, inventory=replace(found, versions=(), traces=())))
    assert empty["package"] == {"name": "codex"}


@pytest.mark.parametrize(
    ("kind", "verdict", "shown", "types"),
    [
        (Kind.EXEC, Verdict.ALERT, "alert", ["start"]),
        (Kind.EXEC, Verdict.ALLOW, "event", ["start", "allowed"]),
        (Kind.EXEC, Verdict.WOULD_BLOCK, "alert", ["start"]),
        (Kind.EXEC, Verdict.BLOCK, "alert", ["start"]),
        (Kind.EXIT, None, "event", ["end"]),
        (Kind.LOSS, None, "state", ["info"]),
        (Kind.POLICY, None, "event", ["change"]),
    ],
)
def test_an_alert_is_one(kind: Kind, verdict: Verdict | None, shown: str, types: list[str]) -> None:
    """What policy let pass is an event; what the sensor tells of itself is a state."""
    told = part(as_ecs(replace(FULL, kind=kind, verdict=verdict)), "event")
    assert (told["kind"], told["type"]) == (shown, types)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (replace(FULL, kind=Kind.CLOSE), "success"),
        (
            replace(FULL, kind=Kind.CLOSE, traffic=Traffic(
                sent_bytes=0, received_bytes=0, duration_ns=1, outcome=Outcome.REFUSED)),
            "failure",
        ),
        (replace(FULL, kind=Kind.RESOLVE, traffic=None), "success"),
        (
            replace(FULL, kind=Kind.RESOLVE, traffic=None, destination=replace(TO, rcode=3)),
            "failure",
        ),
        (
            replace(FULL, kind=Kind.RESOLVE, traffic=None, destination=replace(TO, rcode=None)),
            None,
        ),
        (replace(FULL, kind=Kind.RESOLVE, traffic=None, destination=None), None),
        (replace(FULL, traffic=None), None),
    ],
)  # fmt: skip
def test_an_outcome_is_whether_it_came_about(event: Event, outcome: str | None) -> None:
    """Absent where nothing was tried that could fail."""
    assert part(as_ecs(event), "event").get("outcome") == outcome


def test_a_process_is_described_in_full() -> None:
    """With a name that no other process will ever have, and who started it."""
    described = part(as_ecs(replace(FULL, kind=Kind.EXIT)), "process")
    assert described == {
        "pid": 9,
        "entity_id": "b:9:1000000000",
        "start": "2026-11-23T14:03:05.512345678Z",
        "end": FULL.at,
        "exit_code": 2,
        "name": "node",
        "executable": "/usr/bin/node",
        "args": ["claude", "a b"],
        "args_count": 2,
        "command_line": "claude 'a b'",
        "working_directory": "/src",
        "interactive": True,
        "user": {"id": "0", "name": "root"},
        "parent": {
            "pid": 1, "entity_id": "b:1:500000000", "start": "2026-11-23T14:03:05.012345678Z",
        },
    }  # fmt: skip
    alone = part(as_ecs(replace(FULL, parent=None)), "process")
    assert alone["parent"] == {"pid": 1}
    assert "end" not in alone
    assert as_ecs(FULL)["container"] == {"name": "box"}


def test_a_connection_has_bytes_each_way() -> None:
    """The source is this host, and the destination has its name where it is known."""
    document = as_ecs(replace(FULL, kind=Kind.CLOSE))
    assert document["source"] == {"bytes": 1}
    assert document["destination"] == {
        "address": "api.example", "ip": "192.0.2.1", "port": 443, "domain": "api.example",
        "bytes": 2,
    }  # fmt: skip
    assert document["network"] == {
        "direction": "egress", "transport": "tcp", "iana_number": "6", "type": "ipv4", "bytes": 3,
    }  # fmt: skip
    assert part(document, "event")["start"] == "2026-11-23T14:03:07.511345678Z"
    nameless = as_ecs(replace(FULL, traffic=None, destination=replace(TO, name=None, rcode=None)))
    assert part(nameless, "destination")["address"] == "192.0.2.1"
    assert "source" not in nameless
    nowhere = Destination(ip=None, port=None, transport=None)
    assert "destination" not in as_ecs(replace(BARE, destination=nowhere))


@pytest.mark.parametrize(
    ("rcode", "word"), [(0, "NOERROR"), (3, "NXDOMAIN"), (6, "6"), (None, None)]
)
def test_a_resolver_s_answer_is_about_its_question(rcode: int | None, word: str | None) -> None:
    """The name is not the resolver's."""
    asked = replace(TO, rcode=rcode)
    document = as_ecs(replace(FULL, kind=Kind.RESOLVE, traffic=None, destination=asked))
    assert part(document, "dns").get("response_code") == word
    assert part(document, "dns", "question") == {"name": "api.example"}
    assert part(document, "dns")["resolved_ip"] == ["192.0.2.1", "2001:db8::1"]
    assert "domain" not in part(document, "destination")
    assert part(document, "network")["protocol"] == "dns"
    nameless = replace(FULL, kind=Kind.RESOLVE, destination=replace(TO, name=None))
    assert "question" not in part(as_ecs(nameless), "dns")


def test_what_people_search_for_is_gathered() -> None:
    """Addresses once each, names and users."""
    assert as_ecs(FULL)["related"] == {
        "ip": ["192.0.2.1", "2001:db8::1"], "hosts": ["api.example"], "user": ["root"],
    }  # fmt: skip
    assert "related" not in as_ecs(BARE)


def test_what_has_no_field_is_kept_under_our_names() -> None:
    """Nothing of an event is lost on the way."""
    rest = part(as_ecs(FULL), "agent_sensor")
    assert rest["tool"] == "claude-code"
    assert rest["verdict"] == "alert"
    assert part(rest, "process")["script"] == "/opt/claude/cli.js"
    assert "container" not in part(rest, "process")
    assert part(rest, "destination")["endpoint"] == "anthropic"
    assert rest["session"] == "s1"


def test_what_was_refused_is_denied_and_a_failure() -> None:
    """A block that was not carried out is neither denied nor allowed."""
    refused = replace(FULL, verdict=Verdict.BLOCK, enforcement=Enforcement.LSM, traffic=None)
    told = part(as_ecs(refused), "event")
    assert (told["type"], told["outcome"]) == (["start", "denied"], "failure")
    undone = part(as_ecs(replace(refused, enforcement=Enforcement.NONE)), "event")
    assert (undone["type"], "outcome" in undone) == (["start"], False)
    assert part(as_ecs(refused), "agent_sensor")["enforcement"] == "lsm"
