# SPDX-License-Identifier: Apache-2.0
"""Actions: what the engine wants done, as values. The daemon carries them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sensor.core.event import Event
    from sensor.core.facts import Process


@dataclass(frozen=True, slots=True)
class Record:
    """Put an event on the stream."""

    event: Event


@dataclass(frozen=True, slots=True)
class Follow:
    """Have the kernel follow a process that it did not find by itself."""

    process: Process
    root: Process


@dataclass(frozen=True, slots=True)
class Release:
    """Have the kernel forget a process: it is no AI tool and belongs to none."""

    process: Process


Action = Record | Follow | Release
