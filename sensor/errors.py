# SPDX-License-Identifier: Apache-2.0
"""Every error that a user can meet, each with a sentence and an exit code."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What ``agent-sensor`` exits with; the README has the same table."""

    OK = 0
    FAILED = 1
    USAGE = 2
    NOT_PERMITTED = 3
    UNSUPPORTED = 4
    BAD_INPUT = 5
    DEGRADED = 6


class SensorError(Exception):
    """What went wrong, where, and what to do: ``str(error)`` is one or two sentences."""

    exit_code = ExitCode.FAILED


class NotPermittedError(SensorError):
    """The caller lacks a right that the command needs."""

    exit_code = ExitCode.NOT_PERMITTED


class UnsupportedError(SensorError):
    """The kernel or the host lacks something that the sensor cannot do without."""

    exit_code = ExitCode.UNSUPPORTED


class BadInputError(SensorError):
    """A file, option or frame is not what it has to be; the text names the place."""

    exit_code = ExitCode.BAD_INPUT


class DamagedRecordError(SensorError):
    """A record from the kernel does not have the shape of its kind."""


class NoRoomError(SensorError):
    """A table of the kernel takes no more."""


class BadWordError(BadInputError):
    """A word of a policy names nothing: why, and what to write. Who reads it adds the place."""

    def __init__(self, why: str, remedy: str) -> None:
        super().__init__(f"{why}; {remedy}")
        self.why = why
        self.remedy = remedy


class MistakesError(BadInputError):
    """Several mistakes in one text, in the order in which it is read.

    ``str(error)`` is the first, for a log or an answer; the command line shows all.
    """

    def __init__(self, mistakes: list[str]) -> None:
        super().__init__(f"{mistakes[0]} (and {len(mistakes) - 1} more)")
        self.mistakes = mistakes


class FrameError(BadInputError):
    """Bytes from the other end of the stream's socket are no frame, or say nothing we know."""


class NoDaemonError(SensorError):
    """Nobody listens at the stream's socket."""


class DaemonGoneError(SensorError):
    """The daemon ended, or ended the connection, before it had said everything."""


class StoreError(SensorError):
    """The store cannot be read or written right now; what it holds is as it was."""


class DamagedStoreError(StoreError):
    """What the store holds is not what was written."""

    exit_code = ExitCode.DEGRADED
