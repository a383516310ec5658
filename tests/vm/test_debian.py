# SPDX-License-Identifier: Apache-2.0
"""Root file systems from the cache."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from vm import debian
from vm.mirror import UnavailableError

if TYPE_CHECKING:
    from pathlib import Path

# Stands for mmdebstrap: packs a root with one file that names the suite, the last argument but
# those of the mirror.
MAKES = """#!/bin/sh
set -e
echo asked >>{calls}
for word; do case "$word" in */root.tar) archive=$word ;; esac; done
cd {folder} && mkdir -p root && echo made >root/made && tar -C root -cf "$archive" made
"""
FAILS = """#!/bin/sh
echo asked >>{calls}
echo "E: Failed to fetch mirror://example/x  404 Not Found"
exit 100
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the path of what stands for mmdebstrap, which is to be written."""
    monkeypatch.setattr(debian, "repository", lambda suite: f"mirror://example/{suite}")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    return tmp_path / "mmdebstrap"


def write(program: Path, text: str) -> Path:
    """Write the program; give the file that counts its calls."""
    calls = program.parent / "calls"
    program.write_text(text.format(calls=calls, folder=program.parent))
    program.chmod(0o755)
    return calls


def test_a_root_is_made_once_for_the_same_packages(mirror: Path, tmp_path: Path) -> None:
    """In whatever order they are named; others make another one."""
    calls = write(mirror, MAKES)
    for number, packages in enumerate([["a", "b"], ["b", "a", "a"], ["a"]]):
        debian.unpack("bookworm", packages, tmp_path / f"root-{number}", tmp_path / "cache")
        assert (tmp_path / f"root-{number}/made").read_text() == "made\n"
    assert calls.read_text().splitlines() == ["asked"] * 2


def test_an_old_root_serves_where_the_mirror_does_not(
    mirror: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is told why; the address is not."""
    write(mirror, MAKES)
    debian.unpack("bookworm", ["a"], tmp_path / "first", tmp_path / "cache")
    [archive] = (tmp_path / "cache/debian").glob("*.tar")
    then = time.time() - debian.FRESH_S - 60
    os.utime(archive, (then, then))
    write(mirror, FAILS)
    debian.unpack("bookworm", ["a"], tmp_path / "second", tmp_path / "cache")
    assert (tmp_path / "second/made").exists()
    said = capsys.readouterr().out
    assert "404 Not Found; takes an older one" in said
    assert "example" not in said


def test_a_root_that_cannot_be_had_is_an_error(mirror: Path, tmp_path: Path) -> None:
    """Nothing half made stays in the cache."""
    write(mirror, FAILS)
    with pytest.raises(UnavailableError, match=r"mmdebstrap failed: .*404 Not Found"):
        debian.unpack("bookworm", ["a"], tmp_path / "root", tmp_path / "cache")
    assert list((tmp_path / "cache/debian").iterdir()) == []


def test_a_disk_holds_what_the_folder_does(tmp_path: Path) -> None:
    """Owners and modes included, which debugfs reads without a mount."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "secret").write_text("x")
    (root / "secret").chmod(0o640)
    debian.disk(root, tmp_path / "disk", "8M")
    shown = subprocess.run(
        ["/sbin/debugfs", "-R", "stat secret", tmp_path / "disk"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert "Mode:  0640" in shown
