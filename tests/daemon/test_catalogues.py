# SPDX-License-Identifier: Apache-2.0
"""The catalogue of a host is what is shipped, with its owner's files over it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sensor.daemon.catalogues import catalogue, read, shipped
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

TEXT = """version = 1
[[tool]]
id = "{0}"
name = "Corp's own"
vendor = "corp"
category = "client"
[[tool.facts]]
source = "ran 1"
names = ["{0}"]
"""


def test_without_files_it_is_what_is_shipped(tmp_path: Path) -> None:
    """A directory need not be there."""
    assert catalogue(tmp_path / "nowhere") == shipped()


def test_files_are_put_over_it_in_the_order_of_their_names(tmp_path: Path) -> None:
    """What does not end with .toml is none of them; one can be tried in another's place."""
    (tmp_path / "b.toml").write_text(TEXT.format("bee"))
    (tmp_path / "a.toml").write_text(TEXT.format("aye"))
    (tmp_path / "a.toml.new").write_text("not TOML")
    known = catalogue(tmp_path)
    assert [tool.id for tool in known.tools[-2:]] == ["aye", "bee"]
    other = tmp_path / "other" / "a.toml"
    other.parent.mkdir()
    other.write_text(TEXT.format("another"))
    tried = catalogue(tmp_path, instead=other)
    assert [tool.id for tool in tried.tools[-2:]] == ["another", "bee"]


def test_a_file_that_others_could_have_written_is_refused(tmp_path: Path) -> None:
    """It decides what is refused."""
    file = tmp_path / "a.toml"
    file.write_text(TEXT.format("aye"))
    file.chmod(0o666)
    with pytest.raises(BadInputError, match="others than root can change it"):
        catalogue(tmp_path)


@pytest.mark.parametrize(
    ("content", "why"), [(b"\xff", "write it in UTF-8"), (None, "name a file")]
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, content: bytes | None, why: str) -> None:
    """With the place and the remedy."""
    file = tmp_path / "a.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadInputError, match=why):
        read(file)
