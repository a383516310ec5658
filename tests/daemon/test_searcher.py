# SPDX-License-Identifier: Apache-2.0
"""The searcher says what is in a file, and rests as long as it has worked."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.story import name, tool

from sensor.core.facts import File
from sensor.daemon import searcher
from sensor.edge.image_file import held_at
from sensor.wire.searches import (
    LARGEST_BYTES,
    Answer,
    Outcome,
    answer_of,
    markers,
    request,
    script_markers,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HOLDING = replace(tool("one", "v", name("one")), contents=("FIRST_MARKER", "SECOND_MARKER"))
INSIDE = b"....FIRST_MARKER....SECOND_MARKER...."


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file that holds what the tool holds."""
    path = tmp_path / "file"
    path.write_bytes(INSIDE)
    return path


def file_of(path: Path) -> File:
    """Give what the kernel would tell of a file."""
    now = path.stat()
    return File(dev=now.st_dev, ino=now.st_ino, ctime_ns=now.st_ctime_ns, size_bytes=now.st_size)


@contextmanager
def searching() -> Iterator[tuple[socket.socket, list[float]]]:
    """Have a thread be the searcher; gives the other end of its socket, and its rests."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    rests: list[float] = []
    work = threading.Thread(target=searcher.serve, args=(theirs,), kwargs={"rest": rests.append})
    ours.settimeout(30)
    ours.send(markers([HOLDING]))
    ours.send(script_markers([HOLDING]))
    work.start()
    try:
        yield ours, rests
    finally:
        ours.close()
        work.join(30)
        theirs.close()
        assert not work.is_alive()


def ask(channel: socket.socket, file: File, path: Path, *, held: bool = True) -> Answer:
    """Ask about a file."""
    handle = held_at(str(path)) if held else None
    handles = [] if handle is None else [handle]
    socket.send_fds(channel, [request(file, str(path))], handles)
    for one in handles:
        os.close(one)
    return answer_of(channel.recv(LARGEST_BYTES))


@pytest.mark.parametrize("held", [True, False], ids=["held", "by its path"])
def test_a_file_is_the_tool_s_whose_markers_it_holds(path: Path, held: bool) -> None:  # noqa: FBT001
    """By a descriptor, or where nobody runs it any more by its path."""
    with searching() as (channel, _):
        assert ask(channel, file_of(path), path, held=held) == Answer(Outcome.TOOL, "one")


def test_a_path_that_is_no_text_is_found(tmp_path: Path) -> None:
    """A file that is called by the text for it is another one."""
    path, decoy = tmp_path / os.fsdecode(b"\xff"), tmp_path / "\\xff"
    path.write_bytes(INSIDE)
    decoy.write_bytes(INSIDE)
    with searching() as (channel, _):
        assert ask(channel, file_of(path), path, held=False) == Answer(Outcome.TOOL, "one")
        assert ask(channel, file_of(path), decoy, held=False) == Answer(Outcome.CHANGED)


def test_what_holds_one_marker_is_nothing(path: Path) -> None:
    """All of them have to be there."""
    path.write_bytes(INSIDE.replace(b"SECOND", b"ANOTHER"))
    with searching() as (channel, _):
        assert ask(channel, file_of(path), path) == Answer(Outcome.NOTHING)


def test_what_is_not_there_or_not_it_is_said_to_be_so(path: Path) -> None:
    """Neither is judged."""
    with searching() as (channel, _):
        other = replace(file_of(path), ino=1)
        assert ask(channel, other, path) == Answer(Outcome.CHANGED)
        gone = path.with_name("gone")
        assert ask(channel, other, gone) == Answer(Outcome.UNREADABLE)
        channel.send(b"no request")
        assert answer_of(channel.recv(LARGEST_BYTES)) == Answer(Outcome.UNREADABLE)


def test_it_rests_after_each_file(path: Path) -> None:
    """However many there are, they take half a CPU, and that only if nobody else wants it."""
    with searching() as (channel, rests):
        for _ in range(3):
            ask(channel, file_of(path), path)
    assert len(rests) == 3
    assert all(rest >= 0 for rest in rests)
