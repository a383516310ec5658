# SPDX-License-Identifier: Apache-2.0
"""The objects have what is known and nothing else."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

from support.ocsf import OBJECTS

from sensor.core.event import Destination, Event, Kind, ProcessView
from sensor.core.facts import Process
from sensor.core.ocsf_objects import device, endpoints, milliseconds, moment, parent, process

EVENT = Event(
    v=1, seq=7, boot_id="b", host="build-7", at="2026-11-23T14:03:07.512345678Z", at_ns=3_000_000,
    kind=Kind.CONNECT, session="s1",
)  # fmt: skip
BARE = ProcessView(pid=9, started_ns=1_000_000)
FULL = ProcessView(
    pid=9, started_ns=1_000_000, ppid=1, exe="/usr/bin/node", argv=("claude", "a b"), cwd="/src",
    uid=0, user="root", loginuid=1000, tty="pts3", ino=77, fileless=False,
)  # fmt: skip
TO = Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp", name="api.example")


def test_times_are_milliseconds() -> None:
    """Durations and moments; what is absent stays so."""
    assert milliseconds(1_999_999) == 1
    assert milliseconds(None) is None
    assert moment(EVENT, 3_000_000) - moment(EVENT, 1_000_000) == 2


def test_the_host_is_the_device() -> None:
    """Its name and its boot."""
    described = device(EVENT)
    assert (described["hostname"], described["boot_uid"]) == ("build-7", "b")
    assert described.keys() <= set(OBJECTS["device"].replace("!", "").split())


def test_a_process_is_described_in_full() -> None:
    """Zero is a uid and False is an answer."""
    described = process(EVENT, FULL)
    assert described == {
        "pid": 9,
        "uid": "b:9:1000000",
        "created_time": moment(EVENT, 1_000_000),
        "name": "node",
        "path": "/usr/bin/node",
        "cmd_line": "claude 'a b'",
        "working_directory": "/src",
        "file": {
            "name": "node", "path": "/usr/bin/node", "type_id": 1, "uid": "77",
            "is_deleted": False,
        },
        "user": {"uid": "0", "name": "root"},
        "auid": 1000,
        "session": {"uid": "s1", "terminal": "pts3"},
        "parent_process": {"pid": 1},
    }  # fmt: skip


def test_a_process_is_in_its_container() -> None:
    """By its id, or by its name where its runtime has no ids."""
    assert process(EVENT, replace(FULL, container="4c" * 32))["container"] == {"uid": "4c" * 32}
    assert process(EVENT, replace(FULL, container="box"))["container"] == {"name": "box"}


def test_a_process_of_which_little_is_known_has_little() -> None:
    """No file, no user, no session, no parent."""
    described = process(replace(EVENT, session=None), BARE)
    assert described.keys() == {"pid", "uid", "created_time"}


def test_the_parent_is_named_by_its_start_where_that_is_known() -> None:
    """A pid alone may be somebody else's by now."""
    known = Process(1, 500_000)
    described = process(replace(EVENT, parent=known), FULL)
    assert described["parent_process"] == parent(EVENT, known)
    assert parent(EVENT, known)["uid"] == "b:1:500000"


def test_a_connection_has_two_ends() -> None:
    """The host here, the destination there, outbound between them."""
    ends = endpoints(replace(EVENT, process=BARE), TO, named=True)
    assert ends["src_endpoint"] == {"hostname": "build-7"}
    assert ends["dst_endpoint"] == {"ip": "192.0.2.1", "port": 443, "hostname": "api.example"}
    assert ends["connection_info"] == {
        "direction_id": 2, "protocol_name": "tcp", "protocol_num": 6, "protocol_ver_id": 4,
    }  # fmt: skip
    assert ends["actor"] == {"process": process(EVENT, BARE)}


def test_an_unknown_end_is_left_out() -> None:
    """A name that is not the far end's is not given to it."""
    nowhere = Destination(ip=None, port=None, transport=None, name="api.example")
    ends = endpoints(EVENT, nowhere, named=False)
    assert (ends["dst_endpoint"], ends["actor"]) == (None, None)
    assert ends["connection_info"] == {"direction_id": 2}
