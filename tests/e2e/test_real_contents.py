# SPDX-License-Identifier: Apache-2.0
"""The texts by which the catalogue knows programs are in these, and in no others."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.tools import installed

from sensor.core.content import Markers
from sensor.core.facts import File
from sensor.daemon.catalogues import catalogue
from sensor.daemon.contents import LARGE_BYTES
from sensor.edge.image_file import held_at, windows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.e2e

MARKERS = Markers(catalogue().tools)
SCRIPTS = Markers(replace(one, contents=one.scripts) for one in catalogue().tools)
ELF = b"\x7fELF"


def programs(folder: Path) -> Iterator[Path]:
    """Give the programs below a folder that would be looked into, each file once."""
    known = set()
    for path in sorted(folder.rglob("*")):
        if path.is_symlink() or not path.is_file():
            continue
        now = path.stat()
        if now.st_size < LARGE_BYTES or not now.st_mode & 0o111 or now.st_ino in known:
            continue
        known.add(now.st_ino)
        with path.open("rb") as file:
            if file.read(len(ELF)) == ELF:
                yield path


def inside(path: Path, markers: Markers = MARKERS) -> str | None:
    """Say which tool a program or script is by what it holds."""
    now = path.stat()
    file = File(dev=0, ino=now.st_ino, ctime_ns=now.st_ctime_ns, size_bytes=now.st_size)
    handle = held_at(str(path))
    assert handle is not None
    try:
        tool = markers.search(windows(handle, file))
    finally:
        os.close(handle)
    return tool.id if tool else None


@pytest.mark.parametrize(
    ("package", "tool"),
    [
        (tools.CLAUDE_CODE, "claude-code"),
        (tools.CODEX, "codex"),
        (tools.OPENCODE, "opencode"),
        (tools.NODE, None),
    ],
    ids=str,
)
def test_a_program_is_known_by_its_own_texts_alone(
    package: tools.Package, tool: str | None
) -> None:
    """Each large program that a package installs is that tool, or a helper that is none."""
    installed(package)
    found = {path.name: inside(path) for path in programs(package.folder)}
    assert found
    assert set(found.values()) <= {tool, None}
    assert tool in found.values()


def commands(package: tools.Package) -> Iterator[Path]:
    """Give the scripts that a package's manifests call its programs, those that it needs too."""
    installed(package)
    for manifest in sorted(package.folder.rglob("package.json")):
        given = json.loads(manifest.read_text("utf-8")).get("bin", ())
        for one in given.values() if isinstance(given, dict) else (given,) if given else ():
            path = manifest.parent / one
            if path.is_file() and path.suffix in {"", ".js", ".mjs", ".cjs"}:
                yield path


@pytest.mark.parametrize(
    ("package", "tool"),
    [
        (tools.CLAUDE_CODE_1, "claude-code"),
        (tools.GEMINI_CLI, "gemini-cli"),
        (tools.QWEN_CODE, "qwen-code"),
        (tools.NODE, None),
    ],
    ids=lambda one: getattr(one, "program", one),
)
def test_a_script_is_known_by_its_own_texts_alone(package: tools.Package, tool: str | None) -> None:
    """The command of each tool is that tool, and what it brings along is none; npm neither."""
    found = {path: inside(path, SCRIPTS) for path in commands(package)}
    assert set(found.values()) <= {tool, None}
    assert tool in found.values()
    if tool:
        assert inside(installed(package).resolve(), SCRIPTS) == tool
