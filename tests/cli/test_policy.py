# SPDX-License-Identifier: Apache-2.0
"""What the commands of ``policy`` print, of one policy over one recorded morning.

GOLDEN=write in the environment writes the files of ``policy`` anew.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from support.host import UNPRIVILEGED
from support.recorded import recorded, stored

from sensor.cli import cli, policy
from sensor.core.mistakes import each
from sensor.daemon.reading import STORE
from sensor.edge import hubclient
from sensor.errors import BadInputError, ExitCode, NotPermittedError

if TYPE_CHECKING:
    from collections.abc import Iterator

GOLDEN = Path(__file__).parent / "policy"
TEXT = """\
version = 1
mode = "shadow"

[[rule]]
id = "no-external-agents"
tools = ["claude-code", "codex"]
users = ["1000", "no-such-user-here"]
verdict = "block"
message = "Claude Code is not approved here: https://wiki.example/ai"

[[rule]]
id = "again"
tools = ["codex"]
users = ["1000"]
mode = "enforce"
verdict = "alert"

[[rule]]
id = "approved-stays-inside"
tools = ["aider"]
verdict = "allow"
egress_only = ["llm.corp.example:443", "10.20.0.0/16:443"]

[[rule]]
id = "no-vendor-traffic"
endpoints = ["anthropic", "192.0.2.0/24"]
container = true
verdict = "block"

[[exception]]
rule = "no-external-agents"
users = ["1001"]
ticket = "SEC-1234"
reason = "vendor evaluation"
expires = 2027-01-31T00:00:00Z

[[exception]]
rule = "no-vendor-traffic"
users = ["1001"]
ticket = "SEC-1235"
expires = 2026-01-31T00:00:00Z
"""
AIDR = (
    "agent-sensor: policy.toml:18: rule 'approved-stays-inside': tools: 'aidr' is no tool of the"
    " catalogue"
)
SHOWN = {
    "check": ("check",),
    "show": ("show",),
    "test": ("test", "--since", "0"),
    "check-json": ("check", "--json"),
    "show-json": ("show", "--json"),
    "test-json": ("test", "--since", "0", "--json"),
}


@pytest.fixture(autouse=True)
def noon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the clock stand still."""
    monkeypatch.setattr(policy, "_now", lambda: datetime(2027, 1, 15, 12, tzinfo=UTC))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a policy and a store, and be in it."""
    (tmp_path / "policy.toml").write_text(TEXT, "utf-8")
    stored(tmp_path / STORE, recorded())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that everybody may look into."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def run(*arguments: str) -> Result:
    """Run a command on the policy of this folder."""
    word, *more = arguments
    places = ["--run-dir", "."] if word in {"show", "test"} else []
    places += ["--state-dir", "."] if word == "test" else []
    return CliRunner().invoke(
        cli, ["policy", word, "policy.toml", *more, *places], prog_name="agent-sensor"
    )


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize("name", SHOWN)
def test_the_output_is_as_it_was_reviewed(name: str) -> None:
    """Data first, then what is said beside it; a change shows as a diff of the golden file."""
    result = run(*SHOWN[name])
    assert result.exit_code == ExitCode.OK, result.exception
    output = f"{result.stdout}-- stderr\n{result.stderr}"
    file = GOLDEN / f"{name}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(output, "utf-8")
    assert file.exists(), f"{file} is missing: run the tests once with GOLDEN=write"
    assert output == file.read_text("utf-8")


def test_golden_files_are_of_commands_that_are_run() -> None:
    """None is left behind."""
    assert {file.stem for file in GOLDEN.glob("*.txt")} == set(SHOWN)


@pytest.mark.usefixtures("folder")
def test_what_is_said_is_in_the_json() -> None:
    """Each warning, under its name."""
    warnings = json.loads(run("check", "--json").stdout)["warnings"]
    assert "".join(f"{one}\n" for one in warnings) == run("check").stderr


@pytest.mark.usefixtures("folder")
def test_blocks_that_nobody_tells_are_said_to_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the policy, which is shown all the same."""

    def refuses(_path: Path) -> None:
        raise NotPermittedError("block_ls: for root alone; run it as root")

    monkeypatch.setattr(hubclient, "Connection", refuses)
    shown = run("show", "--json")
    assert json.loads(shown.stdout)["blocks"] is None
    assert "blocks that may be in force beside it are not shown: block_ls: " in shown.stderr


@contextmanager
def keeping(socket: Path) -> Iterator[SimpleNamespace]:
    """Stand in for a daemon that keeps another file than the usual one."""
    kept = {"file": str(socket.parent / "kept.toml"), "blocks": 0}
    yield SimpleNamespace(status=lambda: {"policy": kept})


