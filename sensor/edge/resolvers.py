# SPDX-License-Identifier: Apache-2.0
"""The name servers that this host is configured with (resolv.conf(5))."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sensor.core.facts import Address

FILES = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""What programs read, and behind systemd-resolved, whom that asks."""


def configured(files: Iterable[Path] = FILES) -> frozenset[Address]:
    """Give the servers of all these files; what is missing or no address is left out."""
    return frozenset(address for path in files for address in _servers(path))


def _servers(path: Path) -> Iterable[Address]:
    try:
        lines = path.read_bytes().decode("utf-8", "backslashreplace").split("\n")
    except OSError:
        return
    for line in lines:
        match line.split():
            case ["nameserver", text, *_]:
                with suppress(ValueError):  # a zone is no part of what packets carry
                    yield ip_address(text.partition("%")[0])
