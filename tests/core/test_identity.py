# SPDX-License-Identifier: Apache-2.0
"""An image is known by what the kernel resolved and by what an interpreter runs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import CATALOGUE, exec_, name, path, tool

from sensor.core.catalogue import Catalogue
from sensor.core.event import Evidence
from sensor.core.facts import Signal
from sensor.core.identity import (
    CONTENT_WEIGHT,
    MODULE_WEIGHT,
    NAME_WEIGHT,
    PATH_WEIGHT,
    THRESHOLD,
    WEAK_WEIGHT,
    Identifier,
    Identity,
)

IDENTIFIER = Identifier(CATALOGUE)
NATIVE = "/usr/lib/node_modules/@anthropic-ai/claude-code/bin/claude.exe"


def found(identity: Identity) -> tuple[str | None, tuple[str, ...]]:
    """Return the tool and the kinds of signal that speak for it."""
    tool_id = identity.tool.id if identity.tool else None
    return tool_id, tuple(one.signal for one in identity.evidence)


@pytest.mark.parametrize(
    ("line", "exe", "typed", "expected"),
    [
        ("git status", "/usr/bin/git", None, (None, ())),
        ("claude", "/opt/bin/claude", None, ("claude-code", ("name",))),
        ("x", NATIVE, None, ("claude-code", ("path",))),
        ("claude", NATIVE, "/usr/bin/claude", ("claude-code", ("path", "name"))),
        ("claude codex", "/usr/bin/git", None, (None, ())),
        ("node /usr/bin/codex", "/usr/bin/node", None, ("codex", ("name",))),
        ("node /l/@openai/codex/x.js", "/usr/bin/node", None, ("codex", ("path",))),
        ("node /l/@openai/./codex//x.js", "/usr/bin/node", None, ("codex", ("path",))),
        ("node /l/@openai/a/../codex/x.js", "/usr/bin/node", None, ("codex", ("path",))),
        ("node -e /usr/bin/codex", "/usr/bin/node", None, (None, ())),
        ("node x.js /usr/bin/codex", "/usr/bin/node", None, (None, ())),
        ("python3.11 -m aider", "/usr/bin/python3.11", None, ("aider", ("module",))),
        ("python3.11 -m aider.main", "/usr/bin/python3.11", None, ("aider", ("module",))),
        ("python3.11 -m pip", "/usr/bin/python3.11", None, (None, ())),
        (
            "ld.so /tmp/claude",
            "/usr/lib/ld-linux-x86-64.so.2",
            None,
            ("claude-code", ("name",)),
        ),
    ],
)
def test_evidence_names_the_tool(
    line: str, exe: str, typed: str | None, expected: tuple[str | None, tuple[str, ...]]
) -> None:
    """Names, paths and modules count; argv[0] and arguments of other programs do not."""
    assert found(IDENTIFIER.identify(exec_(9, *line.split(), exe=exe, typed=typed))) == expected


def test_a_relative_path_is_seen_from_the_working_directory() -> None:
    """``node codex.js`` in the package's folder runs the package."""
    fact = exec_(9, "node", "codex.js", exe="/usr/bin/node", cwd="/l/@openai/codex")
    identity = IDENTIFIER.identify(fact)
    assert found(identity) == ("codex", ("path",))
    assert identity.script == "/l/@openai/codex/codex.js"
    nowhere = exec_(9, "node", "codex.js", exe="/usr/bin/node", cwd=None)
    assert IDENTIFIER.identify(nowhere) == Identity(script="codex.js")


@pytest.mark.parametrize(
    ("line", "exe", "confidence"),
    [
        ("claude", "/opt/bin/claude", NAME_WEIGHT),
        ("claude", NATIVE, PATH_WEIGHT),
        ("python3.11 -m aider", "/usr/bin/python3.11", MODULE_WEIGHT),
        ("x", "/@anthropic-ai/claude-code/claude", 1 - (1 - NAME_WEIGHT) * (1 - PATH_WEIGHT)),
        ("goose", "/opt/bin/goose", WEAK_WEIGHT),
        ("goose", "/opt/block/goose", 1 - (1 - WEAK_WEIGHT) ** 2),
        ("git", "/usr/bin/git", 0.0),
    ],
)
def test_distinct_signals_add_up(line: str, exe: str, confidence: float) -> None:
    """What is left of doubt is the product of the doubts."""
    identity = IDENTIFIER.identify(exec_(9, *line.split(), exe=exe))
    assert identity.confidence == pytest.approx(confidence)
    assert (identity.tool is not None) == (confidence >= THRESHOLD)


