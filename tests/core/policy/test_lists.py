# SPDX-License-Identifier: Apache-2.0
"""Lists carry what they take over, in order, and no more than can win."""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network

import pytest

from sensor.core.policy import lists
from sensor.core.policy.lists import Names, Ranges, Spans, mapped, mapped_address
from sensor.core.policy.rows import DomainRules, Entry, Span, TableVerdict
from sensor.errors import BadInputError


def entry(rule: int, *, conditions: int = 1, port: int = 0) -> Entry:
    """Give what a rule says; by default it may not hold."""
    return Entry(
        rule=rule,
        verdict=TableVerdict.BLOCK,
        order=2 * rule,
        conditions=conditions,
        port=port,
    )


SKIP = Entry(rule=1, verdict=TableVerdict.SKIP, order=2, conditions=2)


def spans() -> Spans:
    """Give an empty array; rule 1 has an exception."""
    return Spans({1: (SKIP,)}, lambda position: f"p:{position}")


def row(array: Spans, span: Span) -> list[Entry]:
    """Give the entries of a span."""
    return array.entries[span.start : span.start + span.count]


def test_equal_lists_lie_there_once() -> None:
    """An empty one takes no room."""
    array = spans()
    first = array.lay({2: (entry(2),)}, "x")
    assert array.lay({3: (entry(3),)}, "y") == Span(1, 1)
    assert array.lay({2: (entry(2),)}, "z") == first == Span(0, 1)
    assert array.lay({}, "nothing") == Span()
    assert len(array.entries) == 2


def test_a_list_is_in_the_order_of_the_rules() -> None:
    """An exception stands directly before its rule."""
    array = spans()
    span = array.lay({2: (entry(2),), 1: (entry(1),)}, "x")
    assert row(array, span) == [SKIP, entry(1), entry(2)]


def test_what_cannot_win_is_left_out() -> None:
    """After an entry that always holds; one that an exception may take out does not."""
    array = spans()
    always = {2: (entry(2, conditions=0),), 3: (entry(3),)}
    assert row(array, array.lay(always, "x")) == [entry(2, conditions=0)]
    maybe = {1: (entry(1, conditions=0),), 3: (entry(3),)}
    assert row(array, array.lay(maybe, "x")) == [SKIP, entry(1, conditions=0), entry(3)]


def test_a_port_is_left_out_where_any_will_do() -> None:
    """And what is there twice."""
    array = spans()
    pieces = {2: (entry(2, port=443), entry(2), entry(2)), 3: (entry(3, port=1), entry(3, port=2))}
    assert row(array, array.lay(pieces, "x")) == [entry(2), entry(3, port=1), entry(3, port=2)]


def test_a_list_that_is_too_long_is_refused() -> None:
    """With the rule that does not fit, and what the list is about."""
    pieces = {rule: (entry(rule),) for rule in range(2, 34)}
    assert spans().lay(pieces, "x").count == 32
    with pytest.raises(BadInputError, match=r"p:34: more than 32 rules .* are about x\.test; join"):
        spans().lay({**pieces, 34: (entry(34),)}, "x.test")


def test_a_bank_can_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the last rule of the list that does not fit."""
    monkeypatch.setattr(lists, "ENTRIES_OF_BANK", 2)
    array = spans()
    array.lay({2: (entry(2),), 3: (entry(3),)}, "x")
    with pytest.raises(BadInputError, match="p:5: the policy is larger than 2 entries; name fewer"):
        array.lay({5: (entry(5),)}, "y")


def named(*words: tuple[str, int]) -> tuple[Spans, dict[str, DomainRules]]:
    """Lay names out; a star is for what is below alone."""
    names, array = Names(), spans()
    for word, rule in words:
        names.add(word.removeprefix("*."), rule, entry(rule), below=word.startswith("*."))
    return array, names.lay(array)


def said(array: Spans, rules: DomainRules) -> tuple[list[int], list[int]]:
    """Give the rules for a name itself, and for what is below."""
    return (
        [one.rule for one in row(array, rules.itself)],
        [one.rule for one in row(array, rules.below)],
    )


def test_a_name_takes_over_what_is_above() -> None:
    """In the order of the rules, whichever is deeper; on the way too."""
    array, rules = named(("x.test", 3), ("*.x.test", 5), ("a.b.x.test", 2), ("*.b.x.test", 4))
    assert {name: said(array, one) for name, one in rules.items()} == {
        "test": ([], []),
        "x.test": ([3], [3, 5]),
        "b.x.test": ([3, 5], [3, 4, 5]),
        "a.b.x.test": ([2, 3, 4, 5], [2, 3, 4, 5]),
    }


def test_a_rule_for_a_name_and_what_is_below_is_merged() -> None:
    """Once in a list."""
    array, rules = named(("x.test", 3), ("a.x.test", 3))
    assert said(array, rules["a.x.test"]) == ([3], [3])


def test_there_can_be_too_many_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those on the way count."""
    monkeypatch.setattr(lists, "NODES_OF_BANK", 2)
    named(("x.test", 3))
    with pytest.raises(
        BadInputError, match="policy: 3 names and suffixes of names are more than 2"
    ):
        named(("a.x.test", 3))


def ranged(*words: tuple[str, int]) -> dict[str, list[int]]:
    """Lay ranges out and give the rules of each."""
    ranges, array = Ranges(), spans()
    for word, rule in words:
        ranges.add(ip_network(word), rule, entry(rule))
    return {
        str(network): [one.rule for one in row(array, span)]
        for network, span in ranges.lay(array).items()
    }


def test_a_range_takes_over_what_is_around_it() -> None:
    """In the order of the rules, and not from its neighbours."""
    assert ranged(
        ("2001:db8::/32", 3), ("2001:db8:1::/48", 2), ("2001:db8:2::/48", 5), ("2001:db9::/32", 4)
    ) == {
        "2001:db8::/32": [3],
        "2001:db8:1::/48": [2, 3],
        "2001:db8:2::/48": [3, 5],
        "2001:db9::/32": [4],
    }


def test_ipv4_is_no_part_of_ipv6() -> None:
    """The kernel's trie has it below ::/0, so that a node stands between."""
    assert ranged(("::/0", 3), ("192.0.2.0/24", 2)) == {
        str(IPv6Network("::/0")): [3],
        str(IPv6Network("::ffff:0:0/96")): [],
        str(IPv6Network("::ffff:192.0.2.0/120")): [2],
    }


def test_all_of_ipv4_is_a_range() -> None:
    """Of its own."""
    found = ranged(("0.0.0.0/0", 2), ("192.0.2.0/24", 3), ("::/0", 4))
    assert list(found.values()) == [[4], [2], [2, 3]]


def test_there_can_be_too_many_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of names."""
    monkeypatch.setattr(lists, "NODES_OF_BANK", 1)
    ranged(("2001:db8::/32", 3))
    with pytest.raises(BadInputError, match="policy: 2 ranges are more than 1; join some of them"):
        ranged(("2001:db8::/32", 3), ("2001:db9::/32", 3))


def test_addresses_have_one_form() -> None:
    """IPv4 is mapped into IPv6."""
    assert mapped(ip_network("192.0.2.0/24")) == IPv6Network("::ffff:192.0.2.0/120")
    assert mapped(ip_network("2001:db8::/32")) == IPv6Network("2001:db8::/32")
    assert mapped_address(ip_address("192.0.2.1")) == IPv6Address("::ffff:192.0.2.1")
    assert mapped_address(ip_address("2001:db8::1")) == IPv6Address("2001:db8::1")
