# SPDX-License-Identifier: Apache-2.0
"""A TOML text is read key by key, and every error says where it stands."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import Enum
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest

from sensor.core.entries import HOST, LINE, SLUG, Document, Entry
from sensor.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable


class Colour(Enum):
    """A closed set for the tests."""

    RED = "red"
    BLUE = "blue"


def entry(text: str) -> Entry:
    """Give the root of a text."""
    return Document(text, where="x.toml").root


def test_good_values_are_read_as_they_stand() -> None:
    """Each reader gives the value of its key; a list that is left out is empty."""
    root = entry('a = "b-1"\nlist = ["x", "y"]\ncolour = "blue"\nranges = ["192.0.2.0/24"]\n')
    root.only("a", "list", "colour", "ranges")
    assert root.text("a", SLUG) == "b-1"
    assert root.texts("list", LINE) == ("x", "y")
    assert root.texts("none", LINE) == ()
    assert root.choice("colour", Colour) is Colour.BLUE
    assert root.networks("ranges") == (ip_network("192.0.2.0/24"),)


def test_a_version_is_the_one_that_is_known_or_none() -> None:
    """One that is missing is said to be; where it may be, that is none."""
    entry("version = 1").version(1)
    entry("").version(1, may_be_missing=True)
    for text, why in (
        ("", "x.toml: version: is missing; write version = 1"),
        ("version = 2", "x.toml:1: version: 2 is unknown; write 1"),
        ("version = true", "x.toml:1: version: true is unknown; write 1"),
    ):
        with pytest.raises(BadInputError) as refused:
            entry(text).version(1)
        assert str(refused.value) == why


def test_what_may_be_left_out_may_be_left_out() -> None:
    """It is None then, and a table is empty."""
    root = entry("yes = true\nno = false\nword = 'x'\n[table]\nend = 2027-01-31T01:00:00+01:00\n")
    assert (root.flag("yes"), root.flag("no"), root.flag("none")) == (True, False, None)
    assert (root.optional("word", LINE), root.optional("none", LINE)) == ("x", None)
    assert root.within("table", "end").moment("end") == datetime(2027, 1, 31, tzinfo=UTC)
    assert root.within("none").table == {}


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("b = 1", lambda e: e.only("a", "c"), "'b': unknown key; write one of a, c"),
        ("b = 1\nd = 2", lambda e: e.only("a"), "'b': unknown key; write one of a (and 1 more)"),
        ("tol = 1", lambda e: e.only("tool"), "'tol': unknown key; did you mean 'tool'? Other"),
        ("", lambda e: e.text("a", SLUG), 'a: is missing; write it like "claude-code"'),
        ('a = "A b"', lambda e: e.text("a", SLUG), "a: 'A b' is not valid; write it like"),
        ("a = 1", lambda e: e.text("a", LINE), "a: 1 is not valid; write one line of text"),
        ('a = "\\u001b[2J"', lambda e: e.text("a", LINE), "a: '\\x1b[2J' is not valid"),
        ('a = "b"', lambda e: e.texts("a", LINE), 'a: is not a list; write ["..."]'),
        ('a = ["ok.example", "No"]', lambda e: e.texts("a", HOST), "a: 'No' is not valid"),
        ('a = "green"', lambda e: e.choice("a", Colour), "'green' is unknown; write one of red, "),
        ("", lambda e: e.choice("a", Colour), "a: is missing; write one of red, blue"),
        ('a = ["192.0.2.1/24"]', lambda e: e.networks("a"), "has host bits set; write it like"),
        ("a = 1", lambda e: e.optional("a", LINE), "a: 1 is not valid; write one line of text"),
        ("a = 1", lambda e: e.flag("a"), "a: 1 is not valid; write true or false"),
        ("", lambda e: e.moment("a"), "a: is missing; write a time with its zone, like 2027-"),
        ("a = 2027-01-31", lambda e: e.moment("a"), "a: 2027-01-31 is no time"),
        ("a = 2027-01-31T01:02:03", lambda e: e.moment("a"), "a: 2027-01-31T01:02:03 has no zone"),
        ("a = 1", lambda e: e.within("a"), "a: is not a table; write [a]"),
        ("[a]\nb = 1", lambda e: e.within("a", "c"), "a: 'b': unknown key; write one of c"),
        ("[a.b]\nc = 1", lambda e: e.within("a", "b").within("b", "d"), "a, b: 'c': unknown"),
    ],
)
def test_a_bad_value_is_refused_with_its_place_and_remedy(
    text: str, read: Callable[[Entry], object], message: str
) -> None:
    """The error names the file, the key, the value (quoted) and what to write."""
    with pytest.raises(BadInputError) as caught:
        read(entry(text))
    assert str(caught.value).startswith(("x.toml: ", "x.toml:1: ", "x.toml:2: "))
    assert message in str(caught.value)
    assert caught.value.exit_code is ExitCode.BAD_INPUT


LINES = """
mode = 1
[defaults]
  tool = 2
