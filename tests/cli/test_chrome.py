# SPDX-License-Identifier: Apache-2.0
"""Progress is for people who wait: on a terminal, now and then, and gone at the end."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from support.recorded import recorded

from sensor.cli import chrome
from sensor.core.away import Gone

if TYPE_CHECKING:
    import pytest

TOLD = recorded()


class Terminal(io.StringIO):
    """Text that goes to somebody's eyes."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_on_a_terminal_it_counts_and_wipes_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is printed next begins at the left."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(chrome, "EVERY_S", 0)
    assert list(chrome.counted(TOLD[:2])) == list(TOLD[:2])
    assert terminal.getvalue() == ("\r\x1b[Kreading event 1\r\x1b[Kreading event 2\r\x1b[K")


def test_what_takes_no_time_shows_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that comes and goes at once only distracts."""
    terminal = Terminal()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(chrome, "EVERY_S", 3600)
    assert len(list(chrome.counted(TOLD))) == len(TOLD)
    assert terminal.getvalue() == ""


def test_elsewhere_there_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    """A log file wants no counts."""
    with chrome.progress("verified event") as show:
        show(4711)
    assert capsys.readouterr() == ("", "")


def test_a_remark_has_times_like_the_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr."""
    chrome.remark(Gone("2026-11-23T14:03:07.512Z"))
    assert capsys.readouterr() == ("", "daemon is away since 14:03:07; waiting for it\n")
