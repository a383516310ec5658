# SPDX-License-Identifier: Apache-2.0
"""Logs of package managers say what was done, when, and to which version."""

from __future__ import annotations

from support.homes import NOON_NS, npm_index, npm_log

from sensor.core.audit import logs
from sensor.core.audit.logs import Noted
from sensor.core.audit.words import Shows


def test_the_command_of_npm_stands_near_the_top_of_its_log() -> None:
    """What cannot be read as words is none."""
    assert logs.npm_argv(npm_log("i", "-g", "a b").splitlines()) == ["npm", "i", "-g", "a b"]
    assert logs.npm_argv(['7 verbose argv "unbalanced']) == []
    assert logs.npm_argv(["x"] * 100 + ["7 verbose argv i"]) == []


def test_a_tarball_in_npms_cache_is_a_download() -> None:
    """Metadata is not: `npm view` and every dependent fetch it."""
    assert list(logs.npm_index(npm_index("@google/gemini-cli", "0.61.0").splitlines())) == [
        Noted("@google/gemini-cli", Shows.DOWNLOADED, NOON_NS, "0.61.0")
    ]
    base = "make-fetch-happen:request-cache:https://r.example/mirror/npm/cline/-/cline-3.0.65.tgz"
    for time in ("-1", "true", '"x"', "null"):
        (one,) = logs.npm_index([f'h\t{{"key": "{base}", "time": {time}}}', "", "h\t[]", "h\t{"])
        assert one == Noted("cline", Shows.DOWNLOADED, None, "3.0.65")


def test_the_command_of_pipx_stands_in_its_log() -> None:
    """Other lines do not."""
    lines = ["    1.0ms (setup:1): 2026-11-25", "  81.1ms (setup:2): /usr/bin/pipx uninstall llm"]
    assert logs.pipx_command(lines) == ["/usr/bin/pipx", "uninstall", "llm"]
    assert logs.pipx_command(["nothing"]) == []


def test_dpkg_knows_what_is_there_and_what_was() -> None:
    """Of a removed package its configuration may be left."""
    text = """\
Package: codex
Status: install ok installed
Version: 1.2-3
Description: x
 Package: indented

Package: gone
Status: deinstall ok config-files

Package: half
Status: install ok half-configured
"""
    assert list(logs.dpkg_status(text.splitlines())) == [
        Noted("codex", Shows.INSTALLED, None, "1.2-3"), Noted("gone", Shows.REMOVED, None, None),
    ]  # fmt: skip


def test_dpkgs_log_has_a_line_for_each_act() -> None:
    """Of a removal the version that was there."""
    lines = [
        "2026-11-25 12:00:00 install codex:amd64 <none> 1.2-3",
        "2026-11-25 12:00:01 status installed codex:amd64 1.2-3",
        "2026-11-25 12:00:02 remove codex:amd64 1.2-3 <none>",
        "2026-99-25 12:00:02 purge codex 1.2-3 <none>",
    ]
    assert list(logs.dpkg_log(lines)) == [
        Noted("codex", Shows.WAS_INSTALLED, NOON_NS, "1.2-3"),
        Noted("codex", Shows.REMOVED, NOON_NS + 2 * 10**9, "1.2-3"),
        Noted("codex", Shows.REMOVED, None, "1.2-3"),
    ]


def test_apt_tells_of_several_at_a_time() -> None:
    """The time stands above."""
    lines = [
        "",
        "Start-Date: 2026-11-25  12:00:00",
        "Install: codex:amd64 (1.2-3, automatic), xy:all (2)",
        "Remove: yz:amd64 (1)",
    ]
    assert list(logs.apt_history(lines)) == [
        Noted("codex", Shows.WAS_INSTALLED, NOON_NS, "1.2-3"),
        Noted("xy", Shows.WAS_INSTALLED, NOON_NS, "2"),
        Noted("yz", Shows.REMOVED, NOON_NS, "1"),
    ]


def test_dnfs_log_names_packages_with_versions() -> None:
    """With the zone of the host."""
    lines = [
        "2026-11-25T13:00:00+0100 SUBDEBUG Installed: claude-code-2.1.0-1.x86_64",
        "2026-11-25T12:00:00Z SUBDEBUG Erase: claude-code-2.1.0-1.x86_64",
        "2026-11-25T12:00:00Z INFO --- logging initialized ---",
    ]
    assert list(logs.rpm_log(lines)) == [
        Noted("claude-code", Shows.WAS_INSTALLED, NOON_NS, "2.1.0"),
        Noted("claude-code", Shows.REMOVED, NOON_NS, "2.1.0"),
    ]
