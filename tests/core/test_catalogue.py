# SPDX-License-Identifier: Apache-2.0
"""The catalogue is read, joined and searched; a bad entry is refused with its place."""

from __future__ import annotations

import re
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.catalogue import (
    Catalogue,
    Category,
    Host,
    Interpreter,
    InterpreterKind,
    Mark,
    MarkKind,
    Role,
    merge,
    parse,
)
from sensor.errors import BadInputError

TOOL = """\
version = 1

[[tool]]
id = "some-tool"
name = "Some Tool"
vendor = "some"
category = "cli"

[[tool.facts]]
source = "ran 1.2"
names = ["some"]
weak_names = ["so"]
paths = ["@some/tool"]
packages = ["npm:@some/tool", "pypi:some-tool"]
api = ["api.some.example"]
state = ["~/.some"]
weak_state = ["~/.shared"]
layout = ["~/.local/share/some/versions/*"]
extensions = ["some.tool"]
contents = ["MARKER_OF_SOME"]

[[tool.facts]]
source = "docs: its manual"
modules = ["some_tool"]
auth = ["login.some.example"]
environment = ["SOME_TOOL"]
"""

OTHERS = """\
[[endpoint]]
id = "some"
vendor = "some"

[[endpoint.facts]]
source = "ran some-tool 1.2"
hosts = ["api.some.example", "some.example"]

[[endpoint.facts]]
source = "docs: its list of addresses"
hosts = ["login.some.example"]
ranges = ["192.0.2.0/24", "2001:db8::/32"]

[[endpoint]]
id = "deep"
vendor = "deep"

[[endpoint.facts]]
source = "ran deep 1"
hosts = ["deep.some.example"]

[[interpreter]]
kind = "python"
source = "docs: PEP 394"
names = ["python3"]
"""


def read(text: str) -> Catalogue:
    """Read a text as if it were a file."""
    return parse(text, where="x.toml")


def test_a_tool_is_read_with_the_source_of_each_mark_and_host() -> None:
    """Facts of several groups become one tool; marks and hosts keep their source."""
    tool = read(TOOL).tools[0]
    assert (tool.id, tool.name, tool.vendor) == ("some-tool", "Some Tool", "some")
    assert tool.category is Category.CLI
    assert tool.marks == (
        Mark(MarkKind.NAME, "some", weak=False, source="ran 1.2"),
        Mark(MarkKind.NAME, "so", weak=True, source="ran 1.2"),
        Mark(MarkKind.PATH, "@some/tool", weak=False, source="ran 1.2"),
        Mark(MarkKind.MODULE, "some_tool", weak=False, source="docs: its manual"),
    )
    assert tool.hosts == (
        Host("api.some.example", Role.API, "ran 1.2"),
        Host("login.some.example", Role.AUTH, "docs: its manual"),
    )
    assert tool.packages == ("npm:@some/tool", "pypi:some-tool")
    assert (tool.state, tool.environment) == (("~/.some",), ("SOME_TOOL",))
    assert (tool.weak_state, tool.layout) == (("~/.shared",), ("~/.local/share/some/versions/*",))
    assert (tool.extensions, tool.contents) == (("some.tool",), ("MARKER_OF_SOME",))


def test_a_name_of_a_known_stranger_is_read_as_one() -> None:
    """It is not weak, and not enough to refuse by."""
    (mark, *_) = read(TOOL.replace("names =", "shared_names =", 1)).tools[0].marks
    assert (mark.value, mark.weak, mark.shared, mark.is_sure) == ("some", False, True, False)


def test_an_interpreter_is_read_with_its_kind() -> None:
    """One entry names many interpreters of a kind."""
    assert read(TOOL + OTHERS).interpreters == (Interpreter("python3", InterpreterKind.PYTHON),)


def test_a_tool_is_found_by_id_and_by_number() -> None:
    """Numbers start at 1; 0 and numbers beyond the end are nobody's."""
    catalogue = read(TOOL)
    tool = catalogue.tools[0]
    assert catalogue.tool("some-tool") is catalogue.by_index(1) is tool
    assert catalogue.index_of("some-tool") == 1
    assert [catalogue.by_index(index) for index in (-1, 0, 2)] == [None, None, None]
    assert catalogue.tool("other") is None
    with pytest.raises(KeyError):
        catalogue.index_of("other")


