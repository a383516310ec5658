# SPDX-License-Identifier: Apache-2.0
"""Facts of two rings are seen in one order."""

from __future__ import annotations

from sensor.core.facts import Loss
from sensor.core.order import Order


def at(at_ns: int, what: str = "x") -> Loss:
    """Give a fact of a time."""
    return Loss(at_ns=at_ns, what=what, count=1)


def test_what_was_before_a_fact_comes_before_it() -> None:
    """And of the same time too: a refusal is written when all before it is."""
    order = Order()
    for time in (1, 3, 5):
        order.hold(at(time))
    assert [fact.at_ns for fact in order.before(at(3))] == [1, 3]
    assert [*order.before(at(4))] == []
    assert [fact.at_ns for fact in order.rest()] == [5]
    assert [*order.rest()] == []


def test_nothing_waits_where_nothing_was_refused() -> None:
    """The usual case."""
    assert [*Order().before(at(1))] == []