def test_a_weak_name_alone_makes_no_tool() -> None:
    """``goose`` migrates databases as well; the evidence is kept for who asks."""
    identity = IDENTIFIER.identify(exec_(9, "goose", exe="/usr/bin/goose"))
    assert identity == Identity(confidence=WEAK_WEIGHT, evidence=(Evidence("name", "goose"),))


def test_one_signal_counts_once() -> None:
    """The same name in three places is one reason, and a strong one hides a weak one."""
    fact = exec_(9, "node", "/b/codex", exe="/usr/bin/node", typed="/a/codex")
    assert IDENTIFIER.identify(fact).confidence == pytest.approx(NAME_WEIGHT)
    both = Catalogue(1, (tool("x", "x", name("x", weak=True), name("ex")),), (), ())
    for exe, typed in (("/x", "/ex"), ("/ex", "/x")):
        identity = Identifier(both).identify(exec_(9, "x", exe=exe, typed=typed))
        assert identity.evidence == (Evidence("name", "ex"),)
        assert identity.confidence == pytest.approx(NAME_WEIGHT)


def test_the_likeliest_tool_is_taken() -> None:
    """A package's path is better evidence than another tool's name."""
    fact = exec_(9, "claude", exe="/l/@openai/codex/claude")
    assert found(IDENTIFIER.identify(fact)) == ("codex", ("path",))


def test_the_inner_of_two_packages_is_meant() -> None:
    """An adapter brings the agent along in its own node_modules."""
    fact = exec_(9, "x", exe="/l/@anthropic-ai/claude-code/node_modules/@openai/codex/x")
    assert found(IDENTIFIER.identify(fact)) == ("codex", ("path",))


def test_a_path_decides_between_equals() -> None:
    """Two tools with one weak mark each: the path was harder to come by."""
    rivals = Catalogue(
        1, (tool("a", "a", name("x", weak=True)), tool("b", "b", path("p/x", weak=True))), (), ()
    )
    identity = Identifier(rivals).identify(exec_(9, "x", exe="/p/x"))
    assert identity.evidence == (Evidence("path", "p/x"),)


def test_a_shared_mark_speaks_for_each_of_its_tools() -> None:
    """Two tools named ``x``: the one whose folder it lies in is meant."""
    shared = Catalogue(
        1,
        (
            tool("a", "a", name("x", weak=True)),
            tool("b", "b", name("x", weak=True), path("p/b")),
        ),
        (),
        (),
    )
    assert found(Identifier(shared).identify(exec_(9, "x", exe="/p/b/x"))) == (
        "b",
        ("name", "path"),
    )


@given(st.text(), st.text(), st.lists(st.text()))
def test_any_exec_is_judged(exe: str, typed: str, argv: list[str]) -> None:
    """There is a tool exactly when there is confidence enough."""
    identity = IDENTIFIER.identify(exec_(9, *argv, exe=exe or "/", typed=typed or "/"))
    assert 0 <= identity.confidence <= 1
    assert (identity.tool is None) == (identity.confidence < THRESHOLD)


HOLDING = replace(
    tool("holding", "v", name("holder")), contents=("FIRST_TEXT_IN_IT", "SECOND_TEXT")
)


@pytest.mark.parametrize("exe", ["/opt/formatter", "/usr/bin/node", "/usr/bin/goose"])
def test_what_is_inside_a_file_outdoes_a_name_that_says_little(exe: str) -> None:
    """None, an interpreter's, or one that others bear too."""
    catalogue = replace(CATALOGUE, tools=(*CATALOGUE.tools, HOLDING))
    fact = replace(
        exec_(9, exe, tool=catalogue.index_of("holding")), signals=Signal.CONTENT | Signal.NAME
    )
    identity = Identifier(catalogue).identify(fact)
    assert identity.tool is HOLDING
    assert identity.confidence == CONTENT_WEIGHT
    assert identity.evidence == (Evidence("content", "FIRST_TEXT_IN_IT + SECOND_TEXT"),)


@pytest.mark.parametrize("number", [0, 99])
def test_a_tool_that_is_none_has_no_content(number: int) -> None:
    """The catalogue was another one when the file was looked into."""
    fact = replace(exec_(9, "/opt/formatter", tool=number), signals=Signal.CONTENT)
    assert IDENTIFIER.identify(fact).tool is None
