# SPDX-License-Identifier: Apache-2.0
"""Whoever reaches for a name under a policy: the drivers, in the scope and in the network."""

from __future__ import annotations

import re
import subprocess
from typing import TYPE_CHECKING

from support.network import NAMED
from support.patience import SOON_S

if TYPE_CHECKING:
    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing

# Every name has the same address in the network.
SHARED, LOOPBACK = NAMED, "127.0.0.1"
RESOLVER = LOOPBACK


class Client:
    """Runs the drivers in the scope, as a stranger or as a tool."""

    def __init__(self, police: Policing, drivers: Drivers, network: Network, name: str) -> None:
        self._police = police
        self._drivers = drivers
        self._network = network
        self._name = name

    def asks(self, name: str, port: int, times: int = 1, *, udp: bool = False) -> tuple[int, int]:
        """Look a name up and connect at once; give how many were refused, and went through."""
        more = ["udp"] if udp else []
        said = self._run("dial_name", RESOLVER, name, str(port), str(times), *more)
        found = re.fullmatch(r"(\d+) refused, (\d+) through\n", said)
        assert found, said
        return int(found[1]), int(found[2])

    def says(self, text: bytes, port: int, *pieces: int, host: str = SHARED) -> str:
        """Connect and say something, in pieces of so many bytes; give what came of it."""
        return self._run("say", host, str(port), *map(str, pieces), text=text)

    def _run(self, operation: str, *arguments: str, text: bytes = b"") -> str:
        argv = self._network.entered(self._drivers.named(self._name, operation), *arguments)
        process = self._police.scope.run(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        out, _ = process.communicate(text, timeout=SOON_S)
        return out.decode()


def request(target: str) -> bytes:
    """Give what a client asks of a proxy."""
    return f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n".encode()
