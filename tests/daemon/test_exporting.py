# SPDX-License-Identifier: Apache-2.0
"""Nothing is exported that is not configured, and nothing exported stops the daemon."""

from __future__ import annotations

import selectors
import subprocess
import sys
from pathlib import Path

import pytest

from sensor.core.config import Config
from sensor.core.event import Event, Kind
from sensor.core.metrics import Readings
from sensor.daemon.exporting import TEXTFILE_S, Exporting

ROOT = Path(__file__).resolve().parents[2]
EVENT = Event(
    v=1, seq=7, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=1,
    kind=Kind.SESSION_START, tool="codex",
)  # fmt: skip


def read() -> Readings:
    """Say how a daemon stands."""
    return Readings(
        started_s=1.0, sessions=0, unstored=0, store_bytes=0, store_works=True, readers=0,
        skipped=0, undelivered=0,
    )  # fmt: skip


@pytest.fixture
def said() -> list[str]:
    """Give the operator's log."""
    return []


def test_by_default_there_is_nothing(said: list[str]) -> None:
    """No socket, no file, no reason to wake."""
    with selectors.DefaultSelector() as selector:
        exporting = Exporting(Config(), read, say=said.append)
        exporting.register(selector)
        exporting.tell([EVENT], now_ns=1)
        exporting.turn()
        assert exporting.timeout() is None
        assert exporting.undelivered == 0
        assert not selector.get_map()
        exporting.close()
    assert not said


def test_by_default_the_library_is_not_imported() -> None:
    """It costs 5 MB."""
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "from sensor.core.config import Config\n"
        "from sensor.daemon.exporting import Exporting\n"
        "Exporting(Config(), None, say=print)\n"
        "sys.exit('prometheus_client' in sys.modules)"
    )
    subprocess.run([sys.executable, "-I", "-c", code], check=True)


def test_a_file_is_written_at_once_and_then_in_its_time(tmp_path: Path, said: list[str]) -> None:
    """It goes with the daemon, since nobody else would say that it is down."""
    path = tmp_path / "x.prom"
    exporting = Exporting(Config(metrics_textfile=str(path)), read, say=said.append)
    exporting.tell([EVENT], now_ns=1)
    assert exporting.timeout() == 0.0
    exporting.turn()
    assert 'tool="codex"' in path.read_text("utf-8")
    path.unlink()
    exporting.turn()
    assert not path.exists()
    left = exporting.timeout()
    assert left is not None
    assert TEXTFILE_S - 5 < left <= TEXTFILE_S
    path.touch()
    exporting.close()
    assert not path.exists()


def test_a_file_that_cannot_be_written_is_told_once(tmp_path: Path, said: list[str]) -> None:
    """And tried again; what is told again is a new failure."""
    folder = tmp_path / "folder"
    exporting = Exporting(Config(metrics_textfile=f"{folder}/x.prom"), read, say=said.append)
    for there, lines in ((False, 1), (False, 1), (True, 1), (False, 2)):
        if there:
            folder.mkdir()
        elif folder.exists():
            (folder / "x.prom").unlink()
            folder.rmdir()
        exporting._due_s = 0  # noqa: SLF001  # instead of waiting for it
        exporting.turn()
        assert len(said) == lines
    assert said[0].startswith("metrics cannot be written: ")


def test_an_endpoint_is_watched_by_the_loop(said: list[str]) -> None:
    """Which then has a socket more."""
    config = Config(metrics_listen=("127.0.0.1", 0))
    with selectors.DefaultSelector() as selector:
        exporting = Exporting(config, read, say=said.append)
        exporting.register(selector)
        assert len(selector.get_map()) == 1
        assert exporting.timeout() is None
        exporting.close()
        assert not selector.get_map()