def test_without_a_file_it_is_the_daemon_s(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For another than the one in force would tell of what does not hold."""
    monkeypatch.setattr(hubclient, "Connection", keeping)
    (folder / "policy.toml").rename(folder / "kept.toml")
    shown = CliRunner().invoke(cli, ["policy", "show", "--run-dir", str(folder)])
    assert shown.exit_code == ExitCode.OK, shown.exception
    assert "no-vendor-traffic" in shown.stdout


@pytest.mark.parametrize("word", ["check", "show", "test"])
def test_a_policy_that_is_none_is_refused(folder: Path, word: str) -> None:
    """With its line, and exit code 5; the store is not even looked for."""
    (folder / "policy.toml").write_text(TEXT.replace('["aider"]', '["aidr"]'), "utf-8")
    problem = run(word).exception
    assert isinstance(problem, BadInputError)
    assert problem.exit_code is ExitCode.BAD_INPUT
    assert str(problem).startswith(
        "policy.toml:18: rule 'approved-stays-inside': tools: 'aidr' is no tool of the catalogue; "
    )


def test_all_mistakes_are_shown_a_line_each(folder: Path) -> None:
    """On stderr, and nothing on stdout."""
    text = TEXT.replace('["aider"]', '["aidr"]').replace('verdict = "alert"', 'verdit = "alert"')
    (folder / "policy.toml").write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "sensor", "policy", "check", "policy.toml"],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    said = [line.split("; ") for line in done.stderr.splitlines()]
    assert [what for what, *_ in said] == [
        "agent-sensor: policy.toml:11: rule 'again': 'verdit': unknown key",
        "agent-sensor: policy.toml:11: rule 'again': verdict: is missing",
        AIDR,
    ]
    assert said[2][1].startswith("did you mean 'aider'? Otherwise write a tool")


def test_mistakes_can_be_json(folder: Path) -> None:
    """For programs, which get an object on stdout whatever the file is; the exit code stays."""
    text = TEXT.replace('["aider"]', '["aidr"]').replace('verdict = "alert"', 'verdict = "alrt"')
    for content, amount in (text, 2), (TEXT.replace('["aider"]', '["aidr"]'), 1), ("[", 1):
        (folder / "policy.toml").write_text(content, "utf-8")
        done = run("check", "--json")
        assert isinstance(done.exception, BadInputError)
        told = json.loads(done.stdout)
        assert (told["file"], told["warnings"]) == ("policy.toml", [])
        assert told["mistakes"] == each(done.exception)
        assert len(told["mistakes"]) == amount


def test_a_policy_that_the_kernel_cannot_hold_is_refused(folder: Path) -> None:
    """As it would be by a daemon."""
    rules = "".join(
        f'[[rule]]\nid = "r{n}"\nendpoints = ["x.test"]\nverdict = "block"\nusers = ["{n}"]\n'
        for n in range(33)
    )
    (folder / "policy.toml").write_text(f'version = 1\nmode = "observe"\n{rules}', "utf-8")
    problem = run("check").exception
    assert isinstance(problem, BadInputError)
    assert str(problem).startswith("policy.toml:163: rule 'r32': more than 32 rules")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "policy.toml: No such file or directory; name the file of a policy"),
        (b"\xff", "policy.toml: 'utf-8' codec can't decode byte 0xff in position 0"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(folder: Path, content: bytes | None, why: str) -> None:
    """With what is wrong with it."""
    (folder / "policy.toml").unlink()
    if content:
        (folder / "policy.toml").write_bytes(content)
    problem = run("check").exception
    assert isinstance(problem, BadInputError)
    assert str(problem).startswith(why)


CORP = """version = 1
[[tool]]
id = "corp-client"
name = "Corp's own"
vendor = "corp"
category = "client"
[[tool.facts]]
source = "ran 1"
names = ["corp-client"]
"""


@pytest.mark.parametrize("word", ["check", "show", "test"])
def test_a_tool_of_one_s_own_catalogue_can_be_named(folder: Path, word: str) -> None:
    """As the daemon takes it that is given the same directory."""
    own = folder / "catalog.d"
    own.mkdir()
    (own / "corp.toml").write_text(CORP, "utf-8")
    (folder / "policy.toml").write_text(TEXT.replace('["aider"]', '["corp-client"]'), "utf-8")
    assert isinstance(run(word).exception, BadInputError)
    result = run(word, "--catalog-dir", str(own))
    assert result.exit_code == ExitCode.OK, result.exception


@pytest.mark.parametrize("words", [("policy", "check"), ("policy", "show"), ("catalog", "check")])
def test_a_file_that_is_somebody_else_s_is_no_wrong_usage(
    open_folder: Path, words: tuple[str, ...]
) -> None:
    """Root could read it, or whoever owns it."""
    file = open_folder / "policy.toml"
    file.write_text(TEXT, "utf-8")
    file.chmod(0)
    by = UNPRIVILEGED if os.geteuid() == 0 else ()
    done = subprocess.run(
        [*by, sys.executable, "-m", "sensor", *words, file],
        check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (ExitCode.NOT_PERMITTED, "")
    assert done.stderr == f"agent-sensor: {file}: Permission denied; run it as root\n"


@pytest.mark.usefixtures("folder")
def test_nothing_is_refused_of_nothing() -> None:
    """No table, and it says so."""
    result = run("test", "--since", "2027-01-01")
    assert result.stdout == ""
    assert "0 of 0 attempts would have been refused\n" in result.stderr
