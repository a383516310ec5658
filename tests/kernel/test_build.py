# SPDX-License-Identifier: Apache-2.0
"""A real build, as on any build host, is nothing to the sensor."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S

from sensor.daemon.search_process import IDLE_S

if TYPE_CHECKING:
    from support.stage import Stage

pytestmark = pytest.mark.kernel

# Thirty C files, no dependency but a compiler and setuptools.
PROJECT = "Brotli==1.1.0"

CHECKOUT = Path(__file__).parents[2]
CACHE = Path(os.environ.get("AGENT_SENSOR_CACHE") or CHECKOUT / ".cache")


def fetched() -> Path:
    """Fetch what the build needs, once; a guest, which has no network, finds it done."""
    folder = CACHE / "projects" / PROJECT
    if folder.exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
        fresh = Path(scratch, "fresh")
        fetch = ["download", "--no-deps", "--no-binary", ":all:", "--dest", str(fresh), PROJECT]
        subprocess.run([*pip, *fetch], check=True)
        tools = ["install", "--target", str(fresh / "tools"), "setuptools<81"]
        subprocess.run([*pip, *tools], check=True)
        with suppress(OSError):  # another run was faster
            fresh.rename(folder)
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the unpacked source distribution, with setuptools beside it in ``tools``."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(fetched(), folder, dirs_exist_ok=True)
    (archive,) = folder.glob("*.tar.gz")
    subprocess.run(["tar", "-C", folder, "-xf", archive], check=True)
    (unpacked,) = folder.glob("Brotli-*/")
    return unpacked


@pytest.mark.long
def test_a_build_is_no_event_and_no_wake_up(stage: Stage, project: Path) -> None:
    """Compilers, assemblers and linkers by the dozen, and the sensor sleeps on.

    A program as large as cc1 and the script that builds have been looked into before.
    """
    stage.learn(["cc", "-x", "c", "-c", "/dev/null", "-o", "/dev/null"])
    # How well it optimises is no matter here, and takes an emulated machine minutes.
    env = os.environ | {"PYTHONPATH": str(project.parent / "tools"), "CFLAGS": "-O0"}
    setup = [sys.executable, "setup.py", "--quiet"]
    learned = time.monotonic()
    stage.learn([*setup, "--version"], cwd=project, env=env, stdout=subprocess.DEVNULL)
    stage.everything_is_told()
    told, woken = len(stage.watching.events()), stage.watching.wake_ups()
    build = [*setup, "build_ext", "--build-lib", "built"]
    assert stage.start(build, cwd=project, env=env).wait(5 * SOON_S) == 0
    assert list((project / "built").glob("*.so"))
    # Once at most, where it takes a minute: the searcher is let go that looked into setup.py.
    assert stage.watching.wake_ups() - woken <= int(time.monotonic() - learned >= IDLE_S)
    assert len(stage.watching.events()) == told
    stage.everything_is_told()
    new = stage.watching.events()[told:]
    assert len({event["session"] for event in new}) == 1
