# SPDX-License-Identifier: Apache-2.0
"""What the commands of ``catalog`` print, and what they put where."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result

from sensor.cli import catalog, cli
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from pathlib import Path

CORP = """version = 1
[[tool]]
id = "corp-client"
name = "Corp's own"
vendor = "corp"
category = "client"
[[tool.facts]]
source = "ran 1"
names = ["corp-client"]
state = ["~/.corp"]
"""


def ask(*words: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli, ["catalog", *words])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give the directory of an owner, with nothing in it."""
    folder = tmp_path / "catalog.d"
    folder.mkdir()
    return folder


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a file that adds a tool."""
    file = tmp_path / "corp.toml"
    file.write_text(CORP)
    return file


def test_tools_are_listed_and_services_counted(folder: Path) -> None:
    """Those of the owner's too, behind the ones that are shipped."""
    (folder / "corp.toml").write_text(CORP)
    done = ask("ls", f"--catalog-dir={folder}")
    rows = done.stdout.splitlines()
    assert rows[0].split()[:2] == ["ID", "NAME"]
    assert rows[-1].startswith("corp-client")
    assert "docs only" in next(row for row in rows if row.startswith("goose"))
    assert "services; digest " in done.stderr
    told = json.loads(ask("ls", "--json", f"--catalog-dir={folder}").stdout)
    assert len(told["tools"]) == len(rows) - 1
    assert any(one["id"] == "anthropic" for one in told["endpoints"])


def test_each_fact_of_an_entry_is_shown_with_its_source(folder: Path) -> None:
    """Of a service, its hosts."""
    (folder / "corp.toml").write_text(CORP)
    shown = ask("show", "corp-client", f"--catalog-dir={folder}").stdout
    assert "state  ~/.corp" in shown
    assert "ran 1" in shown
    [name] = [line for line in ask("show", "codex").stdout.splitlines() if "shared_names" in line]
    assert name.split()[:3] == ["shared_names", "codex", "shared"]
    told = json.loads(ask("show", "anthropic", "--json").stdout)
    assert "api.anthropic.com" in told["hosts"]
    assert isinstance(ask("show", "nobody").exception, BadInputError)
    assert str(ask("show", "claud-code").exception) == (
        "catalog show: 'claud-code' is not known; did you mean 'claude-code'?"
        " Otherwise see agent-sensor catalog ls"
    )


def test_mistakes_are_found_as_the_file_would_be_taken(folder: Path, file: Path) -> None:
    """By themselves, and beside what is there."""
    assert ask("check", str(file), f"--catalog-dir={folder}").stdout.startswith(
        "well-formed: 1 tool"
    )
    file.write_text(CORP.replace("corp-client", "claude"))
    refused = str(ask("check", str(file), f"--catalog-dir={folder}").exception)
    assert refused.startswith(f"{file}:2: tool 'claude': name: 'claude' is taken by ")
    assert re.search(r"/catalogue/\S+\.toml:\d+: tool 'claude-code'; remove one, or make", refused)
    other = file.rename(file.with_suffix(".txt"))
    assert "its name does not end with .toml" in str(ask("check", str(other)).exception)


@pytest.mark.parametrize("key", ["scripts", "contents"])
def test_texts_that_are_wrong_are_found_with_their_place(
    folder: Path, file: Path, key: str
) -> None:
    """One that is too short has its line; too many have the file."""
    file.write_text(f'{CORP}{key} = ["too short"]\n')
    assert str(ask("check", str(file), f"--catalog-dir={folder}").exception).startswith(
        f"{file}:7: tool 'corp-client', facts 1: {key}: 'too short' is not valid; write 12 to 64 "
    )
    file.write_text(f"{CORP}{key} = {[f'{number:064}' for number in range(1200)]}\n")
    refused = str(ask("check", str(file), f"--catalog-dir={folder}").exception)
    assert refused.startswith(f"{file}: the texts of `contents` and `scripts` are too many")


def test_an_update_holds_from_the_next_start_where_no_daemon_runs(
    folder: Path, file: Path, tmp_path: Path
) -> None:
    """In a directory that may have to be made, and for all to read."""
    place = folder / "new"
    done = ask("update", str(file), f"--catalog-dir={place}", f"--run-dir={tmp_path}")
    assert (done.exit_code, "no daemon runs" in done.stderr) == (0, True)
    assert (place / "corp.toml").read_text() == CORP
    assert (place / "corp.toml").stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("before", [None, "version = 1\n"])
def test_what_the_daemon_does_not_take_is_not_left_there(
    folder: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str | None
) -> None:
    """The file that was there is there again."""

    def refuses(_run_dir: Path) -> dict[str, object]:
        raise SensorError("the policy names a tool that is gone")

    monkeypatch.setattr(catalog, "_reload", refuses)
    place = folder / "corp.toml"
    if before:
        place.write_text(before)
    done = ask("update", str(file), f"--catalog-dir={folder}", f"--run-dir={tmp_path}")
    assert "names a tool that is gone" in str(done.exception)
    assert (place.read_text() if place.exists() else None) == before


def test_what_the_daemon_goes_by_is_said(
    folder: Path, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its digest, which `status` has too."""
    monkeypatch.setattr(catalog, "_reload", lambda _run_dir: {"tools": 53, "digest": "abc"})
    done = ask("update", str(file), f"--catalog-dir={folder}", f"--run-dir={tmp_path}")
    assert done.stdout.endswith("in force: 53 tools, digest abc\n")