[dns.more]
[[rule]]
mode = 3
[[rules]]
[ x.y ]
y.u = 4
z = 5
"""


def test_what_is_wrong_with_a_key_has_its_line() -> None:
    """Or that of its table, where the key is missing; what is nowhere has the file alone."""

    def said(one: Entry, key: str) -> str:
        return str(one.wrong(key, "no", "yes"))

    root = entry(LINES)
    assert said(root, "mode") == "x.toml:2: mode: no; yes"
    assert said(root, "rules") == "x.toml:8: rules: no; yes"
    assert said(root, "version") == "x.toml: version: no; yes"
    defaults = root.within("defaults", "tool")
    assert said(defaults, "tool") == "x.toml:4: defaults: tool: no; yes"
    assert said(defaults, "other") == "x.toml:3: defaults: other: no; yes"
    inner = root.within("x", "y").within("y", "y", "z")
    assert said(inner, "z") == "x.toml:11: x, y: z: no; yes"
    assert said(root.within("dns", "more").within("more"), "a") == "x.toml:5: dns, more: a: no; yes"
    assert said(root.within("none"), "a") == "x.toml: none: a: no; yes"


def test_mistakes_are_put_in_the_order_of_their_lines() -> None:
    """By number, and as they came where they have the same, or none."""
    found = ["x.toml:10: b", "x.toml:9: c", "x.toml: a", "x.toml:9: b"]
    document = Document("", where="x.toml")
    assert document.in_order(found) == ["x.toml: a", "x.toml:9: c", "x.toml:9: b", "x.toml:10: b"]


def test_a_text_that_is_no_toml_is_refused_with_its_line() -> None:
    """The parser's own line and column are in the error."""
    with pytest.raises(BadInputError, match=r"x\.toml: .*line 2.*; correct the TOML there"):
        Document("a = 1\nb = \n", where="x.toml")


@pytest.mark.parametrize("text", ["a = " + "[" * 9999, "a = " + "1" * 9999])
def test_a_text_that_overtaxes_the_parser_is_refused(text: str) -> None:
    """Nesting without end and numbers without end are bad input, not a crash."""
    with pytest.raises(BadInputError, match=r"x\.toml: .*; correct the TOML there"):
        Document(text, where="x.toml")


def test_an_entry_knows_its_line_and_what_it_is_in() -> None:
    """Entries without an id are numbered; nested ones name the entry around them."""
    document = Document(
        '[[a]]\nid = "one"\n# [[a]]\n[[a.b]]\n[[ a.b ]]\n\n[[a]]\n[[a.b]]\n', where="x.toml"
    )
    outer = list(document.entries(document.root, "a", header="a"))
    inner = [one for it in outer for one in document.entries(it, "b", header="a.b")]
    assert [one.at for one in outer] == ["x.toml:1: a 'one'", "x.toml:7: a 2"]
    assert [one.at for one in inner] == [
        "x.toml:4: a 'one', b 1",
        "x.toml:5: a 'one', b 2",
        "x.toml:8: a 2, b 1",
    ]


def test_an_entry_without_a_header_has_no_line() -> None:
    """Inline tables are entries too; the file and the number must do."""
    document = Document("a = [{}]", where="x.toml")
    assert [one.at for one in document.entries(document.root, "a", header="a")] == ["x.toml: a 1"]


@pytest.mark.parametrize("text", ["a = 1", "a = [1]", "[a]"])
def test_what_is_no_list_of_tables_is_refused(text: str) -> None:
    """A single table, or a list of other things, is told from a list of tables."""
    document = Document(text, where="x.toml")
    with pytest.raises(
        BadInputError, match=r"x\.toml:1: a: is not a list of tables; write \[\[a\]"
    ):
        list(document.entries(document.root, "a", header="a"))
