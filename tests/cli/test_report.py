# SPDX-License-Identifier: Apache-2.0
"""``report`` writes one page that tells of a time, and says whether the store is as it was."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner
from support.case_events import FOUND, refusals
from support.recorded import framed, recorded, stored
from support.serving import Serving

from sensor.cli import cli
from sensor.daemon.reading import STORE
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.event import Event

TITLE = "Case 17 <script>alert(1)</script>"


class Page(HTMLParser):
    """A page's text, headings, elements and attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.words: list[str] = []
        self._is_style = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.tags.add(tag)
        self._is_style = tag == "style"
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        """Note text that is shown."""
        if not self._is_style:
            self.words.append(data)

    @property
    def text(self) -> str:
        """All text, as it is read."""
        return " ".join(" ".join(self.words).split())


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """Return a folder with a store of a morning, and of what an audit found."""
    last = recorded()[-1].seq
    stored(tmp_path / STORE, [*recorded(), _at(last + 1)])
    return tmp_path


def _at(seq: int) -> Event:
    return replace(FOUND, seq=seq, at=recorded()[-1].at)


def written(state: Path, *arguments: str) -> Page:
    """Write a report and read it."""
    file = state / "report.html"
    places = ["--run-dir", str(state), "--state-dir", str(state)]
    result = CliRunner().invoke(cli, ["report", str(file), *arguments, *places])
    assert result.exit_code == 0, (result.output, result.exception)
    assert result.stdout == ""
    return Page(file.read_text("utf-8"))


def test_a_page_tells_of_all(state: Path) -> None:
    """Sessions, trees, connections, findings, gaps, and the seals."""
    page = written(state, "--since", "0", "--title", TITLE)
    for part in (
        "Case 17 <script>alert(1)</script>", "3 sessions", "claude-code · alice",
        "Nothing was blocked", "api.anthropic.com", "/usr/bin/make -j2", "known by name claude",
        "installed", "3 exec lost", "the sensor was not running", "intact", "and 3 more",
        r"\x1b[31m\u202e",
    ):  # fmt: skip
        assert part in page.text, part
    assert "svg" in page.tags


def test_a_page_needs_nothing_and_runs_nothing(state: Path) -> None:
    """No script, no image, no link, no style from elsewhere, whatever processes were called."""
    page = written(state, "--since", "0", "--title", TITLE)
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "form", "a"}
    assert not page.attributes & {"src", "href", "style", "onload", "onerror"}
    assert "http://" not in page.text
    assert "https://" not in page.text


def test_a_case_is_about_what_was_asked_for(state: Path) -> None:
    """Gaps are everybody's."""
    page = written(state, "--since", "0", "--tool", "aider")
    assert "aider · alice" in page.text
    assert "claude-code · alice" not in page.text
    assert "the sensor was not running" in page.text


def test_what_was_refused_is_on_the_page(tmp_path: Path) -> None:
    """With rule, way and what it says to people; policy and health are everybody's."""
    stored(tmp_path / STORE, refusals())
    page = written(tmp_path, "--since", "0", "--tool", "codex")
    for part in (
        "1 attempt blocked", "block lsm no-codex Use qwen.", "BLOCKED (lsm) by no-codex",
        "block not refused no-codex", "in force, generation 1", "enforcement FAILS",
    ):  # fmt: skip
        assert part in page.text, part
    assert "by names" not in page.text
    assert "BLOCKED (tls) by names" in written(tmp_path, "--since", "0").text


def test_a_store_that_was_changed_is_said_to_be(state: Path) -> None:
    """In a word, with the first event."""
    with closing(sqlite3.connect(state / STORE)) as store, store:
        store.execute("UPDATE events SET uid = 0 WHERE seq = 5")
    page = written(state, "--since", "0")
    assert "broken" in page.text
    assert "intact" not in page.text


def test_an_empty_time_is_a_page_too(state: Path) -> None:
    """It says that there was nothing."""
    page = written(state, "--since", "2026-12-30")
    assert "No session in this time." in page.text
    assert "svg" not in page.tags


def test_whoever_cannot_read_the_store_is_told_so(tmp_path: Path) -> None:
    """The daemon tells the rest."""
    live = tmp_path / "live"
    live.mkdir()
    file = live / "r.html"
    with Serving(live, framed(recorded())):
        arguments = ["report", str(file), "--since", "0", "--run-dir", str(live)]
        result = CliRunner().invoke(cli, [*arguments, "--state-dir", str(live)])
    assert result.exit_code == 0, result.exception
    page = Page(file.read_text("utf-8"))
    assert "the seals were not checked" in page.text
    assert "3 sessions" in page.text


def test_a_session_that_is_not_stored_is_refused(state: Path) -> None:
    """A page that is empty would say that nothing happened."""
    file = state / "report.html"
    places = ["--run-dir", str(state), "--state-dir", str(state)]
    asked = ["report", str(file), "--since", "0", "--session", "nope", *places]
    problem = CliRunner().invoke(cli, asked).exception
    assert isinstance(problem, BadInputError)
    assert str(problem).startswith("session nope: no event of it is stored; ")
    assert not file.exists()


def test_a_file_that_cannot_be_written_is_named(state: Path) -> None:
    """With a remedy."""
    places = ["--run-dir", str(state), "--state-dir", str(state)]
    file = str(state / "no" / "x.html")
    problem = CliRunner().invoke(cli, ["report", file, "--since", "0", *places]).exception
    assert isinstance(problem, BadInputError)
    assert "name a file in a folder of yours" in str(problem)
