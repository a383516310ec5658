# SPDX-License-Identifier: Apache-2.0
"""A session's connections have the names that its own resolver gave, or a service's range."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import CATALOGUE

from sensor.core import names
from sensor.core.event import Destination, NameSource
from sensor.core.names import Endpoints, Names

ONE = ip_address("192.0.2.1")
IN_RANGE = ip_address("198.51.100.7")


def session() -> Names:
    """Return the names of a session that has not done anything."""
    return Names(Endpoints(CATALOGUE))


def test_an_answer_names_the_connections_after_it() -> None:
    """The name comes with its source and with the service that it belongs to."""
    one = session()
    assert one.learn("api.anthropic.com", [ONE]) == "anthropic"
    assert one.reach(ONE, 443, "tcp") == Destination(
        ip=ONE,
        port=443,
        transport="tcp",
        name="api.anthropic.com",
        name_source=NameSource.DNS,
        endpoint="anthropic",
    )


@pytest.mark.parametrize("host", ["example.com", "anthropic.com.example", "notanthropic.com"])
def test_a_host_of_no_service_has_no_endpoint(host: str) -> None:
    """A service's name has to end the host's name, at a dot."""
    one = session()
    assert one.learn(host, [ONE]) is None
    assert one.reach(ONE, 443, "tcp").name == host


def test_a_published_range_gives_an_endpoint_but_no_name() -> None:
    """Nobody asked for the address by name; whose it is, is known all the same."""
    to = session().reach(IN_RANGE, 443, "tcp")
    assert (to.name, to.name_source, to.endpoint) == (None, NameSource.RANGE, "anthropic")


def test_an_answer_goes_before_a_range() -> None:
    """What the session asked for is what it means."""
    one = session()
    one.learn("cdn.example.com", [IN_RANGE])
    to = one.reach(IN_RANGE, 443, "tcp")
    assert (to.name, to.name_source, to.endpoint) == ("cdn.example.com", NameSource.DNS, None)


def test_an_unknown_address_has_no_name() -> None:
    """Absent is None, never a guess."""
    to = session().reach(ONE, 443, "tcp")
    assert (to.name, to.name_source, to.endpoint) == (None, None, None)


def test_a_name_can_move_on() -> None:
    """The last answer counts, and looking a name up counts no host."""
    one = session()
    one.learn("old.example.com", [ONE])
    one.learn("new.example.com", [ONE])
    assert one.destination(ONE, 443, "tcp").name == "new.example.com"
    assert one.hosts == 0


def test_hosts_are_counted_once_by_name() -> None:
    """Two addresses of one name are one host."""
    one = session()
    one.learn("example.com", [ONE, IN_RANGE])
    for address in (ONE, IN_RANGE, ip_address("2001:db8::1")):
        one.reach(address, 443, "tcp")
    assert one.hosts == 2


def test_more_hosts_than_can_be_counted_have_no_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """No number is better than a wrong one."""
    monkeypatch.setattr(names, "HOSTS", 2)
    one = session()
    for last in (1, 2, 1, 2):
        one.reach(ip_address(f"192.0.2.{last}"), 443, "tcp")
    assert one.hosts == 2
    one.reach(ip_address("192.0.2.3"), 443, "tcp")
    assert one.hosts is None


@given(st.lists(st.integers(0, 9), max_size=40))
def test_memory_is_bounded(steps: list[int]) -> None:
    """However much a session resolves, the least recently given name goes first."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(names, "NAMES", 3)
        one = session()
        for last in steps:
            address = ip_address(f"192.0.2.{last}")
            one.learn(f"{last}.example.com", [address])
            assert one.reach(address, 443, "tcp").name == f"{last}.example.com"
        named = [one.destination(ip_address(f"192.0.2.{last}"), 1, "tcp") for last in range(10)]
        recent = list(dict.fromkeys(reversed(steps)))[:3]
        assert {to.name for to in named if to.name} == {f"{last}.example.com" for last in recent}


def test_who_gave_an_address_is_known_by_the_name_that_it_was_given_for() -> None:
    """Policy trusts some resolvers and others not."""
    one = session()
    resolver = ip_address("192.0.2.53")
    one.learn("a.test", [ONE], resolver)
    assert one.resolver("a.test", ONE) == resolver
    assert one.resolver("b.test", ONE) is None
    assert one.resolver("a.test", IN_RANGE) is None
