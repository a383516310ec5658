# SPDX-License-Identifier: Apache-2.0
"""``block`` as responders type it; tests/kernel/test_policy.py has what it does."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sensor.cli import block as module
from sensor.cli import cli
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEPT: dict[str, object] = {
    "id": "runtime-3", "tools": ["claude-code", "codex"], "sessions": [], "users": ["alice"],
    "endpoints": [], "ticket": "INC-7", "reason": "leak\x1b[2J", "message": None,
    "expires": "2027-01-31T18:00:00Z",
}  # fmt: skip


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, object]]]:
    """Stand in for the daemon; gives what it was asked."""
    requests: list[dict[str, object]] = []

    def ask(_run_dir: Path, do: str, **arguments: object) -> dict[str, object]:
        requests.append({"do": do, **arguments})
        return {"blocks": [KEPT]} if do == "block_ls" else {**KEPT, "remark": "only shadow"}

    monkeypatch.setattr(module, "_ask", ask)
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    yield requests
    monkeypatch.undo()
    time.tzset()


def test_a_block_is_asked_for_with_its_end(asked: list[dict[str, object]]) -> None:
    """``--for`` counts from now; what the daemon remarks goes to stderr."""
    argv = ["block", "add", "--tool", "claude-code", "--user", "alice", "--ticket", "INC-7"]
    before = datetime.now(UTC).replace(microsecond=0)
    done = CliRunner().invoke(cli, [*argv, "--for", "4h"])
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(
        "runtime-3 blocks tool claude-code or codex, user alice until 2027-01-31T18:00:00Z"
    )
    assert "only shadow" in done.stderr
    [one] = asked
    end = datetime.fromisoformat(str(one.pop("expires")))
    assert timedelta(hours=4) <= end - before < timedelta(hours=4, minutes=1)
    assert one == {
        "do": "block_add", "tools": ["claude-code"], "users": ["alice"], "sessions": [],
        "endpoints": [], "ticket": "INC-7", "reason": None, "message": None,
    }  # fmt: skip


def test_an_end_may_be_a_time(asked: list[dict[str, object]]) -> None:
    """With an offset, or else UTC, wherever this host is; a session is named by its id."""
    argv = ["block", "add", "--session", "uimgkfb4", "--ticket", "T", "--json"]
    for until in "2027-01-31T18:00+01:00", "2027-01-31T18:00":
        done = CliRunner().invoke(cli, [*argv, "--until", until])
        said = json.loads(done.stdout)
        assert (said["id"], said["remark"]) == ("runtime-3", "only shadow")
        assert "only shadow" in done.stderr
    assert asked[0]["expires"] == "2027-01-31T17:00:00Z"
    assert asked[0]["sessions"] == ["uimgkfb4"]
    assert asked[1]["expires"] == "2027-01-31T18:00:00Z"


@pytest.mark.parametrize(
    ("ends", "why"),
    [
        ([], "give an end: --for 4h"),
        (["--for", "4h", "--until", "2027-01-31"], "give one end, --for or --until: not both"),
        (["--for", "4h", "--until", ""], "not both"),
        (["--for", "soon"], "--for 'soon': expected a number and m, h or d"),
        (["--until", "soon"], "--until 'soon': no time"),
    ],
)
def test_an_end_that_is_none_is_an_error(
    ends: list[str], why: str, asked: list[dict[str, object]]
) -> None:
    """Nothing is asked of the daemon then."""
    done = CliRunner().invoke(cli, ["block", "add", "--tool", "x", "--ticket", "T", *ends])
    assert isinstance(done.exception, SensorError)
    assert why in str(done.exception)
    assert asked == []


def test_blocks_are_listed_and_removed(asked: list[dict[str, object]]) -> None:
    """Quoted for people; JSON is one object a line."""
    listed = CliRunner().invoke(cli, ["block", "ls"]).stdout.splitlines()
    assert listed[0].split() == ["ID", "ENDS", "TICKET", "BLOCKS", "REASON"]
    assert "tool claude-code or codex, user alice" in listed[1]
    assert "  2027-01-31T18:00:00Z  " in listed[1]
    assert listed[1].endswith(r'"leak\x1b[2J"')
    assert json.loads(CliRunner().invoke(cli, ["block", "ls", "--json"]).stdout) == KEPT
    assert CliRunner().invoke(cli, ["block", "rm", "runtime-3"]).stdout == "removed runtime-3\n"
    assert asked[-1] == {"do": "block_rm", "id": "runtime-3"}


def test_without_a_daemon_it_says_so(tmp_path: Path) -> None:
    """And what to do."""
    done = CliRunner().invoke(cli, ["block", "ls", "--run-dir", str(tmp_path)])
    assert "no daemon at" in str(done.exception)
