# SPDX-License-Identifier: Apache-2.0
"""The journal first, syslog where there is none; and neither holds anybody up."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from sensor.core.event import Event, Kind
from sensor.edge.forward import Forward

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

START, QUIET = (
    Event(v=1, seq=7, boot_id="b", host="h", at="2026-11-23T14:03:07.512345678Z", at_ns=1,
          kind=kind)
    for kind in (Kind.SESSION_START, Kind.EXIT)
)  # fmt: skip


def listen(path: Path) -> socket.socket:
    """Be a log."""
    path.unlink(missing_ok=True)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind(str(path))
    log.settimeout(5)
    return log


@pytest.fixture
def forward(tmp_path: Path) -> Iterator[Forward]:
    """Give the one under test, with logs below the test's own folder."""
    forward = Forward(journal=tmp_path / "journal", syslog=tmp_path / "log")
    yield forward
    forward.close()


def test_the_journal_comes_first(forward: Forward, tmp_path: Path) -> None:
    """It gets fields; syslog would tell it the same once more."""
    with listen(tmp_path / "journal") as journal, listen(tmp_path / "log") as log:
        forward.send([QUIET, START])
        assert journal.recv(9999).startswith(b"MESSAGE=14:03:07.512")
        log.setblocking(False)  # noqa: FBT003  # the socket's own interface
        with pytest.raises(BlockingIOError):
            log.recv(9999)
    assert forward.undelivered == 0


def test_syslog_is_used_where_there_is_no_journal(forward: Forward, tmp_path: Path) -> None:
    """With this process's id."""
    with listen(tmp_path / "log") as log:
        forward.send([START])
        assert f"agent-sensor[{os.getpid()}]: 14:03:07.512" in log.recv(9999).decode()


def test_a_log_that_is_not_there_is_counted(forward: Forward, tmp_path: Path) -> None:
    """And used as soon as it is; what the log does without is not counted."""
    forward.send([START, QUIET, START])
    assert forward.undelivered == 2
    with listen(tmp_path / "journal") as journal:
        forward.send([START])
        assert journal.recv(9999)
    assert forward.undelivered == 2


def test_a_log_that_is_started_anew_is_found_again(forward: Forward, tmp_path: Path) -> None:
    """Not one message is lost over it."""
    with listen(tmp_path / "log") as log:
        forward.send([START])
        assert log.recv(9999)
    with listen(tmp_path / "log") as log:
        forward.send([START])
        assert log.recv(9999)
    assert forward.undelivered == 0


def test_a_log_that_does_not_read_holds_nobody_up(forward: Forward, tmp_path: Path) -> None:
    """What does not fit is counted, and what fitted arrives."""
    with listen(tmp_path / "journal") as journal:
        forward.send([START] * 5000)
        assert 0 < forward.undelivered < 5000
        taken = sum(1 for _ in range(5000 - forward.undelivered) if journal.recv(9999))
    assert taken + forward.undelivered == 5000


def test_closing_twice_is_closing_once(forward: Forward, tmp_path: Path) -> None:
    """And what comes later opens it again."""
    with listen(tmp_path / "journal") as journal:
        forward.send([START])
        forward.close()
        forward.close()
        forward.send([START])
        assert journal.recv(9999) == journal.recv(9999)