@pytest.mark.parametrize(
    ("host", "endpoint"),
    [
        ("api.some.example", "some"),
        ("API.Some.Example.", "some"),
        ("eu.login.some.example", "some"),
        ("deep.some.example", "deep"),
        ("a.deep.some.example", "deep"),
        ("awesome.example", None),
        ("example", None),
        ("", None),
    ],
)
def test_a_host_belongs_to_the_longest_suffix(host: str, endpoint: str | None) -> None:
    """Whole labels count; case and a final dot do not."""
    found = read(TOOL + OTHERS).endpoint_of(host)
    assert (found.id if found else None) == endpoint


@pytest.mark.parametrize(
    ("address", "endpoint"),
    [("192.0.2.7", "some"), ("2001:db8::1", "some"), ("198.51.100.1", None), ("::1", None)],
)
def test_an_address_belongs_to_a_published_range(address: str, endpoint: str | None) -> None:
    """Ranges of both families are searched."""
    found = read(TOOL + OTHERS).endpoint_at(ip_address(address))
    assert (found.id if found else None) == endpoint


def test_an_endpoint_names_all_its_sources() -> None:
    """The sources of its groups stand together."""
    endpoint = read(TOOL + OTHERS).endpoints[0]
    assert endpoint.source == "ran some-tool 1.2; docs: its list of addresses"


@pytest.mark.parametrize(
    ("good", "bad", "message"),
    [
        ("version = 1", "version = 2", "x.toml:1: version: 2 is unknown; write 1"),
        ("version = 1", "", "x.toml: version: is missing; write version = 1"),
        ("version = 1", "version = 1\nnew = 1", "x.toml:2: 'new': unknown key; write one of"),
        ("[[tool]]", "[[tool]]\nold = 1", "x.toml:3: tool 'some-tool': 'old': unknown key"),
        ('id = "some-tool"', "", "x.toml:3: tool 1: id: is missing"),
        ("some-tool", "Some", "x.toml:3: tool 'Some': id: 'Some' is not valid"),
        ('category = "cli"', 'category = "gui"', "category: 'gui' is unknown; write one of cli"),
        ('source = "ran 1.2"', "", "x.toml:9: tool 'some-tool', facts 1: source: is missing"),
        ("ran 1.2", "heard", "source: 'heard' is not valid; write \"ran VERSION\""),
        ("docs: its manual", "docs: ", "x.toml:22: tool 'some-tool', facts 2: source: 'docs: '"),
        ("[[tool.facts]]", "[[tool.facts]]\nname = 1", "facts 1: 'name': unknown key"),
        ('"some"]', '"some/tool"]', "names: 'some/tool' is not valid; write a base name without"),
        ('"some"]', '".."]', "names: '..' is not valid"),
        ("@some/tool", "tool", "paths: 'tool' is not valid; write exactly two components"),
        ("@some/tool", "a/b/c", "paths: 'a/b/c' is not valid"),
        ("some_tool", "some.tool", "modules: 'some.tool' is not valid; write the top package"),
        ("pypi:some-tool", "some-tool", "packages: 'some-tool' is not valid; write \"npm:name\""),
        ("api.some.example", "https://some.example", "api: 'https://some.example' is not valid"),
        ('"MARKER_OF_SOME"', '"short"', "contents: 'short' is not valid; write 12 to 64"),
        ('"some.tool"', '"Some"', "extensions: 'Some' is not valid; write publisher and name"),
        ('"~/.local/share/some/versions/*"', '"/opt/*/x"', "layout: '/opt/*/x' is not valid; begi"),
        ('"~/.some"', '".some"', "state: '.some' is not valid; begin with ~/, / or <repo>/"),
        ("SOME_TOOL", "A=1", "environment: 'A=1' is not valid"),
        ("192.0.2.0/24", "192.0.2.0/33", "x.toml:35: endpoint 'some', facts 2: ranges: '192"),
        ('hosts = ["deep.some.example"]', "", "x.toml:40: endpoint 'deep': facts: hold no host"),
        (
            "deep.some.example",
            "a.b.c.d.some.example.x",
            "endpoint 'deep', facts 1: hosts: 'a.b.c.d.some.example.x' has more than 6 labels;",
        ),
        ('hosts = ["deep', 'host = ["deep', "endpoint 'deep', facts 1: 'host': unknown key"),
        ('kind = "python"', 'kind = "perl"', "x.toml:48: interpreter 1: kind: 'perl' is unknown"),
        ('source = "docs: PEP 394"', "", "interpreter 1: source: is missing"),
        ('["python3"]', '["bin/python3"]', "interpreter 1: names: 'bin/python3' is not valid"),
    ],
)
def test_a_bad_entry_is_refused_with_its_place(good: str, bad: str, message: str) -> None:
    """The file, the line, the entry, the key and the remedy are in the error."""
    text = TOOL + OTHERS
    assert good in text
    with pytest.raises(BadInputError, match=re.escape(message)):
        read(text.replace(good, bad, 1))


