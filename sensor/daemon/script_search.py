# SPDX-License-Identifier: Apache-2.0
"""What a script is: which file, of which package, and what stands in it. The searcher's work."""

from __future__ import annotations

import os
import posixpath
import stat
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.facts import File
from sensor.core.scripts import MOST_CONSOLE_BYTES, Inside, called_module, interpreter_of
from sensor.edge import image_file, packages
from sensor.wire.searches import Answer, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.content import Markers
    from sensor.wire.searches import Place

MOST_BYTES = 64 << 20
"""Of a script: the largest of a tool that was seen has 9 MB. What is larger is not read."""


def search_script(markers: Markers, handles: list[int], place: Place) -> Answer:
    """Say what a script is. Puts the file to ``handles``, whose first is the root, if there is one.

    Without a root the host's is meant, if the folder from which the script is looked up
    is what it was: a process that has ended may have been in a container.
    """
    root = f"/proc/self/fd/{handles[0]}" if handles else ""
    if not handles and place.ino not in {0, Path(place.folder).stat().st_ino}:
        return Answer(Outcome.UNREADABLE)
    path = _path(root, posixpath.join(place.folder, place.path))
    handle = image_file.held_at(root + path) if path else None
    if path is None or handle is None:
        return Answer(Outcome.UNREADABLE)
    handles.append(handle)
    now = os.fstat(handle)
    if not stat.S_ISREG(now.st_mode):  # a terminal, or a pipe, by now
        return Answer(Outcome.UNREADABLE)
    file = File(dev=0, ino=now.st_ino, ctime_ns=now.st_ctime_ns, size_bytes=now.st_size)
    is_read = file.size_bytes <= MOST_BYTES
    tool = markers.search(image_file.windows(handle, file)) if is_read else None
    module, package = None, packages.of_program(root, path)
    if file.size_bytes <= MOST_CONSOLE_BYTES:
        text = b"".join(image_file.windows(handle, file))
        module, python = called_module(text), interpreter_of(text)
        if module and python and not (package and package.owns):
            # The script says by which Python it is run: that makes a tool of it, or nothing.
            found = packages.of_module(root, os.fsdecode(python), module)
            package = replace(found, owns=False) if found else package
    if package and package.is_source and not package.owns:
        package = None
    inside = Inside(
        path=path,
        package=package.name if package else None,
        owns=bool(package and package.owns),
        module=module,
        tool=tool.id if tool else None,
    )
    return Answer(Outcome.TOOL if tool else Outcome.NOTHING, inside.tool, inside, file)


def _path(root: str, path: str) -> str | None:
    """Find the file that an interpreter takes for a path: it may be a folder, or lack its end."""
    for one in _candidates(root, path):
        resolved = packages.resolve(root, one)
        if resolved and Path(root + resolved).is_file():
            return resolved
    resolved = packages.resolve(root, path)
    return resolved if resolved and not Path(root + resolved).is_dir() else None


def _candidates(root: str, path: str) -> Iterator[str]:
    """Give what Node.js and Python try, in their order (modules, "Folders as modules"; runpy)."""
    yield path
    yield f"{path}.js"
    if (folder := packages.resolve(root, path)) and (main := packages.main_of(root, folder)):
        yield posixpath.join(path, main)
        yield posixpath.join(path, f"{main}.js")
    yield posixpath.join(path, "index.js")
    yield posixpath.join(path, "__main__.py")
