# SPDX-License-Identifier: Apache-2.0
"""Files that wait to be looked into, and what becomes of them when the searcher does not answer."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.story import exec_

from sensor.core.facts import File, Process, Signal
from sensor.daemon import contents as module
from sensor.daemon import search_process
from sensor.daemon.catalogues import catalogue
from sensor.daemon.contents import Contents
from sensor.daemon.inodes import Inodes
from sensor.daemon.members import Members
from sensor.wire import tables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from support.loading import Loaded

    from sensor.core.facts import Exec

pytestmark = pytest.mark.kernel

KNOWN = catalogue()
TOOL = KNOWN.index_of("claude-code")
SOON_S = 60


class Recognised(list["Exec"]):
    """The images that were tools."""

    def take(self, images: Sequence[Exec]) -> None:
        """Take some."""
        self += images


@pytest.fixture
def recognised() -> Recognised:
    """Give an empty list."""
    return Recognised()


@pytest.fixture
def contents(loaded: Loaded, recognised: Recognised) -> Iterator[Contents]:
    """Give a queue with nothing in it, over tables with nothing in them."""
    for name in ("inodes", "asked"):
        table = loaded.pins.map(name)
        for key, _ in list(table.items(tables.IMAGE_KEY.size, 8)):
            table.delete(key)
    contents = Contents(KNOWN, loaded.pins, Members(loaded.pins), recognised=recognised.take)
    yield contents
    contents.close()


def image(path: Path, *, inside: bytes = b"nothing") -> Exec:
    """Lay a file, and say that somebody has run it who has ended already."""
    path.write_bytes(inside)
    now = path.stat()
    file = File(dev=7, ino=now.st_ino, ctime_ns=now.st_ctime_ns, size_bytes=now.st_size)
    gone = Process(2**22 + 1, 1)
    return replace(exec_(9, str(path)), file=file, process=gone, unsearched=True)


def until(contents: Contents, claim: Callable[[], object]) -> None:
    """Let the queue go on until something is so."""
    end = time.monotonic() + SOON_S
    while not claim():
        assert time.monotonic() < end, contents.state()
        contents.read()
        contents.turn()


def inside() -> bytes:
    """Give what the tool's program holds."""
    tool = KNOWN.by_index(TOOL)
    assert tool
    return "\n".join(tool.contents).encode()


def test_a_tool_is_recognised_and_written_for_the_kernel(
    contents: Contents, recognised: Recognised, loaded: Loaded, tmp_path: Path
) -> None:
    """Who ran it meanwhile is recognised too, and who comes later from /proc."""
    first = image(tmp_path / "x", inside=inside())
    second = replace(first, process=Process(2**22 + 2, 1))
    contents.search(first)
    contents.search(second)
    until(contents, lambda: recognised)
    assert [one.process for one in recognised] == [first.process, second.process]
    assert {(one.tool, one.signals & Signal.CONTENT, one.late) for one in recognised} == {
        (TOOL, Signal.CONTENT, True)
    }
    again = Inodes(loaded.pins, Members(loaded.pins), KNOWN)
    assert again.known() == {(first.file.ino, first.file.ctime_ns): TOOL}
    large = replace(first, file=replace(first.file, size_bytes=module.LARGE_BYTES))
    assert contents.late(large).tool == TOOL
    assert contents.late(first) is first


def test_another_catalogue_forgets_what_was_known(
    contents: Contents, recognised: Recognised, loaded: Loaded, tmp_path: Path
) -> None:
    """Its tools may have other numbers."""
    contents.search(image(tmp_path / "x", inside=inside()))
    until(contents, lambda: recognised)
    other = replace(KNOWN, tools=KNOWN.tools[1:])
    assert Inodes(loaded.pins, Members(loaded.pins), other).known() == {}


def test_a_catalogue_that_comes_meanwhile_has_files_looked_into_again(
    contents: Contents, recognised: Recognised, loaded: Loaded, tmp_path: Path
) -> None:
    """By its own texts; one that says the same of files changes nothing."""
    file = image(tmp_path / "x", inside=inside())
    large = replace(file, file=replace(file.file, size_bytes=module.LARGE_BYTES))
    contents.search(file)
    until(contents, lambda: recognised)
    contents.learn(replace(KNOWN, endpoints=()))
    assert contents.late(large).tool == TOOL
    tools = (*KNOWN.tools[:-1], replace(KNOWN.tools[-1], contents=("A_TEXT_OF_ANOTHER",)))
    contents.learn(replace(KNOWN, tools=tools))
    assert contents.late(large).unsearched
    assert not Inodes(loaded.pins, Members(loaded.pins), replace(KNOWN, tools=tools)).known()
    contents.search(image(tmp_path / "y", inside=b"A_TEXT_OF_ANOTHER"))
    until(contents, lambda: len(recognised) == 2)
    assert recognised[1].tool == len(tools)


def test_what_holds_nothing_is_settled(contents: Contents, loaded: Loaded, tmp_path: Path) -> None:
    """And not looked into again, should the kernel have forgotten it."""
    nothing = image(tmp_path / "x")
    contents.search(nothing)
    until(contents, lambda: contents.counts["nothing"])
    asked = loaded.pins.map("asked")
    key = tables.image_key(nothing.file)
    assert asked.lookup(key, 8) == tables.image_state(tables.SEARCHED)
    asked.delete(key)
    contents.search(nothing)
    assert asked.lookup(key, 8) == tables.image_state(tables.SEARCHED)
    assert contents.counts["nothing"] == 1
    large = replace(nothing, file=replace(nothing.file, size_bytes=module.LARGE_BYTES))
    assert contents.late(large).unsearched


def test_a_searcher_that_dies_takes_one_file_with_it(contents: Contents, tmp_path: Path) -> None:
    """That one is not judged; the next one has a searcher of its own."""
    contents.search(image(tmp_path / "x"))
    pid = _searcher(contents)
    os.kill(pid, signal.SIGSTOP)
    contents.search(image(tmp_path / "y"))
    os.kill(pid, signal.SIGKILL)
    until(contents, lambda: contents.counts["unreadable"] + contents.counts["nothing"] == 2)
    assert contents.counts["nothing"] >= 1


def test_a_searcher_that_hangs_is_replaced(
    contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file system need not answer."""
    contents.search(image(tmp_path / "x"))
    pid = _searcher(contents)
    os.kill(pid, signal.SIGSTOP)
    monkeypatch.setattr(search_process, "PATIENCE_S", 0.0)
    assert contents.timeout() == 0.0
    until(contents, lambda: sum(contents.counts.values()))
    monkeypatch.undo()
    contents.search(image(tmp_path / "y"))
    until(contents, lambda: contents.counts["nothing"])


def test_one_with_nothing_to_do_is_let_go(
    contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes memory."""
    contents.search(image(tmp_path / "x"))
    pid = _searcher(contents)
    until(contents, lambda: contents.counts["nothing"])
    monkeypatch.setattr(search_process, "IDLE_S", 0.0)
    contents.turn()
    assert contents.timeout() is None
    until(contents, lambda: not Path(f"/proc/{pid}").exists())


def test_there_is_room_for_so_many(
    contents: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More are told again another time."""
    monkeypatch.setattr(module, "QUEUED", 1)
    contents.search(image(tmp_path / "x"))
    contents.search(image(tmp_path / "y"))
    assert contents.counts["dropped"] == 1
    assert contents.state()["waiting"] == 1


def _searcher(contents: Contents) -> int:
    """Give the pid of the process at work."""
    pid = contents._process.pid  # noqa: SLF001  # whom to disturb
    assert pid
    return pid
