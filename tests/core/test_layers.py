# SPDX-License-Identifier: Apache-2.0
"""An owner's files add to the catalogue, or stand in the place of what is shipped."""

from __future__ import annotations

import re

import pytest

from sensor.core.catalogue import Catalogue, parse
from sensor.core.layers import aligned, digest, layered
from sensor.core.tools import Mark, MarkKind
from sensor.errors import BadInputError

BASE = """version = 1
[[tool]]
id = "one"
name = "One"
vendor = "v"
category = "cli"
[[tool.facts]]
source = "ran 1"
names = ["one", "uno"]
packages = ["npm:one"]
[[tool]]
id = "two"
name = "Two"
vendor = "v"
category = "cli"
[[tool.facts]]
source = "ran 2"
names = ["two"]
[[endpoint]]
id = "svc"
vendor = "v"
[[endpoint.facts]]
source = "ran 1"
hosts = ["a.example.com"]
ranges = ["192.0.2.0/25"]
[[interpreter]]
kind = "script"
names = ["node"]
source = "docs: x"
"""


def tool(tool_id: str, facts: str, *, more: str = "") -> str:
    """Write the entry of a tool."""
    return (
        f'[[tool]]\nid = "{tool_id}"\nname = "New"\nvendor = "w"\ncategory = "client"\n{more}\n'
        f'[[tool.facts]]\nsource = "ran 9"\n{facts}\n'
    )


def layer(text: str) -> Catalogue:
    """Read a layer."""
    return parse(f"version = 1\n{text}", where="layer.toml", is_layer=True)


def base() -> Catalogue:
    """Read what is shipped."""
    return parse(BASE, where="base.toml")


def test_a_layer_adds_facts_and_tools() -> None:
    """Its words for people hold; new tools come behind those that there were."""
    text = tool("one", 'unsafe = ["--x"]\nstate = ["~/.x"]') + tool("three", 'names = ["three"]')
    whole = layered(base(), [layer(text)])
    assert [one.id for one in whole.tools] == ["one", "two", "three"]
    one = whole.tools[0]
    assert (one.name, one.vendor, one.packages) == ("New", "w", ("npm:one",))
    assert (one.unsafe, one.state) == (("--x",), ("~/.x",))
    assert [mark.value for mark in one.marks] == ["one", "uno"]


def test_a_layer_can_make_a_mark_weak() -> None:
    """Where the name is borne by other software on the hosts of its owner."""
    whole = layered(base(), [layer(tool("one", 'weak_names = ["uno"]'))])
    assert whole.tools[0].marks[1] == Mark(MarkKind.NAME, "uno", weak=True, source="ran 9")


def test_what_replaces_leaves_nothing_of_what_was_there() -> None:
    """In its place, so that numbers stay."""
    text = tool("one", 'names = ["eins"]', more="replaces = true")
    text += '[[endpoint]]\nid = "svc"\nvendor = "w"\nreplaces = true\n'
    text += '[[endpoint.facts]]\nsource = "ran 9"\nhosts = ["b.example.com"]\n'
    whole = layered(base(), [layer(text)])
    assert [mark.value for mark in whole.tools[0].marks] == ["eins"]
    assert whole.tools[0].packages == ()
    assert whole.endpoints[0].hosts == ("b.example.com",)


def test_services_and_interpreters_are_added_to() -> None:
    """Each host once, with all sources."""
    text = '[[endpoint]]\nid = "svc"\nvendor = "w"\n[[endpoint.facts]]\nsource = "ran 9"\n'
    text += 'hosts = ["a.example.com", "b.example.com"]\nranges = ["192.0.2.128/25"]\n'
    text += '[[endpoint]]\nid = "new"\nvendor = "w"\n[[endpoint.facts]]\nsource = "ran 9"\n'
    text += 'hosts = ["c.example.com"]\n'
    text += '[[interpreter]]\nkind = "python"\nnames = ["py9"]\nsource = "docs: y"\n'
    whole = layered(base(), [layer(text)])
    svc, new = whole.endpoints
    assert svc.hosts == ("a.example.com", "b.example.com")
    assert (len(svc.ranges), svc.source, new.id) == (2, "ran 1; ran 9", "new")
    assert [one.name for one in whole.interpreters] == ["node", "py9"]


def test_what_two_entries_claim_is_refused() -> None:
    """As in what is shipped, and with the places of both."""
    with pytest.raises(BadInputError) as refused:
        layered(base(), [layer(tool("three", 'names = ["two"]'))])
    assert re.match(
        r"layer\.toml:\d+: tool 'three': name: 'two' is taken by base\.toml:\d+: tool 'two'; ",
        str(refused.value),
    )


def test_where_an_entry_stands_makes_no_other_catalogue() -> None:
    """Two hosts that say the same in other files have one digest."""
    one, two = (parse(BASE, where=where) for where in ("a", "b"))
    assert (one, digest(one)) == (two, digest(two))
    assert one.tools[0].place != two.tools[0].place


def test_numbers_of_tools_stay() -> None:
    """Processes carry them; what is gone is taken for nothing any more."""
    before = layered(base(), [layer(tool("three", 'names = ["three"]'))])
    after = aligned(before, layered(base(), [layer(tool("four", 'names = ["four"]'))]))
    assert [one.id for one in after.tools] == ["one", "two", "three", "four"]
    assert (after.tools[2].marks, after.tools[2].withdrawn) == ((), True)
    assert after.index_of("four") == 4
    assert aligned(before, before) == before


def test_a_digest_tells_catalogues_apart() -> None:
    """By all that they say."""
    other = layered(base(), [layer(tool("one", 'unsafe = ["--x"]'))])
    assert digest(base()) == digest(base())
    assert digest(aligned(layered(base(), [layer(tool("a", 'names = ["a"]'))]), base())) == digest(
        base()
    )
    assert digest(other) != digest(base())
