# SPDX-License-Identifier: Apache-2.0
"""A name that is missing, or holds what it must not, is named together with its place."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest

from sensor.core.words import Kind, Verdict
from sensor.errors import FrameError
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable

RAW = Fields(
    "event",
    {
        "one": 1,
        "yes": True,
        "half": 0.5,
        "text": "exec",
        "null": None,
        "part": {"a": 1},
        "parts": [{"a": 1}, {"a": 2}],
        "texts": ["a", "b"],
        "mixed": ["a", 1],
    },
)


def a(raw: Fields) -> int:
    """Read the one number of a part."""
    return raw.need("a", int)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        (lambda: RAW.need("one", int), 1),
        (lambda: RAW.need("yes", bool), True),
        (lambda: RAW.maybe("null", int), None),
        (lambda: RAW.maybe("one", int), 1),
        (lambda: RAW.maybe_number("one"), 1),
        (lambda: RAW.maybe_number("half"), 0.5),
        (lambda: RAW.maybe_number("null"), None),
        (lambda: RAW.maybe_word("text", Kind), Kind.EXEC),
        (lambda: RAW.maybe_word("null", Kind), None),
        (lambda: RAW.part("part", a), 1),
        (lambda: RAW.part("null", a), None),
        (lambda: RAW.parts("parts", a), (1, 2)),
        (lambda: RAW.texts("texts"), ("a", "b")),
        (lambda: RAW.maybe_texts("texts"), ("a", "b")),
        (lambda: RAW.maybe_texts("null"), None),
        (lambda: RAW.address("ip", "192.0.2.1"), ip_address("192.0.2.1")),
        (lambda: RAW.is_one_of("text", ("exec", None)), True),
        (lambda: RAW.is_one_of("absent", ("exec", None)), True),
        (lambda: RAW.is_one_of("one", ("exec", None)), False),
        (lambda: RAW.is_one_of("text", ("now",)), False),
    ],
)
def test_what_is_as_it_has_to_be_is_returned(read: Callable[[], object], expected: object) -> None:
    """Null is None where it may be."""
    assert read() == expected


@pytest.mark.parametrize(
    ("read", "says"),
    [
        (lambda: RAW.need("absent", int), "event without absent"),
        (lambda: RAW.maybe("absent", int), "event without absent"),
        (lambda: RAW.need("text", int), "event: text: expected int, got str"),
        (lambda: RAW.need("null", int), "event: null: expected int, got NoneType"),
        (lambda: RAW.need("yes", int), "event: yes: expected int, got bool"),
        (lambda: RAW.need("one", bool), "event: one: expected bool, got int"),
        (lambda: RAW.maybe_number("yes"), "event: yes: expected float, got bool"),
        (lambda: RAW.maybe_word("text", Verdict), "event: text: unknown exec"),
        (lambda: RAW.word("k", Kind, "\x1b[2J"), r'event: k: unknown "\x1b[2J"'),
        (lambda: RAW.part("parts", a), "event: parts: expected dict, got list"),
        (lambda: RAW.parts("texts", a), "event: texts: expected a list of dict, got str in it"),
        (lambda: RAW.texts("mixed"), "event: mixed: expected a list of str, got int in it"),
        (lambda: RAW.address("ip", "\n"), r'event: ip: expected an IP address, got "\n"'),
    ],
)
def test_what_is_not_is_named(read: Callable[[], object], says: str) -> None:
    """The text has the place, what was expected, and what came, fit for a terminal."""
    with pytest.raises(FrameError) as raised:
        read()
    assert str(raised.value) == says
