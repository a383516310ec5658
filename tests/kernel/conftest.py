# SPDX-License-Identifier: Apache-2.0
"""One sensor for most kernel tests: its start compiles the probes, which takes guests long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.drivers import Drivers
from support.keeping import REFUSES, Kept
from support.network import Network
from support.policing import policing
from support.running import running
from support.scope import Scope
from support.stage import Stage
from support.watching import Watching

from sensor.daemon.standby import KEPT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.policing import Policing

NO_RULES = 'mode = "enforce"\n'


@pytest.fixture(scope="session")
def drivers(tmp_path_factory: pytest.TempPathFactory) -> Drivers:
    """Give the drivers, compiled once."""
    return Drivers(tmp_path_factory.mktemp("drivers"))


@pytest.fixture(scope="session")
def network() -> Iterator[Network]:
    """Give a network that nobody else is in."""
    with Network() as network:
        yield network


@pytest.fixture(scope="session")
def stage(drivers: Drivers, network: Network) -> Iterator[Stage]:
    """Give a scope under the eye of a sensor that tells of all descendants."""
    with Scope() as scope, Watching(scope, "--all-children") as watching:
        yield Stage(scope, watching, drivers, network)


@pytest.fixture(scope="session")
def beside(drivers: Drivers, network: Network) -> Iterator[Stage]:
    """Give another scope with a sensor of its own, for what would disturb the stage."""
    with Scope() as scope, Watching(scope, "--all-children") as watching:
        yield Stage(scope, watching, drivers, network)


@pytest.fixture(scope="session")
def one_police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon for all policies that can follow one another; in a guest over all of it."""
    with policing(tmp_path_factory.mktemp("police"), host_wide=True) as police:
        police.start(NO_RULES)
        yield police


@pytest.fixture(scope="module")
def police(one_police: Policing) -> Iterator[Policing]:
    """Give a daemon that refuses what a test has it ``keep``, and after the file nothing."""
    yield one_police
    one_police.keep(NO_RULES)


@pytest.fixture(scope="module")
def place(drivers: Drivers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    """Give a place for daemons one after another: those that are killed leave their probes."""
    folder = tmp_path_factory.mktemp("kept")
    with Scope() as scope, running(scope, folder) as daemon:
        yield Kept(daemon, scope, folder, drivers)


@pytest.fixture
def kept(place: Kept) -> Iterator[Kept]:
    """Give a daemon that is not started yet, with the policy that refuses, and no blocks."""
    place.write(REFUSES)
    yield place
    place.daemon.kill()
    (place.daemon.state_dir / KEPT).unlink(missing_ok=True)