@given(st.integers(0, (TOOL + OTHERS).count("\n")), st.text())
def test_any_line_gives_a_catalogue_or_a_clear_refusal(number: int, line: str) -> None:
    """Nothing but BadInputError leaves the reader, whatever a line holds."""
    lines = (TOOL + OTHERS).split("\n")
    lines[number] = line
    with suppress(BadInputError):
        assert read("\n".join(lines)).version == 1


def test_a_tool_without_a_mark_is_refused() -> None:
    """A tool that nothing gives away would never be found."""
    text = TOOL.split("[[tool.facts]]", maxsplit=1)[0]
    with pytest.raises(BadInputError, match=r"x\.toml:3: tool 'some-tool': facts: hold no mark"):
        read(text)


def other(tool_id: str, facts: str, host: str = "") -> str:
    """Write a second tool."""
    head = f'[[tool]]\nid = "{tool_id}"\nname = "B"\nvendor = "b"\ncategory = "sdk"\n'
    tail = (
        f'[[endpoint]]\nid = "b"\nvendor = "b"\n'
        f'[[endpoint.facts]]\nsource = "ran 1"\nhosts = ["{host}"]\n'
    )
    return f'{head}[[tool.facts]]\nsource = "ran 1"\n{facts}\n{tail if host else ""}'


CONFLICTS = [
    ("some-tool", 'names = ["b"]', "", "tool id: 'some-tool' is taken by"),
    ("b", 'names = ["some"]', "", "name: 'some' is taken by"),
    ("b", 'weak_names = ["some"]', "", "name: 'some' is taken by"),
    ("b", 'names = ["so"]', "", "name: 'so' is taken by"),
    ("b", 'weak_names = ["b", "b"]', "", "name: 'b' is taken by"),
    ("b", 'paths = ["@some/tool"]', "", "path: '@some/tool' is taken by"),
    ("b", 'modules = ["some_tool"]', "", "module: 'some_tool' is taken by"),
    ("b", 'names = ["python3"]', "", "name: 'python3' is taken by"),
    ("b", 'names = ["b"]', "some.example", "host: 'some.example' is taken by"),
]


@pytest.mark.parametrize(("tool_id", "facts", "host", "message"), CONFLICTS)
def test_what_two_entries_claim_is_refused(
    tool_id: str, facts: str, host: str, message: str
) -> None:
    """In one text and in two, and both claimants are named."""
    second = other(tool_id, facts, host)
    with pytest.raises(BadInputError, match=re.escape(message)) as caught:
        read(TOOL + OTHERS + second)
    assert len(re.findall(r"x\.toml:\d+: ", str(caught.value))) == 2
    with pytest.raises(BadInputError, match=re.escape(message)):
        merge([read(TOOL + OTHERS), read("version = 1\n" + second)])


def test_an_endpoint_id_is_claimed_once() -> None:
    """Two endpoints of one id are refused."""
    with pytest.raises(BadInputError, match=r"endpoint id: 'some' is taken by x\.toml:27: "):
        read((TOOL + OTHERS).replace('id = "deep"', 'id = "some"'))


def test_a_weak_mark_may_be_borne_by_several_tools() -> None:
    """What is weak in each of them is no conflict."""
    catalogue = read(TOOL + other("b", 'weak_names = ["so"]'))
    assert [tool.id for tool in catalogue.tools] == ["some-tool", "b"]


def test_joined_catalogues_number_their_tools_in_the_order_given() -> None:
    """The second text's tools follow the first's."""
    second = read("version = 1\n" + other("b", 'names = ["b"]', "b.example"))
    catalogue = merge([read(TOOL + OTHERS), second])
    assert catalogue.index_of("b") == 2
    assert [endpoint.id for endpoint in catalogue.endpoints] == ["some", "deep", "b"]
    assert catalogue.interpreters == (Interpreter("python3", InterpreterKind.PYTHON),)
    assert merge([]) == Catalogue(1, (), (), ())
