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
from sensor.daemon.script_search import search_script
from sensor.edge import capabilities, image_file, parent, system
from sensor.errors import FrameError
from sensor.wire.searches import (
    LARGEST_BYTES,
    Answer,
    Outcome,
    Place,
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
    of_scripts = Markers(markers_of(requests.recv(LARGEST_BYTES)))
    while True:
        datagram, handles, _, _ = socket.recv_fds(requests, LARGEST_BYTES, 1)
        if not datagram:
            return
        began = time.thread_time()
        try:
            found = search(markers, of_scripts, handles, datagram)
            # The daemon has the file of a script watched; what was searched is the last.
            socket.send_fds(requests, [answer(found)], handles[-1:] if found.file else [])
        except BrokenPipeError:
            return
        finally:
            for handle in handles:
                os.close(handle)
        rest(min(_MOST_REST_S, REST * (time.thread_time() - began)))


def search(
    markers: Markers, of_scripts: Markers, handles: list[int], datagram: bytes
) -> Answer:  # fmt: skip
    """Say which tool a file or script is that a request is about.

    Puts what it opens to ``handles``.
    """
    try:
        asked = request_of(datagram)
        if isinstance(asked, Place):
            return search_script(of_scripts, handles, asked)
        file, path = asked
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
