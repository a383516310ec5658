# SPDX-License-Identifier: Apache-2.0
"""An audit of many homes: how long, how many files a second, in how much memory."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.homes import CLAUDE, npm_package, plant

from bench.table import Table
from sensor.daemon.probing import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bench.workshop import Workshop

_FILES_A_HOME = 10_000
_FILES_A_FOLDER = 50
_HOMES = 20
_FULL_HOMES = 200
"""With 10,000 files each, as a build host of a company has them."""

_NAMES = ("main.c", "util.h", "x.o", "index.js", "package.json", "README.md", "a.py", "data.json")
_REMARK = (
    "Each home has 10,000 files in folders of 50, as sources, objects and packages have them, and"
    " every tenth a tool. A process of its own; resident is the most that it was. The names are in"
    " the page cache: a cold disk is what takes its time."
)


def measure(shop: Workshop) -> Table:
    """Audit a few homes, then many: time grows with them, memory does not."""
    rows = []
    with _image(shop) as image:
        made = 0
        most = _FULL_HOMES if shop.full else shop.times(_HOMES, 4)
        for homes in (most // 10, most):
            for number in range(made, homes):
                _home(image / "home" / f"user{number:03}", with_tool=not number % 10)
            made = homes
            rows.append(_row(image, homes))
    columns = ("homes", "files", "s", "files / s", "resident MiB", "tools found")
    return Table("An audit of many homes", columns, tuple(rows), (_REMARK,))


@contextmanager
def _image(shop: Workshop) -> Iterator[Path]:
    """Give a folder: on a disk for what tmpfs has no room for."""
    if not shop.full:
        yield shop.folder / "image"
        return
    with tempfile.TemporaryDirectory(prefix="agent-sensor-bench-", dir="/var/tmp") as place:
        yield Path(place)


def _home(home: Path, *, with_tool: bool) -> None:
    plant(home, {CLAUDE: npm_package("@anthropic-ai/claude-code")} if with_tool else {})
    for number in range(_FILES_A_HOME // _FILES_A_FOLDER):
        folder = home / "src" / f"part{number % 16}" / f"module{number}"
        folder.mkdir(parents=True)
        for at in range(_FILES_A_FOLDER):
            os.close(os.open(folder / f"{at}{_NAMES[at % len(_NAMES)]}", os.O_CREAT | os.O_WRONLY))


def _row(image: Path, homes: int) -> tuple[str, ...]:
    started = time.perf_counter()
    argv = command("audit", "--no-sessions", "--json", "--root", str(image))
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout
    found = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    took_s = time.perf_counter() - started
    files = homes * _FILES_A_HOME
    assert len(found) == -(-homes // 10)
    return (
        f"{homes:,}", f"{files:,}", f"{took_s:.1f}", f"{files / took_s:,.0f}",
        f"{usage.ru_maxrss / 1024:.1f}", str(len(found)),
    )  # fmt: skip
