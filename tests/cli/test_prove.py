# SPDX-License-Identifier: Apache-2.0
"""`prove` as people and CI see it; what it does is tests/kernel/test_prove.py."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from sensor.cli import cli
from sensor.core.proof.technique import Result, Row
from sensor.daemon import bypassing
from sensor.errors import ExitCode, NoDaemonError, NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

GOOD = Row("one", Result.REFUSED, Result.REFUSED, "block by lsm, rule no")
BAD = Row("two", Result.REFUSED, Result.MISSED, "it went through")


def having(monkeypatch: pytest.MonkeyPatch, outcome: list[Row] | BaseException) -> None:
    """Have the attempts come to something without making them."""

    def prove(_run_dir: Path, *, show: Callable[[int], None]) -> list[Row]:
        show(1)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setattr(bypassing, "prove", prove)


@pytest.mark.parametrize(("rows", "code"), [([GOOD], ExitCode.OK), ([GOOD, BAD], 6)])
def test_ci_reads_json_and_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, rows: list[Row], code: int
) -> None:
    """One list, and nothing else on stdout."""
    having(monkeypatch, rows)
    done = CliRunner().invoke(cli, ["prove", "--json"])
    assert done.exit_code == code
    assert json.loads(done.stdout) == [row.as_dict() for row in rows]


def test_people_read_a_table_and_its_sum(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not as expected is named once more."""
    having(monkeypatch, [GOOD, BAD])
    done = CliRunner().invoke(cli, ["prove"])
    assert len(done.stdout.splitlines()) == 3
    assert "not as expected: two: missed, not refused" in done.stderr


def test_an_interruption_is_no_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    """It fails with a sentence."""
    having(monkeypatch, KeyboardInterrupt())
    done = CliRunner().invoke(cli, ["prove"])
    assert isinstance(done.exception, SensorError)
    assert "interrupted" in str(done.exception)


def test_it_is_for_root(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Others are told so before anything is tried."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(NotPermittedError, match="run it as root"):
        bypassing.prove(tmp_path, show=print)


def test_it_takes_a_daemon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without one there is no policy in force."""
    monkeypatch.setattr("os.geteuid", lambda: 0)
    with pytest.raises(NoDaemonError):
        bypassing.prove(tmp_path, show=print)
