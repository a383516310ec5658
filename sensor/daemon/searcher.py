# SPDX-License-Identifier: Apache-2.0
"""The searcher: a process that looks into one file after the other, and lets others go first.

It holds none of the daemon's rights but to read, has nothing of it in memory,
and ends with it. What it is asked for comes as a descriptor.
"""

from __future__ import annotations

import os
import socket
import time
from typing import TYPE_CHECKING

from sensor.core.content import Markers
from sensor.core.rights import Capability
from sensor.edge import capabilities, image_file, parent, system
from sensor.errors import FrameError
from sensor.wire.searches import (
    LARGEST_BYTES,
    Answer,
    Outcome,
    answer,
    markers_of,
    request_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sensor.core.facts import File

REST = 1.0
"""After each file it rests for so many times as long as it has worked: half a CPU at most."""

_MOST_REST_S = 5.0


def run(channel: int, *, daemon: int) -> None:
    """Be the searcher of the process ``daemon``, which has the other end of ``channel``."""
    capabilities.keep_here(frozenset({Capability.DAC_READ_SEARCH}))
    parent.die_with(daemon)
    system.humble()
    with socket.socket(fileno=channel) as requests:
        serve(requests)


def serve(requests: socket.socket, *, rest: Callable[[float], None] = time.sleep) -> None:
    """Answer one request after the other until there is nobody any more who asks."""
    markers = Markers(markers_of(requests.recv(LARGEST_BYTES)))
    while True:
        datagram, handles, _, _ = socket.recv_fds(requests, LARGEST_BYTES, 1)
        if not datagram:
            return
        began = time.thread_time()
        try:
            found = search(markers, handles, datagram)
        finally:
            for handle in handles:
                os.close(handle)
        try:
            requests.send(answer(found))
        except BrokenPipeError:
            return
        rest(min(_MOST_REST_S, REST * (time.thread_time() - began)))


def search(markers: Markers, handles: list[int], datagram: bytes) -> Answer:
    """Say which tool the file is that a request is about. Puts what it opens to ``handles``."""
    try:
        file, path = request_of(datagram)
        if not handles and (handle := image_file.held_at(path)) is not None:
            handles.append(handle)
        if not handles:
            return Answer(Outcome.UNREADABLE)
        return _search(markers, handles[0], file)
    except image_file.ChangedError:
        return Answer(Outcome.CHANGED)
    except (OSError, FrameError, ValueError):  # the last: a NUL in a path
        return Answer(Outcome.UNREADABLE)


def _search(markers: Markers, handle: int, file: File) -> Answer:
    tool = markers.search(image_file.windows(handle, file))
    image_file.check(handle, file)  # the search may have ended before the file did
    return Answer(Outcome.TOOL, tool.id) if tool else Answer(Outcome.NOTHING)
