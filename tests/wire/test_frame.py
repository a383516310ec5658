# SPDX-License-Identifier: Apache-2.0
"""An event comes out of its bytes as it went in, and bytes that are none are named."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import MISSING, fields, replace
from ipaddress import ip_address

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire import fuzz_frame

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
from sensor.core.filter import traits_of
from sensor.core.form import fields_of
from sensor.core.inventory import Clue, Inventory
from sensor.errors import FrameError
from sensor.wire.answers import told
from sensor.wire.envelope import Reader, envelope
from sensor.wire.frame import body, event_of, frame_of
from sensor.wire.requests import Fetch, Point, Scale, Subscribe

INVENTORY = Inventory(
    user="alice", uid=1000, home="/home/alice", place=None, state="installed",
    certainty="certain", first_seen="2026-11-01T10:00:00Z", last_used=None,
    versions=("2.1.330",), traces_left_out=1,
    traces=(Clue(kind="npm", shows="installed", certainty="certain", path="/x", count=2,
                 shared_with=("codex",)),),
)  # fmt: skip
FULL = Event(
    v=1,
    seq=7,
    boot_id="b",
    host="build-7",
    at="2026-11-23T14:03:07.512345678Z",
    at_ns=5,
    kind=Kind.CONNECT,
    verdict=Verdict.ALERT,
    enforcement=Enforcement.CGROUP,
    rule="default",
    tool="codex",
    vendor="openai",
    confidence=0.75,
    evidence=(Evidence("name", "codex"), Evidence("path", "@openai/codex")),
    looked=True,
    risk=(Evidence("unguarded", "--yolo"),),
    lineage="marker",
    session="s1",
    parent_session="s0",
    depth=0,
    late=True,
    process=ProcessView(
        pid=9,
        started_ns=8,
        comm="node",
        ppid=7,
        exe="/usr/bin/node",
        script="/usr/lib/codex.js",
        interpreter="node",
        name_typed="codex",
        argv=("codex", "-p"),
        cwd="/home/alice",
        uid=1000,
        user="alice",
        loginuid=1000,
        tty="pts/0",
        cgroup="/user.slice",
        cgroup_id=2**63 + 1,
        container="box",
        dev=1 << 20,
        ino=12,
        fileless=False,
        truncated=("argv",),
        status=256,
        package="npm:@openai/codex",
        ancestors=("/usr/bin/bash",),
    ),
    parent=Process(1, 2),
    destination=Destination(
        ip=ip_address("2001:db8::1"),
        port=443,
        transport="tcp",
        name="api.openai.com",
        name_source=NameSource.DNS,
        endpoint="openai",
        addresses=(ip_address("192.0.2.1"), ip_address("2001:db8::1")),
        rcode=0,
        cut=True,
    ),
    traffic=Traffic(sent_bytes=1, received_bytes=2, duration_ns=3, outcome="reset"),
    loss=("exec", 3),
    gap=Lack(from_at="2026-11-23T14:03:07Z", to_at="2026-11-23T14:03:08Z", first_seq=1, last_seq=2),
    policy=PolicyView(standing="kept", generation=3, source="p", rules=2, blocks=1, mode="shadow"),
    health=HealthView("enforcement", is_well=True),
    reason="because",
    duration_ns=6,
    processes=2,
    hosts=1,
    inventory=INVENTORY,
)
BARE = Event(
    v=1, seq=7, boot_id="b", host="build-7", at="2026-11-23T14:03:07Z", at_ns=5, kind=Kind.LOSS
)

_SEEDS = (
    told(body(FULL)),
    envelope(Subscribe(since=Point(Scale.SEQ, 1)).as_dict()),
    envelope(Fetch(first=1, last=2).as_dict()),
)

NUMBERS = st.integers(0, 2**64 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PROCESSES = st.builds(
    ProcessView,
    pid=NUMBERS,
    started_ns=NUMBERS,
    exe=st.none() | TEXTS,
    argv=st.none() | st.lists(TEXTS, max_size=3).map(tuple),
    uid=st.none() | NUMBERS,
    fileless=st.none() | st.booleans(),
    truncated=st.lists(TEXTS, max_size=2).map(tuple),
)
DESTINATIONS = st.builds(
    Destination, ip=st.none() | st.ip_addresses(), port=st.none() | st.integers(0, 65535),
    transport=st.none() | TEXTS, name_source=st.none() | st.sampled_from(NameSource),
    addresses=st.lists(st.ip_addresses(), max_size=3).map(tuple), cut=st.booleans(),
)  # fmt: skip
TRAFFIC = st.builds(
    Traffic, sent_bytes=NUMBERS, received_bytes=NUMBERS, duration_ns=NUMBERS, outcome=TEXTS
)
GAPS = st.builds(
    Lack, from_at=TEXTS, to_at=TEXTS, first_seq=st.none() | NUMBERS, last_seq=st.none() | NUMBERS
)
EVENTS = st.builds(
    Event,
    v=NUMBERS,
    seq=NUMBERS,
    boot_id=TEXTS,
    host=TEXTS,
    at=TEXTS,
    at_ns=NUMBERS,
    kind=st.sampled_from(Kind),
    verdict=st.none() | st.sampled_from(Verdict),
    enforcement=st.none() | st.sampled_from(Enforcement),
    confidence=st.none() | st.floats(0, 1),
    evidence=st.lists(st.builds(Evidence, TEXTS, TEXTS), max_size=2).map(tuple),
    late=st.booleans(),
    process=st.none() | PROCESSES,
    parent=st.none() | st.builds(Process, NUMBERS, NUMBERS),
    destination=st.none() | DESTINATIONS,
    traffic=st.none() | TRAFFIC,
    loss=st.none() | st.tuples(TEXTS, NUMBERS),
    gap=st.none() | GAPS,
    policy=st.none()
    | st.builds(PolicyView, standing=TEXTS, generation=NUMBERS, mode=st.none() | TEXTS),
    health=st.none() | st.builds(HealthView, TEXTS, is_well=st.booleans()),
)


@given(EVENTS)
def test_an_event_comes_out_as_it_went_in(event: Event) -> None:
    """``event_of`` undoes ``body``, for every kind and with everything absent."""
    assert event_of(body(event)) == event


@pytest.mark.parametrize(
    "part", [FULL, FULL.process, FULL.destination, FULL.traffic, FULL.gap, FULL.policy]
)
def test_the_full_event_leaves_nothing_at_its_default(part: Event) -> None:
    """So that the next test covers a field that is added one day."""
    for one in fields(part):
        if one.default is not MISSING:
            assert getattr(part, one.name) != one.default, one.name


@pytest.mark.parametrize("event", [FULL, BARE])
def test_every_field_comes_out(event: Event) -> None:
    """A field that is added to the event and not read here is caught here."""
    assert event_of(body(event)) == event


def test_the_line_stays_at_home() -> None:
    """Readers write it themselves: it says nothing that the other names do not."""
    assert "line" not in msgpack.unpackb(body(FULL))
    assert event_of(body(FULL)).line == FULL.line


def test_names_of_a_later_version_are_left_out() -> None:
    """An older reader goes on reading a stream that has learnt new words."""
    plain = fields_of(FULL)
    process = plain["process"]
    assert isinstance(process, dict)
    process["namespaces"] = {"net": 7}
    assert event_of(msgpack.packb({**plain, "mood": "good"})) == FULL


ADDED = {"enforcement", "policy", "health", "inventory", "looked", "risk", "lineage"}


@pytest.mark.parametrize("name", [name for name in fields_of(FULL) if name not in ADDED])
def test_every_name_has_to_be_there(name: str) -> None:
    """What is absent is null, so that a name that is missing is damage."""
    plain = fields_of(FULL)
    del plain[name]
    with pytest.raises(FrameError, match=f"event without {name}"):
        event_of(msgpack.packb(plain))


def test_an_event_of_an_earlier_version_is_read() -> None:
    """It was kept before there was policy, an audit, and strangers were told of."""
    plain = {name: value for name, value in fields_of(FULL).items() if name not in ADDED}
    assert isinstance(plain["process"], dict)
    for name in ("comm", "container", "package", "ancestors"):
        del plain["process"][name]
    assert FULL.process
    process = replace(FULL.process, comm=None, container=None, package=None, ancestors=())
    earlier = replace(
        FULL, enforcement=None, policy=None, health=None, inventory=None, process=process,
        looked=False, risk=(), lineage=None,
    )  # fmt: skip
    assert event_of(msgpack.packb(plain)) == earlier


@pytest.mark.parametrize("name", fields_of(FULL))
def test_every_name_has_its_type(name: str) -> None:
    """A value of another type is damage, in whatever name it is."""
    with pytest.raises(FrameError, match=f"event: {name}: "):
        event_of(msgpack.packb({**fields_of(FULL), name: b"bytes"}))


@given(st.binary(max_size=64), st.integers(0), st.integers(0, 255))
def test_any_bytes_are_an_event_or_an_error(noise: bytes, place: int, wrong: int) -> None:
    """Neither noise nor one wrong byte in an event raises anything else."""
    damaged = bytearray(body(FULL))
    damaged[place % len(damaged)] = wrong
    for content in (noise, bytes(damaged)):
        with suppress(FrameError):
            assert isinstance(event_of(content), Event)


def test_text_that_is_no_unicode_goes_out_as_an_escape() -> None:
    """Python's stand-ins for foreign bytes in file names would be no UTF-8."""
    event = replace(BARE, reason="caf\udce9")
    assert event_of(body(event)).reason == "caf\\udce9"


