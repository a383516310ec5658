# SPDX-License-Identifier: Apache-2.0
"""A script is found as its interpreter finds it, and looked at for all that says what it is."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.story import name, tool

from sensor.core.content import Markers
from sensor.core.scripts import Inside
from sensor.daemon.script_search import search_script
from sensor.wire.searches import Answer, Outcome, Place

if TYPE_CHECKING:
    from collections.abc import Callable

HOLDING = replace(tool("one", "v", name("one")), contents=("FIRST_MARKER", "SECOND_MARKER"))
MARKERS = Markers([HOLDING])
TEXT = "FIRST_MARKER; SECOND_MARKER"


def search(path: str, folder: Path = Path("/"), *, ino: int = 0, root: str | None = "/") -> Answer:
    """Look into a script, below a root that is held or the host's."""
    handles = [] if root is None else [os.open(root, os.O_PATH)]
    try:
        return search_script(MARKERS, handles, Place(path, str(folder), ino))
    finally:
        for handle in handles:
            os.close(handle)


def test_a_script_is_the_tool_s_whose_markers_it_holds(tmp_path: Path) -> None:
    """Which file it is goes back, to be watched."""
    path = tmp_path / "x.js"
    path.write_text(TEXT)
    found = search(str(path))
    assert (found.outcome, found.tool) == (Outcome.TOOL, "one")
    assert found.inside == Inside(str(path), tool="one")
    assert found.file
    assert found.file.ino == path.stat().st_ino
    path.write_text("nothing")
    found = search("x.js", tmp_path)
    assert (found.outcome, found.inside) == (Outcome.NOTHING, Inside(str(path)))


def linked(folder: Path) -> str:
    """Lead to it by a link."""
    (folder / "link").symlink_to("file.js")
    return "link"


def without_end(folder: Path) -> str:
    """Leave out its end."""
    (folder / "file").mkdir()  # which is not meant: the file is first
    return "file"


def by_manifest(folder: Path) -> str:
    """Give the folder whose manifest names it."""
    (folder / "package.json").write_text('{"main": "file"}')
    return "."


def by_index(folder: Path) -> str:
    """Give the folder that it is the index of."""
    (folder / "file.js").rename(folder / "index.js")
    return str(folder)


def by_main(folder: Path) -> str:
    """Give the folder that Python runs."""
    (folder / "file.js").rename(folder / "__main__.py")
    return str(folder)


@pytest.mark.parametrize("way", [linked, without_end, by_manifest, by_index, by_main])
def test_it_is_found_as_its_interpreter_finds_it(
    tmp_path: Path, way: Callable[[Path], str]
) -> None:
    """By a link, by a folder, without its end."""
    (tmp_path / "file.js").write_text(TEXT)
    assert search(way(tmp_path), tmp_path).tool == "one"


def test_what_a_console_script_calls_is_named(tmp_path: Path) -> None:
    """It is too small to say more."""
    path = tmp_path / "x"
    path.write_text("#!/bin/python3\nfrom some.cli import main\nif 1:\n    sys.exit(main())\n")
    assert search(str(path)).inside == Inside(str(path), module="some")


def test_its_package_counts_whatever_it_is_called(tmp_path: Path) -> None:
    """Whether it names the script is told; among sources only what it names counts."""
    (tmp_path / "package.json").write_text(json.dumps({"name": "p", "bin": {"p": "./lib/bin.js"}}))
    lib = tmp_path / "lib"
    lib.mkdir()
    for file in ("bin.js", "other.js"):
        (lib / file).touch()
    own = Inside(f"{lib}/bin.js", package="npm:p", owns=True)
    assert search("bin.js", lib).inside == own
    assert search("other.js", lib).inside == Inside(f"{lib}/other.js", package="npm:p")
    (tmp_path / "tsconfig.json").touch()
    assert search("bin.js", lib).inside == own
    assert search("other.js", lib).inside == Inside(f"{lib}/other.js")


STARTS = {
    "shebang": "#!{python}\n",
    "shell": "#!/bin/sh\n'''exec' {python} \"$0\" \"$@\"\n' '''\n",
    "shell, quoted": "#!/bin/sh\n'''exec' '{python}' \"$0\" \"$@\"\n' '''\n",
}


@pytest.mark.parametrize("start", STARTS.values(), ids=STARTS)
def test_a_console_script_s_package_is_its_module_s(tmp_path: Path, start: str) -> None:
    """Wherever the script lies: by the Python that it starts with, in whose environment it is."""
    site = tmp_path / "a venv/lib/python3.11/site-packages"
    (site / "one_package-1.0.dist-info").mkdir(parents=True)
    (site / "one_package-1.0.dist-info/top_level.txt").write_text("some\n")
    path = tmp_path / "x"
    call = "from some.cli import main\nif 1:\n    sys.exit(main())\n"
    path.write_text(start.format(python=tmp_path / "a venv/bin/python3") + call)
    found = search(str(path)).inside
    assert found == Inside(str(path), package="pypi:one-package", module="some")


def test_it_is_looked_for_below_the_root_of_its_process(tmp_path: Path) -> None:
    """Links that begin with a slash begin there."""
    (tmp_path / "opt").mkdir()
    (tmp_path / "opt" / "x.js").write_text(TEXT)
    (tmp_path / "link.js").symlink_to("/opt/x.js")
    assert search("/link.js", root=str(tmp_path)).inside == Inside("/opt/x.js", tool="one")


def test_the_host_s_is_taken_if_the_folder_is_the_same(tmp_path: Path) -> None:
    """A process that has ended may have been in a container, where the path is another file."""
    (tmp_path / "x.js").write_text(TEXT)
    ino = tmp_path.stat().st_ino
    assert search("x.js", tmp_path, ino=ino, root=None).tool == "one"
    assert search("x.js", tmp_path, ino=ino + 1, root=None) == Answer(Outcome.UNREADABLE)


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    """Nothing there, a folder without a program, a pipe that nobody writes to."""
    os.mkfifo(tmp_path / "pipe")
    assert search("missing", tmp_path) == Answer(Outcome.UNREADABLE)
    assert search(".", tmp_path) == Answer(Outcome.UNREADABLE)
    assert search("pipe", tmp_path) == Answer(Outcome.UNREADABLE)
