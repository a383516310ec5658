# SPDX-License-Identifier: Apache-2.0
"""Sessions that send datagrams over connected sockets, and who hears them."""

from __future__ import annotations

import errno
import socket
import subprocess
import threading
from collections import Counter
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Self

from support.stage import TIMES, end_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing


class Listener:
    """Counts what comes to a UDP port of a test's network: each first byte."""

    def __init__(self, network: Network, port: int = 0) -> None:
        def bound() -> socket.socket:
            one = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            one.bind(("::", port))
            return one

        self._socket = network.inside(bound)
        self.port: int = self._socket.getsockname()[1]
        self.heard: Counter[bytes] = Counter()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # it has no peer, and whoever listens wakes up all the same
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _listen(self) -> None:
        while said := self._socket.recv(16):
            self.heard[said] += 1


@contextmanager
def pouring(  # noqa: PLR0917  # who sends where, and how many of them
    police: Policing, drivers: Drivers, network: Network, host: str, port: int, times: int = TIMES,
    by: str = "claude",
) -> Iterator[list[subprocess.Popen[bytes]]]:  # fmt: skip
    """Have sessions that send over a connected socket each, all of them at it already."""
    argv = network.entered(drivers.named(by, "pour"), host, str(port))
    processes = [
        police.scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(times)
    ]
    try:
        for process in processes:
            assert process.stdout
            assert process.stdout.readline() == b"\n"
        yield processes
    finally:
        for process in processes:
            process.kill()
            process.wait()


def are_ended(processes: list[subprocess.Popen[bytes]]) -> None:
    """Say that each saw the end of its socket, and could do no more with it."""
    for process in processes:
        assert end_of(process) == 1
        assert process.stdout
        failed, again, anew = map(int, process.stdout.readline().split())
        # Which of them a send sees first is the kernel's to say; whoever reads sees the former.
        assert {failed, again} <= {errno.ECONNABORTED, errno.EDESTADDRREQ}
        assert anew == errno.EPERM


def go_on(processes: list[subprocess.Popen[bytes]]) -> None:
    """Say that each could send until it was told to end."""
    for process in processes:
        assert process.poll() is None
        assert process.stdin
        process.stdin.close()
        assert end_of(process) == 0
