# SPDX-License-Identifier: Apache-2.0
"""Nothing gets through while policy is read again, nor while the daemon dies and comes back."""

from __future__ import annotations

import subprocess
import threading
from typing import TYPE_CHECKING, Self

import pytest
from support.network import NAMED
from support.patience import SOON_S
from support.policing import policing
from support.stage import TIMES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.drivers import Drivers
    from support.network import Network
    from support.policing import Policing

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

RESOLVER, PORT = "127.0.0.1", "8443"
AT_ONCE = 200
BLOCKED = f"""
mode = "enforce"
[[rule]]
id = "no-name"
endpoints = ["blocked.example"]
verdict = "block"
[[rule]]
id = "no-address"
endpoints = ["{NAMED}:{PORT}"]
verdict = "block"
"""
# The same is refused, by rules that stand elsewhere, have other ids and other conditions.
OTHERWISE = f"""
mode = "enforce"
[[rule]]
id = "something-else"
endpoints = ["fine.example"]
users = ["nobody"]
verdict = "alert"
[[rule]]
id = "address"
endpoints = ["{NAMED}"]
cgroups = ["/"]
verdict = "block"
[[rule]]
id = "name"
endpoints = ["*.blocked.example"]
verdict = "block"
"""


class Storm:
    """Looks fresh names up and connects at once, as fast as it can, until the ``with`` ends."""

    def __init__(self, police: Policing, drivers: Drivers, network: Network) -> None:
        self._police = police
        self._argv = network.entered(
            drivers.plain("dial_name"), RESOLVER, "n%.blocked.example", PORT, str(AT_ONCE)
        )
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._rage)
        self.said: list[str] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join(SOON_S)

    def _rage(self) -> None:
        while not self._is_over.is_set():
            process = self._police.scope.run(self._argv, stdout=subprocess.PIPE)
            out, _ = process.communicate(timeout=SOON_S)
            self.said.append(out.decode())


@pytest.fixture
def police(tmp_path: Path) -> Iterator[Policing]:
    """Give a daemon that refuses a name and an address, in a scope of its own."""
    with policing(tmp_path, host_wide=True) as police:
        police.start(BLOCKED)
        yield police


def test_no_connection_gets_through_while_policy_is_read_again(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """Between two policies that both refuse there is no moment without one."""
    with Storm(police, drivers, network) as storm:
        for number in range(TIMES):
            police.keep(OTHERWISE if number % 2 else BLOCKED)
    assert storm.said
    assert {*storm.said} == {f"{AT_ONCE} refused, 0 through\n"}


def test_no_connection_gets_through_while_the_daemon_dies_and_comes_back(
    police: Policing, drivers: Drivers, network: Network
) -> None:
    """Verdicts are the kernel's, and the next daemon takes them over."""
    with Storm(police, drivers, network) as storm:
        for _ in range(5):
            police.daemon.kill()
            police.restart()
    assert storm.said
    assert {*storm.said} == {f"{AT_ONCE} refused, 0 through\n"}


def test_no_connection_gets_through_an_upgrade(
    police: Policing, drivers: Drivers, network: Network, tmp_path: Path
) -> None:
    """What another version left in force is retired when the policy is in force anew."""
    police.daemon.kill()
    (pins,) = (tmp_path / "bpf/agent-sensor").glob("*/*")
    pins.rename(pins.with_name("another-version"))
    with Storm(police, drivers, network) as storm:
        police.restart()
    assert {*storm.said} == {f"{AT_ONCE} refused, 0 through\n"}
    assert [left.name for left in pins.parent.iterdir()] == [pins.name]
