# SPDX-License-Identifier: Apache-2.0
"""Lines of histories have the time that the shell noted, or none."""

from __future__ import annotations

from sensor.core.audit.histories import bash, fish, zsh

AT_NS = 1_795_608_000_000_000_000


def test_bash_notes_the_time_before_the_line() -> None:
    """A comment that is no time is a line; several lines can be of one time."""
    lines = ["ls", "#1795608000", "claude", "codex", "#17", "x"]
    assert list(bash(lines)) == [
        (None, "ls"), (AT_NS, "claude"), (AT_NS, "codex"), (AT_NS, "#17"), (AT_NS, "x"),
    ]  # fmt: skip


def test_zsh_notes_it_in_the_line() -> None:
    """Where it does."""
    assert list(zsh([": 1795608000:12;claude -p", "ls"])) == [(AT_NS, "claude -p"), (None, "ls")]


def test_fish_notes_it_after_the_command() -> None:
    """A command without a time counts too, also the last one."""
    lines = ["- cmd: ls", "- cmd: claude", "  when: 1795608000", "  paths:", "    - x", "- cmd: q"]
    assert list(fish(lines)) == [(None, "ls"), (AT_NS, "claude"), (None, "q")]
    assert list(fish(["  when: 1795608000"])) == []
