# SPDX-License-Identifier: Apache-2.0
"""Names of packages are read out of rpm's database, and out of nothing else."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from sensor.edge.audit_root import Root
from sensor.edge.audit_rpm import PLACES, names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# As rpm 4.18 makes them.
TABLES = """
CREATE TABLE 'Packages' (hnum INTEGER PRIMARY KEY AUTOINCREMENT,blob BLOB NOT NULL);
CREATE TABLE 'Name' (key 'TEXT' NOT NULL, hnum INTEGER NOT NULL, idx INTEGER NOT NULL,
    FOREIGN KEY (hnum) REFERENCES 'Packages'(hnum));
INSERT INTO Packages VALUES (1, x'00'), (2, x'00');
INSERT INTO Name VALUES ('claude-code', 1, 0), ('bash', 2, 0), (x'ff', 2, 0);
"""


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    """Open a root with a folder for the database."""
    (tmp_path / PLACES[0]).mkdir(parents=True)
    root = Root(tmp_path)
    yield root
    root.close()


def test_installed_packages_have_names(tmp_path: Path, root: Root) -> None:
    """What is no text is none."""
    file = tmp_path / PLACES[0] / "rpmdb.sqlite"
    with closing(sqlite3.connect(file)) as database:
        database.executescript(TABLES)
    assert list(names(root, PLACES[0])) == ["claude-code", "bash"]
    assert [one.name for one in file.parent.iterdir()] == ["rpmdb.sqlite"]


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\x00" + bytes(5000)])
def test_what_is_no_database_has_none(tmp_path: Path, root: Root, content: bytes) -> None:
    """Whatever lies there."""
    (tmp_path / PLACES[0] / "rpmdb.sqlite").write_bytes(content)
    assert list(names(root, PLACES[0])) == []


def test_without_a_database_there_is_none(tmp_path: Path, root: Root) -> None:
    """Nor through a link."""
    (tmp_path / PLACES[0] / "rpmdb.sqlite").symlink_to("/etc/passwd")
    assert list(names(root, PLACES[0])) == list(names(root, PLACES[1])) == []
