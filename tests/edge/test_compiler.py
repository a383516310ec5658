# SPDX-License-Identifier: Apache-2.0
"""BCC, as far as the sensor trusts it: which functions became programs, and what was refused."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.kernel

TESTS = Path(__file__).resolve().parent.parent
TABLE = "BPF_HASH(table, u32, u64, 8);\n"


def compiled(text: str) -> subprocess.CompletedProcess[str]:
    """Compile and load a text in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "support.compiling"],
        cwd=TESTS,
        input=TABLE + text,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_functions_are_programs_and_inline_ones_are_not() -> None:
    """Maps are there at once."""
    said = compiled(
        "static inline int helper(void) { return 0; }\n"
        "int second(void *ctx) { return helper(); }\n"
        "int first(void *ctx) { return 0; }\n"
    )
    assert said.returncode == 0, said.stderr
    answer = json.loads(said.stdout)
    assert answer["programs"] == {"first": None, "second": None}
    assert answer["map"]


def test_a_program_that_the_verifier_refuses_is_named() -> None:
    """Its neighbours are loaded all the same."""
    said = compiled(
        "int good(void *ctx) { return 0; }\nint bad(void *ctx) { return *(int *)0x1234; }\n"
    )
    programs = json.loads(said.stdout)["programs"]
    assert programs["good"] is None
    assert programs["bad"].startswith("the kernel refused the program bad")


def test_a_text_that_is_no_program_is_an_error() -> None:
    """Clang tells where on stderr, the sensor tells that."""
    said = compiled("int broken(\n")
    assert said.returncode == 1
    assert "SensorError: the probes did not compile" in said.stderr
    assert "Traceback" not in said.stderr


def test_the_probes_are_the_same_where_symbols_are_hidden() -> None:
    """BCC writes older helpers instead, which a cgroup's programs may not call.

    The unit hides /proc/kallsyms, and shows no address in it to whom it takes CAP_SYSLOG from.
    """
    command = [sys.executable, "-m", "support.helper_calls"]
    hidden = [
        "unshare",
        "-m",
        "sh",
        "-c",
        'mount --bind /dev/null /proc/kallsyms && exec "$@"',
        "-",
    ]
    seen, unseen = (
        json.loads(subprocess.run(words, cwd=TESTS, check=True, stdout=subprocess.PIPE).stdout)
        for words in (command, hidden + command)
    )
    assert "seen_connect4" in seen
    assert unseen == seen
