# SPDX-License-Identifier: Apache-2.0
"""What foreign schemas want to know and an event says in other words."""

from __future__ import annotations

import posixpath
import shlex
from typing import TYPE_CHECKING

from sensor.core.container import is_id
from sensor.core.form import fields_of
from sensor.core.wall import instant

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sensor.core.event import Event, ProcessView
    from sensor.core.facts import Process

_SIGNAL_BITS = 0x7F  # WTERMSIG of wait(2)
_BY_SIGNAL = 128  # what a shell adds (POSIX, Shell Command Language, 2.8.2)


def present(values: Mapping[str, object]) -> dict[str, object]:
    """Leave out what is absent: other schemas have no null for it."""
    return {name: value for name, value in values.items() if value is not None and value != []}


def entity(event: Event, process: ProcessView | Process) -> str:
    """Name a process so that neither a pid used again nor another boot has the same name."""
    return f"{event.boot_id}:{process.pid}:{process.started_ns}"


def wall_ns(event: Event, at_ns: int) -> int:
    """Give the wall clock of another time of the same boot, by the clock of the event."""
    return instant(event.at) - event.at_ns + at_ns


def name_of(process: ProcessView) -> str | None:
    """Give the last part of the resolved file's path."""
    return posixpath.basename(process.exe) if process.exe else None


def container(process: ProcessView, id_name: str) -> dict[str, object] | None:
    """Describe the container by its id, for which a schema has a name, or by its own."""
    if process.container is None:
        return None
    return {id_name if is_id(process.container) else "name": process.container}


def command_line(process: ProcessView) -> str | None:
    """Write the arguments as one text, from which a shell would read the same ones."""
    return None if process.argv is None else shlex.join(process.argv)


def exit_code(process: ProcessView) -> int | None:
    """Give what a shell would: the status, or 128 and the signal that ended it."""
    if process.status is None:
        return None
    by_signal = process.status & _SIGNAL_BITS
    return _BY_SIGNAL + by_signal if by_signal else process.status >> 8


def rest(event: Event, mapped: Mapping[str, Collection[str]]) -> dict[str, object]:
    """Give what of an event is not ``mapped``, under the stream's names, parts within their part.

    ``mapped`` has the names of each part, and under "" those of the event itself.
    """
    left: dict[str, object] = {}
    for name, value in present(fields_of(event)).items():
        if isinstance(value, dict) and name in mapped:
            of_part = present({k: v for k, v in value.items() if k not in mapped[name]})
            left |= {name: of_part} if of_part else {}
        elif name not in mapped[""]:
            left[name] = value
    return left
