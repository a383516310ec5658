# SPDX-License-Identifier: Apache-2.0
"""The lab itself: what the tests of real tools stand on."""

from __future__ import annotations

import json
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.lab import Lab, Query
from support.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.e2e

PYTHON = sys.executable
RESOLVE = """
import json, socket, sys
def ask(name):
    try:
        return sorted({i[4][0] for i in socket.getaddrinfo(name, 443, type=socket.SOCK_STREAM)})
    except socket.gaierror:
        return []
print(json.dumps([ask(name) for name in sys.argv[1:]]))
"""
POST = """
import sys, urllib.error, urllib.request
try:
    urllib.request.urlopen(sys.argv[1], data=b"x" * 200_000)
except urllib.error.HTTPError as error:
    print(error.code)
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """Make a lab with one alias and one name that does not exist."""
    with Lab(cname={"alias.example": "real.example"}, missing=["none.example"]) as made:
        yield made


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Make a cgroup for what runs in the lab."""
    with Scope() as made:
        yield made


def test_every_name_has_addresses_of_its_own(lab: Lab, scope: Scope) -> None:
    """Both families are answered; an alias has what its target has, a missing name nothing."""
    names = ["alias.example", "real.example", "other.example", "none.example"]
    ran = lab.run([PYTHON, "-c", RESOLVE, *names], scope=scope)
    alias, real, other, none = json.loads(ran.stdout)
    assert alias == real
    assert len({*real, *other}) == 4
    assert none == []
    assert Query("none.example", 28) in lab.queries()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_every_host_refuses_every_request(lab: Lab, scope: Scope, scheme: str) -> None:
    """A client that trusts the lab's authority gets a whole answer, whatever the host's name."""
    ran = lab.run([PYTHON, "-c", POST, f"{scheme}://{scheme}.example/v1"], scope=scope)
    assert ran.stdout == "401\n", ran
    server_name = {"http": None, "https": "https.example"}[scheme]
    (asked,) = [request for request in lab.requests() if request.server_name == server_name]
    assert asked.line == "POST /v1 HTTP/1.1"
    assert asked.received_bytes > 200_000


def test_there_is_no_way_out(lab: Lab, scope: Scope) -> None:
    """The lab has a loopback device and no other."""
    ran = lab.run(["/sbin/ip", "-json", "link"], scope=scope)
    assert [link["ifname"] for link in json.loads(ran.stdout)] == ["lo"]


def test_a_program_that_stays_is_ended(lab: Lab, scope: Scope) -> None:
    """Time is bounded, and what was left in the background goes too."""
    ran = lab.run(["/bin/sh", "-c", "setsid sleep 600 & sleep 600"], scope=scope, timeout_s=0.2)
    assert ran.status is None
    assert scope.procs() == []


def test_nothing_of_a_lab_is_left_when_a_test_fails() -> None:
    """Its namespaces go with its only process, and its folder with it."""
    with suppress(ZeroDivisionError), Lab() as lab:
        pid = int(lab.inside(["true"])[2])
        assert Path(f"/proc/{pid}").exists()
        raise ZeroDivisionError
    assert not Path(f"/proc/{pid}").exists()
    assert not lab.path.exists()
