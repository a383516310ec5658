# SPDX-License-Identifier: Apache-2.0
"""What the daemon asks of its searcher, and what comes back: one msgpack map a datagram.

The markers come first: those of programs, and those of scripts. Then each request has a
descriptor with it, if the process still ran, and is answered before the next one is sent: of
the file, or of the root folder below which a script is. The answer about a script comes with
a descriptor of its file.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

import msgpack

from sensor.core.facts import File
from sensor.core.scripts import Inside
from sensor.core.tools import Category, Tool
from sensor.errors import FrameError
from sensor.wire.envelope import unpack
from sensor.wire.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable

LARGEST_BYTES = 1 << 16
"""Of a datagram, either way: the markers of some hundred tools."""


class Outcome(Enum):
    """What came of a search; of the last two, the file is not judged."""

    TOOL = "tool"
    NOTHING = "nothing"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in a file: the id of a tool, or nothing; of a script, all that was."""

    outcome: Outcome
    tool: str | None = None
    inside: Inside | None = None
    file: File | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a script is: its path, and the inode of the folder from which it is looked up.

    ``folder`` is that folder: the working directory, or the root. 0 is any inode.
    """

    path: str
    folder: str
    ino: int


_BYTES = "surrogateescape"
"""A path goes over as the bytes that it is (``core/spelling``)."""

_pack = msgpack.Packer(autoreset=True, unicode_errors=_BYTES).pack


def markers(tools: Iterable[Tool]) -> bytes:
    """Write what is to be looked for in programs. Raises FrameError where it is too much."""
    return _bounded({tool.id: list(tool.contents) for tool in tools if tool.contents})


def script_markers(tools: Iterable[Tool]) -> bytes:
    """Write what is to be looked for in scripts. Raises FrameError where it is too much."""
    return _bounded({tool.id: list(tool.scripts) for tool in tools if tool.scripts})


def markers_of(datagram: bytes) -> tuple[Tool, ...]:
    """Read what is to be looked for, as tools of which nothing else is known."""
    raw = unpack(datagram)
    fields = Fields("markers", raw)
    return tuple(
        Tool(
            id=tool, name=tool, vendor="", category=Category.CLI, marks=(),
            contents=fields.texts(tool),
        )
        for tool in raw
    )  # fmt: skip


def request(file: File, path: str) -> bytes:
    """Write which file is meant, and where it lies if no descriptor comes with it."""
    return _bounded({"path": path, "file": _written(file)})


def script_request(place: Place) -> bytes:
    """Write which script is meant."""
    return _bounded({
        "path": place.path, "file": None, "folder": place.folder, "ino": place.ino,
    })  # fmt: skip


def request_of(datagram: bytes) -> tuple[File, str] | Place:
    """Read which file is meant, and its path; or which script. Raises FrameError."""
    fields = Fields("search", unpack(datagram, errors=_BYTES))
    path, file = fields.need("path", str), fields.part("file", _file)
    if file is None:
        return Place(path, fields.need("folder", str), fields.need("ino", int))
    return file, path


def answer(found: Answer) -> bytes:
    """Write what came of it."""
    inside = found.inside
    return _bounded({
        "outcome": found.outcome.value, "tool": found.tool,
        "file": _written(found.file) if found.file else None,
        "inside": inside and {
            "path": inside.path, "package": inside.package, "module": inside.module,
            "tool": inside.tool, "owns": inside.owns,
        },
    })  # fmt: skip


def answer_of(datagram: bytes) -> Answer:
    """Read what came of it. Raises FrameError."""
    fields = Fields("answer", unpack(datagram, errors="backslashreplace"))
    return Answer(
        fields.word("outcome", Outcome, fields.need("outcome", str)),
        fields.maybe("tool", str),
        fields.part("inside", _inside),
        fields.part("file", _file),
    )


def _written(file: File) -> dict[str, object]:
    return {
        "dev": file.dev, "ino": file.ino, "ctime_ns": file.ctime_ns, "size_bytes": file.size_bytes,
    }  # fmt: skip


def _file(fields: Fields) -> File:
    return File(
        dev=fields.need("dev", int),
        ino=fields.need("ino", int),
        ctime_ns=fields.need("ctime_ns", int),
        size_bytes=fields.need("size_bytes", int),
    )


def _inside(fields: Fields) -> Inside:
    return Inside(
        path=fields.need("path", str),
        package=fields.maybe("package", str),
        owns=fields.need("owns", bool),
        module=fields.maybe("module", str),
        tool=fields.maybe("tool", str),
    )


def _bounded(message: dict[str, object]) -> bytes:
    packed: bytes = _pack(message)
    if len(packed) > LARGEST_BYTES:
        raise FrameError(f"a message of {len(packed)} bytes: at most {LARGEST_BYTES} are taken")
    return packed
