# SPDX-License-Identifier: Apache-2.0
"""What the commands that look back print, over one recorded morning.

GOLDEN=write in the environment writes the files of ``golden`` anew.
"""

from __future__ import annotations

import csv
import json
import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.recorded import framed, recorded, stored
from support.serving import Serving

from sensor.cli import cli
from sensor.core.columns import FLAT
from sensor.core.form import as_dict
from sensor.daemon.reading import STORE
from sensor.errors import BadInputError, ExitCode, NoDaemonError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "golden"
TOLD = recorded()
ALL = ("--since", "0")
SHOWN = {
    "tail": ("tail", "--no-follow"),
    "tail-all": ("tail", "--no-follow", *ALL, "--all-children"),
    "tail-newest": ("tail", "--no-follow", "-n", "3", "--tool", "claude-code"),
    "tail-window": ("tail", "--no-follow", "--since", "30", "--until", "36", "--all-children"),
    "tail-seq": ("tail", "--no-follow", "-n", "3", "--seq", "--all-children"),
    "tail-color": ("tail", "--no-follow", "-n", "6", "--color", "always"),
    "sessions": ("sessions", *ALL),
    "sessions-show": ("sessions", "show", "awyyzsd3"),
    "sessions-show-unfolded": ("sessions", "show", "awyyzsd3", "--unfolded"),
    "query": ("query", *ALL, "--kind", "connect", "--kind", "close"),
    "query-by": ("query", *ALL, "--by", "tool,user"),
    "query-by-exe": ("query", *ALL, "--by", "exe", "-n", "3"),
    "query-csv": ("query", *ALL, "--format", "csv", "--user", "1000", "--kind", "exec"),
    "query-by-csv": ("query", *ALL, "--by", "endpoint,name", "--format", "csv"),
    "explain-exec": ("explain", "2"),
    "explain-gap": ("explain", "41"),
}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the recorded events in a store, and no daemon."""
    folder = tmp_path_factory.mktemp("state")
    stored(folder / STORE, TOLD)
    return folder


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return a folder with a daemon's hub that has the same events."""
    folder = tmp_path_factory.mktemp("live")
    with Serving(folder, framed(TOLD)):
        yield folder


def run(folder: Path, *arguments: str) -> Result:
    """Run a command on what is in a folder."""
    places = ["--run-dir", str(folder)]
    if arguments[0] != "status":
        places += ["--state-dir", str(folder)]
    return CliRunner().invoke(cli, [*arguments, *places], prog_name="agent-sensor")


def shown(folder: Path, *arguments: str) -> str:
    """Return what a command prints, and see that it went well."""
    result = run(folder, *arguments)
    assert result.exit_code == 0, (result.output, result.exception)
    return result.stdout


def refused(folder: Path, *arguments: str) -> SensorError:
    """Return why a command ends."""
    problem = run(folder, *arguments).exception
    assert isinstance(problem, SensorError), problem
    return problem


@pytest.mark.parametrize("name", SHOWN)
def test_the_output_is_as_it_was_reviewed(state: Path, name: str) -> None:
    """A change shows as a diff of the golden file."""
    file = GOLDEN / f"{name}.txt"
    output = shown(state, *SHOWN[name])
    if os.environ.get("GOLDEN") == "write":
        file.write_text(output, "utf-8")
    assert file.exists(), f"{file} is missing: run the tests once with GOLDEN=write"
    assert output == file.read_text("utf-8")


def test_golden_files_are_of_commands_that_are_run() -> None:
    """None is left behind."""
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(SHOWN)


@pytest.mark.parametrize("name", sorted(set(SHOWN) - {"sessions", "sessions-show-unfolded"}))
def test_a_daemon_tells_the_same_as_its_store(state: Path, live: Path, name: str) -> None:
    """Whoever asks need not know which of them answers."""
    assert shown(live, *SHOWN[name]) == shown(state, *SHOWN[name])


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_hostile_reaches_the_terminal(state: Path, name: str) -> None:
    """Of what processes chose; colour is the printer's own."""
    output = shown(state, *SHOWN[name])
    if name == "tail-color":
        output = re.sub(r"\x1b\[[0-9;]*m", "", output)
    assert all(character == "\n" or character.isprintable() for character in output)


def test_remarks_are_on_stderr(state: Path, live: Path) -> None:
    """So that data can be piped; that the daemon answers is worth no word."""
    assert run(state, "tail", "--no-follow").stderr.startswith("no daemon at ")
    assert run(live, "tail", "--no-follow").stderr == ""
    assert run(live, "query", *ALL, "--by", "exe", "-n", "3").stderr == "4 more with fewer events\n"
    assert run(live, "query", *ALL, "-n", "2").stderr == "there are more: go on with --since 3\n"


def test_json_has_the_names_of_the_stream(live: Path) -> None:
    """One object a line, the same from tail and query."""
    lines = shown(live, "query", *ALL, "--json").splitlines()
    assert [json.loads(line) for line in lines] == [as_dict(event) for event in TOLD]
    tail = shown(live, "tail", "--no-follow", *ALL, "--json", "--all-children").splitlines()
    assert tail == lines
    assert lines == shown(live, "query", *ALL, "--format", "json").splitlines()


def test_csv_is_read_by_others(live: Path) -> None:
    """One record an event, under the names of the stream."""
    records = list(csv.DictReader(shown(live, "query", *ALL, "--format", "csv").splitlines()))
    assert len(records) == len(TOLD)
    assert list(records[0]) == list(FLAT)
    assert [int(record["seq"]) for record in records] == [event.seq for event in TOLD]


