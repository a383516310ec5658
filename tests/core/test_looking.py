# SPDX-License-Identifier: Apache-2.0
"""What is looked for, and what waits for it, in its order and within bounds."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.story import (
    CATALOGUE,
    SECOND,
    at,
    close,
    connect,
    exec_,
    exit_,
    fork,
    hello,
    resolved,
)

from sensor.core import looking
from sensor.core.catalogue import Catalogue
from sensor.core.facts import Fact, Loss, Seen, Signal
from sensor.core.identity import Identifier
from sensor.core.looking import PATIENCE_NS, Waiting, look
from sensor.core.risk import PROXIES
from sensor.core.spelling import spelling

GOOSE = replace(
    CATALOGUE.tools[3],
    settings=("GOOSE_MODE",),
    unsafe=("--yolo", "GOOSE_ALL"),
    overrides=("GOOSE_URL",),
    state=("~/.goose", "<repo>/.goosehints", "/tmp/goose-<uid>", "/var/goose*"),  # noqa: S108
)
CLAUDE = replace(CATALOGUE.tools[0], environment=("CLAUDECODE",), settings=("CLAUDE_X",))
IDENTIFIER = Identifier(
    Catalogue(1, (CLAUDE, *CATALOGUE.tools[1:3], GOOSE), (), CATALOGUE.interpreters)
)


def test_what_may_be_a_tool_is_looked_for_by_what_is_known_of_that_tool() -> None:
    """Its variables and paths, the marks of all tools, and proxies; no wildcard is a path."""
    asked = look(exec_(9, "/usr/bin/goose", "up"), IDENTIFIER)
    assert asked.variables == {*PROXIES, "CLAUDECODE", "GOOSE_MODE", "GOOSE_ALL", "GOOSE_URL"}
    assert asked.state == ("~/.goose",)
    assert (asked.program, asked.exe, asked.uid) == ("/usr/bin/goose", "/usr/bin/goose", 1000)
    assert (asked.process, asked.file.ino) == (at(9), 4711)


@pytest.mark.parametrize(
    ("line", "exe", "typed", "program", "of_module"),
    [
        ("goose", "/opt/goose", None, "/opt/goose", (None, None)),
        ("node cli.js", "/usr/bin/node", None, "/home/alice/src/cli.js", (None, None)),
        ("node", "/usr/bin/node", None, "/usr/bin/node", (None, None)),
        ("ld-linux-x86-64.so.2 ./x", "/lib/ld-linux-x86-64.so.2", None,
         "/home/alice/src/./x", (None, None)),
        ("python -m aider.main", "/usr/bin/python3.11", "venv/bin/python", None,
         ("aider", "/home/alice/src/venv/bin/python")),
    ],
)  # fmt: skip
def test_the_package_is_asked_for_of_what_really_runs(
    line: str, exe: str, typed: str | None, program: str | None, of_module: tuple[str, str]
) -> None:
    """An interpreter came in a package too, which is not meant."""
    asked = look(exec_(9, *line.split(), exe=exe, typed=typed), IDENTIFIER)
    assert (asked.program, (asked.module, asked.python)) == (program, of_module)


def test_files_are_looked_for_by_their_bytes() -> None:
    """The text for a byte is also another file's name."""
    fact = exec_(9, "node", r"\xff/cli.js", exe="/usr/bin/node", cwd=r"/src/\xfe")
    by = spelling(b"/usr/bin/node", b"/src/\xfe", None, (b"node", b"\xff/cli.js"))
    asked = look(replace(fact, spelling=by), IDENTIFIER)
    assert (asked.program, asked.exe) == ("/src/\udcfe/\udcff/cli.js", "/usr/bin/node")
    assert look(fact, IDENTIFIER).program == r"/src/\xfe/\xff/cli.js"


def test_a_typed_name_that_is_gone_leaves_the_file() -> None:
    """Of what ran before, nobody knows how it was called."""
    fact = exec_(9, "python", "-m", "aider", exe="/usr/bin/python3.11", cwd=None)
    assert look(replace(fact, name_typed=None), IDENTIFIER).python == "/usr/bin/python3.11"


def test_all_that_a_process_and_its_children_do_waits() -> None:
    """Whatever it is, in the order in which it came."""
    waiting, start = Waiting(), exec_(9, "/usr/bin/goose")
    assert waiting.begin(start)
    others: list[Fact] = [
        fork(9, 10),
        exec_(10, "/bin/true", root=9),
        resolved(9, "api.example.com", "192.0.2.1"),
        connect(9, "192.0.2.1"),
        connect(9, "192.0.2.1", late=True),
        hello(9, "192.0.2.1", "api.example.com"),
        close(9, "192.0.2.1"),
        exit_(9),
    ]
    assert [waiting.hold(one) for one in others] == [True] * len(others)
    assert waiting.end(at(9)) == [replace(start, over=True), *others]
    assert waiting.end(at(9)) == []


def test_what_starts_somebody_whose_end_waits_too_is_over() -> None:
    """Who is ended for what it is has to be there by then."""
    waiting, start = Waiting(), exec_(9, "/usr/bin/goose")
    gone, stays = fork(9, 10), fork(9, 11)
    image = exec_(10, "/bin/true", root=9)
    end = exit_(10, root=9)
    waiting.begin(start)
    assert [waiting.hold(one) for one in (gone, stays, image, end)] == [True] * 4
    over = [replace(gone, over=True), stays, replace(image, over=True), end]
    assert waiting.end(at(9)) == [start, *over]


def test_what_is_about_others_does_not_wait() -> None:
    """Nor what was there before the sensor, nor what is about nobody."""
    waiting = Waiting()
    waiting.begin(exec_(9, "/usr/bin/goose"))
    for fact in (
        exec_(10, "/bin/true"),
        exec_(11, "/bin/true", root=9, late=True),
        connect(10, "192.0.2.1", root=0),
        Loss(at_ns=1, what="exit", count=1),
        Seen(at_ns=1, process=at(9)),
        replace(exec_(11, "/bin/x", root=9, late=True), signals=Signal.CONTENT),
    ):
        assert not waiting.hold(fact)
    assert waiting.hold(replace(exec_(9, "/bin/x", late=True), signals=Signal.CONTENT))


def test_more_of_a_stranger_waits_with_the_first() -> None:
    """Strangers have no root, and are known by themselves."""
    waiting = Waiting()
    first = replace(connect(9, "192.0.2.1"), root=at(0))
    assert waiting.begin(first)
    assert not waiting.begin(first)
    assert waiting.hold(replace(hello(9, "192.0.2.1", None), root=at(0)))
    assert len(waiting.end(at(9))) == 2


def test_nobody_waits_for_ever() -> None:
    """A look at a dead disk is done without."""
    waiting, start = Waiting(), exec_(9, "/usr/bin/goose")
    assert waiting.overdue(start.at_ns) is None
    waiting.begin(start)
    assert waiting.overdue(start.at_ns + PATIENCE_NS) is None
    assert waiting.overdue(start.at_ns + PATIENCE_NS + 1) == at(9)


def test_there_is_room_for_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of processes, and of facts: then the oldest is judged by what the kernel told."""
    monkeypatch.setattr(looking, "PEOPLE", 1)
    monkeypatch.setattr(looking, "HELD", 2)
    waiting = Waiting()
    assert waiting.begin(exec_(9, "/usr/bin/goose"))
    assert not waiting.begin(exec_(11, "/usr/bin/goose"))
    assert waiting.hold(fork(9, 10))
    assert waiting.overdue(9 * SECOND) == at(9)
    waiting.end(at(9))
    assert waiting.begin(exec_(11, "/usr/bin/goose"))
