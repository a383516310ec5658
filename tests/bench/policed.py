# SPDX-License-Identifier: Apache-2.0
"""A policy that is measured: a daemon that keeps it, in a scope of the bench's own."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from support.policing import policing
from support.site import client_hello

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.policing import Policing

    from bench.workshop import Argument, Workshop

REFUSED_ADDRESS, NAMED_ADDRESS, FINE_ADDRESS = "127.0.0.9", "127.0.0.8", "127.0.0.1"
NOTHING = 'mode = "enforce"\n'
BY_NAME = f"""
mode = "enforce"
[[rule]]
id = "no-tool"
tools = ["claude-code"]
verdict = "block"
[[rule]]
id = "no-name"
endpoints = ["blocked.example", "*.below.example", "{REFUSED_ADDRESS}"]
verdict = "block"
"""


@contextmanager
def policed(policy: str) -> Iterator[Policing]:
    """Give a daemon with a policy in force."""
    # hier(7): a disk, where anything is; the store belongs there.
    with (
        tempfile.TemporaryDirectory(prefix="agent-sensor-bench-", dir="/var/tmp") as folder,
        policing(Path(folder)) as police,
    ):
        police.start(policy)
        yield police


def said(police: Policing, argv: Sequence[Argument]) -> list[int]:
    """Run a program in the scope; give the numbers that it says."""
    process = police.scope.run(argv, stdout=subprocess.PIPE)
    out, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, list(map(str, argv)))
    return [int(line) for line in out.split()]


def hello_file(shop: Workshop) -> Path:
    """Give a file with a ClientHello that no rule is about."""
    file = shop.folder / "hello"
    file.write_bytes(client_hello("www.fine.example"))
    return file
