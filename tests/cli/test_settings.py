# SPDX-License-Identifier: Apache-2.0
"""The configuration as commands take it: the file that is named, or the one in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from sensor.cli import settings as module
from sensor.cli.settings import scope_of, settings
from sensor.core.config import Config
from sensor.errors import BadInputError


def test_the_usual_file_may_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is read where it is there, and one that is named goes before it."""
    usual, named = tmp_path / "usual.toml", tmp_path / "named.toml"
    monkeypatch.setattr(module, "DEFAULT", usual)
    assert settings(None) == Config()
    assert scope_of(None, None) is None
    usual.write_text('scope = "/a"\n', "utf-8")
    named.write_text('scope = "/b"\n', "utf-8")
    assert scope_of(None, None) == Path("/a")
    assert scope_of(named, None) == Path("/b")


def test_a_scope_that_is_named_needs_no_configuration(tmp_path: Path) -> None:
    """Where that is broken, it is the way out."""
    broken = tmp_path / "config.toml"
    broken.write_text("scope =\n", "utf-8")
    assert scope_of(broken, Path("/c")) == Path("/c")
    with pytest.raises(BadInputError, match=r"config\.toml: Invalid value"):
        scope_of(broken, None)


def test_a_file_that_cannot_be_read_is_named_once(tmp_path: Path) -> None:
    """In words, with what to do: for whom it is missing, a folder, or no text."""
    missing, folder, binary = tmp_path / "missing", tmp_path / "folder", tmp_path / "binary"
    folder.mkdir()
    binary.write_bytes(b"\xff")
    for path, why in (
        (missing, "No such file or directory; name a readable file with --config"),
        (folder, "Is a directory; name a readable file with --config"),
        (binary, "byte 1 is no UTF-8; write it in UTF-8"),
    ):
        with pytest.raises(BadInputError) as refused:
            settings(path)
        assert str(refused.value) == f"{path}: {why}"
