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
from sensor.core.facts import Process, Seen, Signal
from sensor.core.identity import Identifier, Identity
from sensor.core.weights import (
    CONTENT_WEIGHT,
    MODULE_WEIGHT,
    NAME_WEIGHT,
    ORIGIN_WEIGHT,
    PATH_WEIGHT,
    THRESHOLD,
    WEAK_WEIGHT,
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


def test_a_file_that_a_mount_hides_is_known_by_where_it_lies() -> None:
    """The kernel alone sees that; it is believed where it is sure."""
    hidden = replace(exec_(1, "/usr/bin/git"), signals=Signal.FILE, tool=1)
    identity = Identifier(CATALOGUE).identify(hidden)
    assert identity.tool is CATALOGUE.tools[0]
    assert identity.evidence == (Evidence("origin", CATALOGUE.tools[0].id),)
    assert identity.confidence == ORIGIN_WEIGHT
    assert Identifier(CATALOGUE).candidates(hidden) == (CATALOGUE.tools[0],)
    for strange in (
        replace(hidden, unsure=True),
        replace(hidden, signals=Signal.ARGUMENT),
        replace(hidden, tool=len(CATALOGUE.tools) + 1),
        replace(hidden, tool=0),
    ):
        assert Identifier(CATALOGUE).identify(strange).tool is None


GOOSE = replace(
    CATALOGUE.tools[3],
    packages=("npm:@block/goose",),
    settings=("GOOSE_MODE",),
    state=("~/.config/goose",),
    environment=("GOOSE_CHILD",),
    unsafe=("--yolo",),
)
LOOKED = Catalogue(
    1,
    (replace(CATALOGUE.tools[0], environment=("CLAUDECODE",)), *CATALOGUE.tools[1:3], GOOSE),
    (),
    CATALOGUE.interpreters,
)


def seen(
    package: str | None = None, *, owns: bool = True, variables: tuple[str, ...] = (),
    state: tuple[str, ...] = (),
) -> Seen:  # fmt: skip
    """Say what a look showed."""
    return Seen(
        at_ns=1, process=Process(9, 9), package=package, owns=owns, variables=variables,
        state=state,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "look", "tool", "confidence"),
    [
        ("goose", seen(), None, 0.3),
        ("goose", seen("npm:@block/goose"), "goose", 0.965),
        ("goose", seen("npm:@block/goose", owns=False), "goose", 0.965),
        ("goose", seen("npm:goose-of-another"), None, 0.09),
        ("goose", seen(variables=("GOOSE_MODE",)), None, 0.44),
        ("goose", seen(state=("~/.config/goose",)), None, 0.44),
        ("goose", seen(variables=("GOOSE_MODE",), state=("~/.config/goose",)), None, 0.44),
        ("codex", seen(), "codex", 0.9),
        ("codex", seen("npm:codex-of-another"), None, 0.27),
        ("codex", seen("npm:some-project", owns=False), "codex", 0.9),
        ("renamed", seen("npm:@block/goose"), "goose", 0.95),
        ("renamed", seen("npm:of-nobody"), None, 0.0),
        ("renamed", seen(variables=("GOOSE_MODE",)), None, 0.0),
    ],
)
def test_a_look_decides_what_a_name_is_worth(
    name: str, look: Seen, tool: str | None, confidence: float
) -> None:
    """A package of the tool's makes one of any name; another's takes it away; a setting helps."""
    identity = Identifier(LOOKED).identify(exec_(9, f"/opt/{name}"), look)
    assert (identity.tool.id if identity.tool else None, identity.confidence) == (tool, confidence)
    assert identity.was_looked_at


def test_a_service_that_is_reached_makes_a_tool_of_a_weak_name() -> None:
    """And nothing of a program that has no name of any tool."""
    identifier = Identifier(LOOKED)
    goose = identifier.identify(exec_(9, "/opt/goose"), endpoint="anthropic")
    assert (goose.tool, goose.confidence) == (GOOSE, 0.58)
    assert Evidence("endpoint", "anthropic") in goose.evidence
    assert identifier.identify(exec_(9, "/opt/curl"), endpoint="anthropic") == Identity()


def test_who_started_a_process_is_told_by_the_marks_in_its_environment() -> None:
    """Whatever it is itself."""
    identity = Identifier(LOOKED).identify(exec_(9, "/opt/x"), seen(variables=("CLAUDECODE", "X")))
    assert identity.lineage == (Evidence("marker", "claude-code CLAUDECODE"),)
    assert identity.tool is None
    assert Identifier(LOOKED).markers == {"CLAUDECODE", "GOOSE_CHILD"}


def test_only_a_tool_s_run_is_dangerous() -> None:
    """By its own options."""
    look = seen("npm:@block/goose")
    risky = Identifier(LOOKED).identify(exec_(9, "/opt/goose", "--yolo"), look)
    assert risky.risk == (Evidence("unguarded", "--yolo"),)
    assert Identifier(LOOKED).identify(exec_(9, "/opt/goose", "--yolo")).risk == ()


def test_runners_are_found_among_ancestors() -> None:
    """By the interpreters of the catalogue."""
    image = exec_(8, "python3.11", "-m", "pytest", exe="/usr/bin/python3.11")
    found = Identifier(LOOKED).runner(replace(seen(), ancestors=(image,)))
    assert found == Evidence("runner", "pytest")


def test_tools_for_which_anything_speaks_are_candidates() -> None:
    """Each once."""
    tools = Identifier(LOOKED).candidates(exec_(9, "/usr/lib/block/goose"))
    assert [tool.id for tool in tools] == ["goose"]


def test_a_name_that_a_look_took_away_is_not_given_back_by_where_the_file_lies() -> None:
    """The kernel went by the same name: what it hashes of a path it knows no better."""
    codex = next(number for number, tool in enumerate(LOOKED.tools, 1) if tool.id == "codex")
    image = replace(exec_(9, "/opt/codex"), signals=Signal.FILE, tool=codex)
    look = seen("npm:codex-of-another")
    assert Identifier(LOOKED).identify(image).tool is LOOKED.tools[codex - 1]
    assert Identifier(LOOKED).identify(image, look).tool is None


TEXTS = ("FIRST_TEXT_IN_IT", "SECOND_TEXT")
HOLDING = replace(tool("holding", "v", name("holder")), contents=TEXTS)


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