def test_arguments_that_are_too_many_are_cut_and_named() -> None:
    """Whatever a process was started with, its event fits into a frame."""
    process = ProcessView(pid=9, started_ns=9, argv=("x" * 200_000,) * 6, truncated=("cwd",))
    packed = body(replace(BARE, process=process))
    [message] = Reader().feed(told(packed))
    assert message == {"event": packed}
    assert event_of(packed).process == ProcessView(
        pid=9, started_ns=9, argv=None, truncated=("cwd", "argv")
    )


def test_many_small_arguments_are_read() -> None:
    """The bound on lists in requests is none for events."""
    process = ProcessView(pid=9, started_ns=9, argv=("x",) * 5000)
    assert event_of(body(replace(BARE, process=process))).process == process


def test_a_whole_number_will_do_for_a_fraction() -> None:
    """A confidence of 1 is a confidence."""
    assert event_of(body(replace(BARE, confidence=1))).confidence == 1


def test_a_frame_has_what_the_hub_and_the_store_look_at() -> None:
    """They need not read the bytes again."""
    assert frame_of(FULL) == (7, 5, traits_of(FULL), body(FULL))


@given(st.lists(st.sampled_from([*_SEEDS, *range(256)]), max_size=24))
def test_the_fuzz_target_finds_nothing(pieces: list[bytes | int]) -> None:
    """The bounded run of what ``fuzz_frame.py`` does for as long as one likes."""
    fuzz_frame.one_input(b"".join(bytes([one]) if isinstance(one, int) else one for one in pieces))


@pytest.mark.parametrize("seed", _SEEDS)
def test_the_fuzz_target_gets_to_the_bottom(seed: bytes) -> None:
    """It would find what lies behind whole messages."""
    assert fuzz_frame.one_input(seed + seed) == 2
