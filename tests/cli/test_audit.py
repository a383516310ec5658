# SPDX-License-Identifier: Apache-2.0
"""What ``audit`` prints, and what it says on stderr."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.homes import CLAUDE, SECRET, npm_package, plant
from support.recorded import recorded, stored

from sensor.cli import cli
from sensor.daemon.reading import STORE
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Return a home with two tools in it, and a secret."""
    return plant(tmp_path / "home", {
        CLAUDE: npm_package("@anthropic-ai/claude-code", "2.1.330"),
        ".bash_history": f"#1795608000\nclaude -p {SECRET}\n",
        "src/QWEN.md": SECRET,
    })  # fmt: skip


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that others can reach; pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="agent-sensor-test-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def run(*arguments: str) -> Result:
    """Run the command."""
    result = CliRunner().invoke(cli, ["audit", "--no-sessions", *arguments])
    assert SECRET not in result.output
    return result


def test_a_table_has_a_line_for_each_tool(home: Path) -> None:
    """And with --traces one for each trace; what it is all about is on stderr."""
    result = run("--home", str(home))
    head, first, second = result.stdout.splitlines()
    assert head.split()[:4] == ["user", "home", "tool", "state"]
    assert " claude-code  installed  certain " in first
    assert " qwen-code    hinted     weak " in second
    assert result.stderr == "2 tools found in 1 home, 9 names\n"
    traced = run("--home", str(home), "--traces").stdout
    assert "    2026-11-25T12:00:00Z  used            history " in traced


def test_json_is_one_list(home: Path) -> None:
    """With the names of docs/audit.md."""
    found = json.loads(run("--home", str(home), "--json").stdout)
    assert [one["tool"] for one in found] == ["claude-code", "qwen-code"]
    assert {"user", "home", "tool", "state", "first_seen", "last_used", "certainty", "versions",
            "traces"} <= set(found[0])  # fmt: skip
    assert found[0]["home"] == str(home)
    assert found[0]["last_used"] == "2026-11-25T12:00:00Z"
    assert json.loads(run("--home", str(home), "--tool", "aider", "--json").stdout) == []


def test_csv_has_a_row_for_each_tool(home: Path) -> None:
    """Under its heads."""
    rows = list(csv.DictReader(run("--home", str(home), "--csv").stdout.splitlines()))
    assert [(row["tool"], row["versions"]) for row in rows] == [
        ("claude-code", "2.1.330"), ("qwen-code", ""),
    ]  # fmt: skip


def test_a_page_is_written_and_nothing_printed(home: Path, tmp_path: Path) -> None:
    """It holds the traces."""
    page = tmp_path / "found.html"
    assert run("--home", str(home), "--html", str(page)).stdout == ""
    text = page.read_text()
    assert "installed" in text
    assert str(home / ".bash_history") in text
    assert SECRET not in text


def test_since_leaves_out_what_is_older(home: Path) -> None:
    """A seq is no time here."""
    assert "claude-code" in run("--home", str(home), "--since", "2026-11-01").stdout
    for path in home.rglob("*"):
        os.utime(path, ns=(0, 0))
    assert "qwen-code" not in run("--home", str(home), "--since", "2026-11-01").stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--json", "--csv"), "give one"),
        (("--since", "17"), "--since 17: expected a time"),
        (("--tool", "x"), "--tool x: no such tool; agent-sensor catalog ls lists them"),
        (("--user", "no-such-user"), "--user no-such-user: nobody has a home"),
        (("--root", "/no/such"), "--root /no/such: No such file or directory"),
    ],
)
def test_what_is_wrong_is_named(arguments: tuple[str, ...], message: str) -> None:
    """With a remedy."""
    problem = run("--home", "/nowhere", *arguments).exception
    assert isinstance(problem, BadInputError)
    assert message in str(problem)


def test_sessions_are_joined(home: Path, tmp_path: Path) -> None:
    """What the sensor saw run is certain; who has no home here is told too."""
    state = tmp_path / "state"
    state.mkdir()
    stored(state / STORE, recorded())
    image = tmp_path / "image"
    plant(image, {"etc/passwd": "", "home/x/y": ""})
    places = ["--run-dir", str(state), "--state-dir", str(state)]
    result = CliRunner().invoke(cli, ["audit", "--no-contents", "--home", str(home), *places])
    assert "no daemon at" in result.stderr
    assert "aider" not in result.stdout  # alice's home was not asked for
    lone = ["audit", "--root", str(image), "--json", *places]
    assert json.loads(CliRunner().invoke(cli, lone).stdout) == []  # an image has no sensor


def test_without_a_store_that_is_said(home: Path, tmp_path: Path) -> None:
    """The rest is told all the same."""
    places = ["--run-dir", str(tmp_path), "--state-dir", str(tmp_path)]
    result = CliRunner().invoke(cli, ["audit", "--home", str(home), *places])
    assert "no sessions to join" in result.stderr
    assert "claude-code" in result.stdout


def test_whoever_may_not_read_sees_what_he_may(open_folder: Path) -> None:
    """Without root: one's own home, and how much was closed."""
    home = plant(open_folder / "h", {CLAUDE: npm_package("@anthropic-ai/claude-code"), "c/x": ""})
    for path in (home, *home.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    (home / "c").chmod(0)
    done = subprocess.run(
        [sys.executable, "-I", "-m", "sensor", "audit", "--no-sessions", "--home", str(home)],
        user=NOBODY, group=NOBODY, extra_groups=[], capture_output=True, text=True, check=False,
        cwd="/",
    )  # fmt: skip
    if "No module named" in done.stderr or "Permission denied" in done.stderr:
        pytest.skip("this checkout is closed to others")
    assert "claude-code  installed" in done.stdout, done.stderr
    assert "not looked at: 1 place that could not be read" in done.stderr
