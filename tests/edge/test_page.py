# SPDX-License-Identifier: Apache-2.0
"""A page is whole, its owner's, and holds no markup but its own."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import TYPE_CHECKING

import jinja2
import pytest
from support.full import ROOM_BYTES, small_disk

from sensor.edge import page
from sensor.errors import BadInputError, ExitCode, SensorError

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert('x')</script>\"'><img src=x onerror=alert(1)>&{{ 7 * 7 }}"
AUDIT = {
    "title": HOSTILE, "where": HOSTILE, "version": "1", "made_at": "now", "left": [HOSTILE],
    "figures": [{"value": HOSTILE, "name": HOSTILE}],
    "found": [
        {
            "tool": HOSTILE, "user": HOSTILE, "home": HOSTILE, "state": "installed",
            "certainty": HOSTILE, "first_seen": "-", "last_used": "-", "versions": HOSTILE,
            "left_out": 2,
            "traces": [{"at": HOSTILE, "kind": HOSTILE, "shows": HOSTILE, "path": HOSTILE,
                        "note": HOSTILE}],
        }
    ],
}  # fmt: skip


class _Tags(HTMLParser):
    """Collects elements and attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.names: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.names |= {name for name, _ in attrs}


def test_no_text_is_markup() -> None:
    """Neither in an element nor in an attribute, nor for the templates themselves."""
    text = page.page("audit.html", AUDIT)
    tags = _Tags()
    tags.feed(text)
    assert not tags.tags & {"script", "img", "link", "iframe", "object"}
    assert not {name for name in tags.names if name.startswith("on")} | (tags.names & {"src"})
    assert "{{ 7 * 7 }}" in text
    assert "default-src 'none'" in text


def test_a_name_that_is_missing_is_an_error() -> None:
    """A page with a blank would say that there is nothing."""
    with pytest.raises(jinja2.UndefinedError):
        page.page("audit.html", {name: value for name, value in AUDIT.items() if name != "found"})


def test_a_page_is_written_whole_for_its_owner(tmp_path: Path) -> None:
    """Over one that was there; a surrogate does not stop it."""
    path = tmp_path / "x.html"
    path.write_text("before")
    page.write(path, "after \udcff")
    assert path.read_text() == "after \\udcff"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """With a remedy."""
    with pytest.raises(BadInputError, match="name a file in a folder of yours"):
        page.write(tmp_path / "no/x.html", "x")


@pytest.mark.kernel
def test_a_full_disk_is_said_to_be_full(tmp_path: Path) -> None:
    """The page before stays, nothing of the new one does, and the place is not to blame."""
    with small_disk(tmp_path / "disk") as disk:
        path = disk / "page.html"
        page.write(path, "first")
        with pytest.raises(SensorError, match="No space left on device; make room") as problem:
            page.write(path, "x" * ROOM_BYTES)
        assert problem.value.exit_code is ExitCode.FAILED
        assert path.read_text("utf-8") == "first"
        assert list(disk.iterdir()) == [path]


def test_a_page_that_cannot_take_its_place_leaves_nothing(tmp_path: Path) -> None:
    """A folder has its name."""
    (tmp_path / "page.html").mkdir()
    with pytest.raises(BadInputError, match="name a file"):
        page.write(tmp_path / "page.html", "text")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
