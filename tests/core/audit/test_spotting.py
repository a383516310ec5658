# SPDX-License-Identifier: Apache-2.0
"""Most names are passed over for a look-up; what is worth a look is not."""

from __future__ import annotations

import pytest
from support.homes import shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.spotting import Spotter, is_session, is_skipped

HOME, SYSTEM = Spotter(Atlas(shipped())), Spotter(Atlas(shipped()), in_home=False)


@pytest.mark.parametrize(
    "name",
    ["codex", "cline", ".claude", "CLAUDE.md", ".bash_history", ".claude.json", "settings.json"],
)
def test_a_name_is_asked_for_in_homes(name: str) -> None:
    """By its last part."""
    assert name in HOME.names


def test_the_system_has_other_names() -> None:
    """State and shells are a home's."""
    assert "crontab" in SYSTEM.names
    assert ".claude" not in SYSTEM.names
    assert SYSTEM.lead("usr/local/lib/node_modules", "cline")
    assert HOME.lead("", ".claude")
    assert not SYSTEM.lead("usr", "x")


@pytest.mark.parametrize(
    ("folder", "whole"),
    [
        (".npm/_logs", True),
        (".npm/_cacache/index-v5/aa/bb", True),
        (".vscode-server/extensions", True),
        (".local/share/claude/versions", True),
        ("src", False),
        ("", False),
    ],
)
def test_in_some_folders_every_name_counts(folder: str, whole: bool) -> None:  # noqa: FBT001
    """They hold names that nobody can know."""
    assert HOME.whole(folder) is whole


def test_of_the_systems_folders_some_count_as_a_whole() -> None:
    """Where packages are noted."""
    assert SYSTEM.whole("var/lib/dpkg/info")
    assert not SYSTEM.whole("usr/local/bin")


@pytest.mark.parametrize("path", ["src/.git/objects", ".npm/_cacache/content-v2", "x/__pycache__"])
def test_some_folders_hold_much_and_nothing(path: str) -> None:
    """They are not gone into."""
    assert is_skipped(path)
    assert not is_skipped(f"{path}x")


@pytest.mark.parametrize(
    ("path", "session"),
    [("projects/a/1.json", True), ("x.jsonl", True), ("sessions/2026/a", True), ("a.json", False)],
)
def test_a_session_log_is_known_by_its_place(path: str, session: bool) -> None:  # noqa: FBT001
    """It is not opened."""
    assert is_session(path) is session