def test_groups_can_be_json(live: Path) -> None:
    """Absent is null."""
    lines = shown(live, "query", *ALL, "--by", "tool", "--json").splitlines()
    assert {json.loads(line)["tool"] for line in lines} == {"claude-code", "codex", "aider", None}


def test_nothing_found_is_no_table(live: Path) -> None:
    """And no error."""
    assert shown(live, "query", *ALL, "--by", "tool", "--tool", "nope") == ""
    assert shown(live, "query", "--since", "1h", "--until", "30m") == ""


def test_what_runs_is_known_by_the_daemon(state: Path, live: Path) -> None:
    """The recorded boot is not that of the hub: no session of it runs."""
    assert shown(live, "sessions", *ALL, "--running") == ""
    rows = [json.loads(line) for line in shown(state, "sessions", *ALL, "--json").splitlines()]
    assert [row["state"] for row in rows] == ["ended", "ended", "end not seen"]
    told = json.loads(shown(live, "sessions", "show", "awyyzsd3", "--json"))
    assert told["session"] == "awyyzsd3"
    assert [tree["pid"] for tree in told["trees"]] == [10]


def test_options_hold_before_and_after_a_word(state: Path) -> None:
    """The places of ``sessions`` are those of ``sessions show``."""
    places = ["--run-dir", str(state), "--state-dir", str(state)]
    before = CliRunner().invoke(cli, ["sessions", *places, "show", "awyyzsd3"])
    assert before.exit_code == 0
    assert before.stdout == shown(state, "sessions", "show", "awyyzsd3")


def test_an_explanation_can_be_json(live: Path) -> None:
    """With the catalogue that comes with the sensor."""
    told = json.loads(shown(live, "explain", "2", "--json"))
    assert told["seq"] == 2
    assert told["evidence"][0]["weight"] == 0.9


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("tail", "--since", "yesterday"), '--since yesterday: expected "10m"'),
        (("query", "--since", "9", "--until", "8"), "--since is after --until"),
        (("query", *ALL, "--by", "tools"), "--by 'tools': expected tool, vendor"),
        (("query", *ALL, "--by", "tool", "--wall"), "--wall is for lines of events"),
        (("query", *ALL, "--by", "tool", "--seq"), "--seq is for lines of events"),
        (("tail", "--no-follow", "--since", "4711"), "seq 4711 is yet to come"),
        (("sessions", "show", "nope"), "session nope: no event of it is stored"),
        (("explain", "4711"), "event 4711 is not stored"),
    ],
)
def test_a_mistake_is_a_sentence(live: Path, arguments: tuple[str, ...], why: str) -> None:
    """With what to write, and exit code 5."""
    problem = refused(live, *arguments)
    assert isinstance(problem, BadInputError)
    assert str(problem).startswith(why)


@pytest.mark.parametrize("command", ["tail", "query", "sessions", "status"])
def test_without_daemon_and_store_there_is_nothing_to_read(tmp_path: Path, command: str) -> None:
    """With how to start one."""
    assert isinstance(refused(tmp_path, command), NoDaemonError)


def test_times_can_be_those_of_the_wall(state: Path) -> None:
    """With the date, in this host's zone."""
    command = ("tail", "--no-follow", "-n", "1", "--wall", "--run-dir", state, "--state-dir", state)
    done = subprocess.run(
        [sys.executable, "-m", "sensor", *command],
        env={**os.environ, "TZ": "Europe/Berlin"},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.startswith(
        "2026-11-23 15:01:01.000+01:00  j353jvw7  aider         connect  "
    )


def test_the_state_is_told_with_its_exit_code(live: Path) -> None:
    """The host and its newest event first."""
    result = run(live, "status")
    assert result.exit_code == ExitCode.OK
    assert result.stdout.splitlines() == [
        "fine",
        "host        build-7",
        "boot id     b",
        f"newest seq  {TOLD[-1].seq}",
        "mode        observe",
    ]
    assert json.loads(run(live, "status", "--json").stdout)["mode"] == "observe"


def test_verify_proves_a_store_and_finds_what_was_changed(tmp_path: Path) -> None:
    """The seal that it names can be given back to it."""

    def verify(*arguments: str) -> Result:
        return CliRunner().invoke(cli, ["verify", "--state-dir", str(tmp_path), *arguments])

    stored(tmp_path / STORE, [event for event in TOLD if event.seq > 4])
    intact = verify()
    assert intact.exit_code == ExitCode.OK
    first, second, third = intact.stdout.splitlines()
    assert first == "intact: 40 events from 1 to 44"
    assert second == "not stored, and declared so: 4 events in 1 range"
    seal = third.removeprefix("seal ")
    assert json.loads(verify("--json").stdout) == {
        "intact": True,
        "first_seq": 1,
        "last_seq": 44,
        "events": 40,
        "holes": 1,
        "unstored": 4,
        "seal": seal,
    }
    assert verify("--known", seal).exit_code == ExitCode.OK
    assert verify("--known", f"2:{'0' * 64}").exit_code == ExitCode.DEGRADED
    assert isinstance(verify("--known", "seal").exception, BadInputError)

    with closing(sqlite3.connect(tmp_path / STORE)) as store, store:
        store.execute("UPDATE events SET user = 'mallory' WHERE seq = 31")
    broken = verify()
    assert broken.exit_code == ExitCode.DEGRADED
    assert broken.stdout.startswith("broken at event 31: ")
    told = json.loads(verify("--json").stdout)
    assert (told["intact"], told["first_seq"]) == (False, 31)


def test_verify_without_a_store_says_where_it_looked(tmp_path: Path) -> None:
    """And which option names another place."""
    result = CliRunner().invoke(cli, ["verify", "--state-dir", str(tmp_path)])
    assert isinstance(result.exception, BadInputError)
    assert "--state-dir" in str(result.exception)
