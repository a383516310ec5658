# SPDX-License-Identifier: Apache-2.0
"""Signals as something to wait for."""

from __future__ import annotations

import signal
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ENDING = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def signals(*others: signal.Signals) -> Iterator[socket.socket]:
    """Turn the signals to end, and others, into bytes on a socket: one number each.

    A second signal to end ends at once.
    """
    reader, writer = socket.socketpair()
    reader.setblocking(False)  # noqa: FBT003  # the socket's own interface
    writer.setblocking(False)  # noqa: FBT003  # the socket's own interface

    def once(number: int, _frame: object) -> None:
        if number in ENDING:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, once) for number in (*ENDING, *others)}
    woken = signal.set_wakeup_fd(writer.fileno())
    try:
        yield reader
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in before.items():
            signal.signal(number, handler)
        reader.close()
        writer.close()


def received(reader: socket.socket) -> set[signal.Signals]:
    """Take the signals that wait on the socket."""
    try:
        return {signal.Signals(number) for number in reader.recv(64)}
    except BlockingIOError:
        return set()
