# SPDX-License-Identifier: Apache-2.0
"""An open connection keeps its owner and its name until it closes."""

from __future__ import annotations

from ipaddress import ip_address

from support.story import CATALOGUE, at

from sensor.core.event import Destination, NameSource
from sensor.core.flows import ENDED, UNOPENED, Flow, Flows, Said
from sensor.core.identity import Identity
from sensor.core.lineage import Member
from sensor.core.names import Endpoints, Names
from sensor.core.sessions import Session

SESSION = Session(
    id="k3v9q2xa",
    tool=CATALOGUE.tools[0],
    identity=Identity(),
    root=at(9),
    started_ns=9,
    names=Names(Endpoints(CATALOGUE)),
)
MEMBER = Member(process=at(9), ppid=1, session=SESSION, depth=0, image=None)
FLOW = Flow(MEMBER, Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp"))


def test_a_connection_is_closed_once() -> None:
    """A cookie belongs to one socket until the host reboots."""
    flows = Flows()
    flows.open(5, FLOW)
    assert 5 in flows
    assert flows.close(5) is FLOW
    assert flows.close(5) is None
    assert 5 not in flows


def test_the_oldest_connection_makes_room() -> None:
    """Its close is told by what is known then."""
    flows = Flows(2)
    for cookie in (1, 2, 3):
        flows.open(cookie, FLOW)
    assert [cookie in flows for cookie in (1, 2, 3)] == [False, True, True]
    assert len(flows) == 2


SAID = Said("a.test", NameSource.PROXY, None, 8443)


def test_a_connection_takes_the_name_that_it_says() -> None:
    """With the port that it asked a proxy for; who opened it stays."""
    flows = Flows()
    assert flows.open(5, FLOW) is FLOW
    flows.name(5, SAID)
    named = flows.get(5)
    assert named
    assert (named.member, named.to.ip, named.to.port) == (MEMBER, FLOW.to.ip, 443)
    assert (named.to.name, named.to.name_source, named.target_port) == (
        "a.test", NameSource.PROXY, 8443,
    )  # fmt: skip
    assert list(flows.items()) == [(5, named)]


def test_a_name_waits_for_its_connection() -> None:
    """Whichever is told first; it is used once."""
    flows = Flows()
    flows.name(5, SAID)
    assert flows.get(5) is None
    assert flows.open(5, FLOW).to.name == "a.test"
    assert flows.open(5, FLOW) is FLOW


def test_names_without_connections_are_bounded() -> None:
    """The oldest is forgotten."""
    flows = Flows()
    for cookie in range(UNOPENED + 1):
        flows.name(cookie, SAID)
    assert flows.open(0, FLOW).to.name is None
    assert flows.open(1, FLOW).to.name == "a.test"


def test_a_connection_is_ended_once() -> None:
    """The oldest is forgotten: it has been gone for long."""
    flows = Flows()
    assert [flows.end(cookie) for cookie in (1, 2, 1)] == [True, True, False]
    for cookie in range(3, ENDED + 2):
        assert flows.end(cookie)
    assert flows.end(1)
