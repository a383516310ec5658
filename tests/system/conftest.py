# SPDX-License-Identifier: Apache-2.0
"""A machine with systemd and the sensor's program, for the steps of one walk-through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from vm.guest import CHECKOUT, PROCESSOR
from vm.installed import build
from vm.kernels import WANTED, kernel
from vm.machine import Machine
from vm.trying import settle_tools

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE = "0.0.9"
_failed: set[str] = set()


@pytest.fixture(scope="session")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the disk once: the program is there, and nothing was installed with it yet."""
    cache = Path(os.environ.get("AGENT_SENSOR_CACHE") or CHECKOUT / ".cache").absolute()
    (cache / "kernels").mkdir(parents=True, exist_ok=True)
    image = tmp_path_factory.mktemp("disk") / "disk"
    build(image, cache, version=BEFORE)
    return image


@pytest.fixture(scope="module")
def machine(
    disk: Path, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Machine]:
    """Boot Debian 12 with its own kernel; one machine serves a file of tests, in their order.

    A file of tests whose programs take more than the plainest processor says so: PROCESSOR.
    """
    processor = getattr(request.module, "PROCESSOR", PROCESSOR)
    cache = Path(os.environ.get("AGENT_SENSOR_CACHE") or CHECKOUT / ".cache").absolute()
    found = kernel(WANTED[0], cache / "kernels")
    folder = tmp_path_factory.mktemp("machine")
    with Machine(kernel=found, disk=disk, folder=folder, processor=processor) as booted:
        settle_tools(booted)
        yield booted


@pytest.fixture(autouse=True)
def in_order(request: pytest.FixtureRequest) -> None:
    """Fail at once where a step before did: this one would stand on nothing."""
    if request.path.name in _failed:
        pytest.fail("a step before this one failed", pytrace=False)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note in which file a step has failed."""
    if report.failed:
        _failed.add(Path(report.fspath).name)
