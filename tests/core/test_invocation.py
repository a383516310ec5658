# SPDX-License-Identifier: Apache-2.0
"""What an interpreter runs is read from its arguments as the interpreter reads them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import CATALOGUE, exec_

from sensor.core.invocation import Invocation, invocation

KINDS = {one.name: one.kind for one in CATALOGUE.interpreters}

NOTHING = Invocation()
SCRIPT = Invocation(script="x.js")
PYTHON = Invocation(script="x.py")
AIDER = Invocation(module="aider")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("git status", NOTHING),
        ("node", NOTHING),
        ("node x.js -p hi", SCRIPT),
        ("node --no-warnings x.js", SCRIPT),
        ("node --max-old-space-size=8192 x.js", SCRIPT),
        ("node -r ./hook.js --import tsx x.js", SCRIPT),
        ("node --require=./hook.js x.js", SCRIPT),
        ("node -- x.js", SCRIPT),
        ("node --", NOTHING),
        ("node inspect x.js", SCRIPT),
        ("node inspect inspect", Invocation(script="inspect")),
        ("node -e 1 x.js", NOTHING),
        ("node --eval 1", NOTHING),
        ("node -pe 1 x.js", NOTHING),
        ("node --require", NOTHING),
        ("node -", NOTHING),
        ("bun x.js", SCRIPT),
        ("bun run x.js", SCRIPT),
        ("bun --bun run --cwd sub x.js", SCRIPT),
        ("bun x codex", Invocation(script="codex")),
        ("bun repl", NOTHING),
        ("deno run --allow-net -c deno.json x.js", SCRIPT),
        ("deno x.js", SCRIPT),
        ("deno eval 1", NOTHING),
        ("python3.11", NOTHING),
        ("python3.11 x.py -m aider", PYTHON),
        ("python3.11 -u -W ignore -X dev x.py", PYTHON),
        ("python3.11 -Wignore -Xdev x.py", PYTHON),
        ("python3.11 -IBW ignore x.py", PYTHON),
        ("python3.11 --check-hash-based-pycs always x.py", PYTHON),
        ("python3.11 -- x.py", PYTHON),
        ("python3.11 --", NOTHING),
        ("python3.11 -", NOTHING),
        ("python3.11 --version x.py", NOTHING),
        ("python3.11 --unheard-of x.py", PYTHON),
        ("python3.11 -c pass x.py", NOTHING),
        ("python3.11 -Icpass x.py", NOTHING),
        ("python3.11 -m aider --yes", AIDER),
        ("python3.11 -maider", AIDER),
        ("python3.11 -Im aider", AIDER),
        ("python3.11 -m", NOTHING),
        ("ld-linux-x86-64.so.2 ./claude -p hi", Invocation(program="./claude")),
        (
            "ld-linux-x86-64.so.2 --argv0 cc1 --library-path /lib:/lib64 ./claude",
            Invocation(program="./claude"),
        ),
        ("ld-linux-x86-64.so.2 --inhibit-cache ./claude", Invocation(program="./claude")),
        ("ld-linux-x86-64.so.2 --list ./claude", NOTHING),
        ("ld-linux-x86-64.so.2 --verify ./claude", NOTHING),
        ("ld-linux-x86-64.so.2", NOTHING),
        (
            "ld-linux-x86-64.so.2 /opt/node -r a.js x.js",
            Invocation(program="/opt/node", script="x.js"),
        ),
        (
            "ld-linux-x86-64.so.2 python3.11 -m aider",
            Invocation(program="python3.11", module="aider"),
        ),
        (
            "ld-linux-x86-64.so.2 ld-linux-x86-64.so.2 ./claude",
            Invocation(program="ld-linux-x86-64.so.2"),
        ),
    ],
)
def test_the_arguments_name_what_runs(line: str, expected: Invocation) -> None:
    """Options and their values are passed over as each interpreter does it."""
    argv = line.split(" ")
    assert invocation(exec_(9, *argv, exe=f"/usr/bin/{argv[0]}"), KINDS) == expected


def test_the_resolved_file_names_the_interpreter() -> None:
    """argv[0] is anyone's guess."""
    fact = exec_(9, "innocent", "x.js", exe="/usr/bin/node")
    assert invocation(fact, KINDS) == SCRIPT
    fact = exec_(9, "node", "x.js", exe="/usr/bin/innocent")
    assert invocation(fact, KINDS) == NOTHING


def test_a_script_with_an_unknown_interpreter_is_what_was_typed() -> None:
    """``#!/usr/bin/env node``: the first image is env, whose arguments nobody reads."""
    fact = exec_(
        9,
        *("/usr/bin/env", "node", "/usr/local/bin/codex"),
        typed="/usr/local/bin/codex",
        exe="/usr/bin/env",
        interpreter="/usr/bin/env",
    )
    assert invocation(fact, KINDS) == Invocation(script="/usr/local/bin/codex")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/usr/bin/python3.11 /opt/bin/aider --yes", Invocation(script="/opt/bin/aider")),
        ("/usr/bin/python3.11 -maider /opt/bin/innocent", AIDER),
        ("/usr/bin/python3.11", Invocation(script="/opt/bin/aider")),
    ],
)
def test_a_script_is_what_its_interpreter_makes_of_it(line: str, expected: Invocation) -> None:
    """``#!/usr/bin/python3.11 -maider`` runs the module; unread arguments leave the name."""
    fact = exec_(
        9,
        *line.split(" "),
        typed="/opt/bin/aider",
        exe="/usr/bin/python3.11",
        interpreter="/usr/bin/python3.11",
    )
    assert invocation(fact, KINDS) == expected


@given(st.lists(st.text()), st.sampled_from(sorted(KINDS)))
def test_any_arguments_are_read(argv: list[str], name: str) -> None:
    """What runs is one of the arguments, or nothing."""
    found = invocation(exec_(9, *argv, exe=f"/bin/{name}", typed="/bin/x"), KINDS)
    assert found.script is None or found.script in argv
    assert found.program is None or found.program in argv
