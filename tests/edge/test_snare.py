# SPDX-License-Identifier: Apache-2.0
"""Servers that remember what they hear, in a network of the test's own."""

from __future__ import annotations

import pytest
from support.provers import played

pytestmark = pytest.mark.kernel

BEGIN = """
import json, os, socket
from sensor.edge import scratch
from sensor.edge.snare import Snare
scratch.furnish([])
snare = Snare([8443, 8443, 443], begin=lambda: None)
"""


def test_what_is_said_is_heard_once_it_is_asked_for() -> None:
    """Over TCP and UDP, at every port, until names are set anew."""
    said = played(
        BEGIN
        + """
one = socket.create_connection(("127.0.0.1", 443)); one.sendall(b"tcp ")
reply = one.recv(9).decode()
first = snare.heard().decode()
two = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); two.sendto(b"udp", ("127.0.0.1", 8443))
both = snare.heard().decode()
snare.names({})
print(json.dumps([reply, first, both, snare.heard().decode()]))
"""
    )
    assert said == ["ok", "tcp ", "tcp udp", ""]


def test_a_client_that_goes_is_let_go() -> None:
    """And those that come later are heard."""
    said = played(
        BEGIN
        + """
for _ in range(3):
    with socket.create_connection(("127.0.0.1", 443)) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes([1, 0, 0, 0, 0, 0, 0, 0]))
        one.sendall(b"x"); one.recv(9)
print(json.dumps(snare.heard().decode()))
"""
    )
    assert said == "xxx"


def test_a_name_that_is_not_set_has_no_address() -> None:
    """The question comes back as it was."""
    said = played(
        BEGIN
        + """
question = bytes.fromhex("123401000001000000000000") + b"\\1X\\7example\\0\\0\\1\\0\\1"
def ask():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.connect(("127.0.0.2", 53)); one.send(question); return one.recv(512)
nothing = ask()
snare.names({"x.example": "192.0.2.9"})
print(json.dumps([nothing[12:] == question[12:], nothing[7], socket.inet_ntoa(ask()[-4:])]))
"""
    )
    assert said == [True, 0, "192.0.2.9"]


def test_the_servers_end_with_whoever_started_them() -> None:
    """None is left that could be asked."""
    said = played(
        BEGIN
        + """
pid = snare._pid
os.kill(pid, 0)
snare.close()
try:
    os.kill(pid, 0); print(json.dumps("there"))
except ProcessLookupError:
    print(json.dumps("gone"))
"""
    )
    assert said == "gone"


def test_what_keeps_them_from_beginning_is_said() -> None:
    """A port that is taken, here."""
    said = played(
        BEGIN
        + """
from sensor.errors import SensorError
try:
    Snare([443], begin=lambda: None)
except SensorError as problem:
    print(json.dumps(str(problem)))
"""
    )
    assert isinstance(said, str)
    assert "Address already in use" in said
