# SPDX-License-Identifier: Apache-2.0
"""Values as the probes write them into records: text, addresses, paths, rulings."""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from sensor.core.facts import Ruled
from sensor.core.words import Enforcement, Verdict
from sensor.errors import DamagedRecordError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sensor.core.facts import Address

# enum verdict and enum enforcement of probes/events.h
VERDICTS = (None, Verdict.ALLOW, Verdict.ALERT, Verdict.WOULD_BLOCK, Verdict.BLOCK)
ENFORCEMENTS = (
    Enforcement.NONE, Enforcement.LSM, Enforcement.KILL, Enforcement.CGROUP, Enforcement.TLS,
    Enforcement.PROXY,
)  # fmt: skip


def text(raw: bytes) -> str:
    r"""Turn what a process chose into text; bytes that are no UTF-8 become ``\xNN``."""
    return raw.decode("utf-8", "backslashreplace")


def address(raw: bytes) -> Address:
    """Read 16 bytes in network order; IPv4-mapped IPv6 is IPv4."""
    ip = IPv6Address(raw)
    return ip.ipv4_mapped or ip


def port(raw: int) -> int:
    """Turn a port as it lies on the wire, read natively, to its number."""
    return int.from_bytes(struct.pack("=H", raw), "big")


def path(components: bytes, *, cut: bool) -> bytes:
    """Join components that come leaf first, each ended by a NUL; a cut path starts with ``…/``."""
    parts = components.split(b"\0")[-2::-1]
    return ("…/".encode() if cut else b"/") + b"/".join(parts)


def terminal(name: str) -> str | None:
    """Write a terminal as /dev has it: the kernel's own name lacks the slash of devpts."""
    return name.replace("pts", "pts/", 1) or None


def ruled(policy: int, rule: int, verdict: int, enforcement: int) -> Ruled | None:
    """Read a ruling; None where there was no policy.

    Raises DamagedRecordError for a word that the probes do not have.
    """
    if policy == 0:
        return None
    try:
        return Ruled(policy, rule, VERDICTS[verdict], ENFORCEMENTS[enforcement])
    except IndexError:
        raise DamagedRecordError(
            f"record with a ruling of verdict {verdict}, enforcement {enforcement}"
        ) from None


def chain(tools: Sequence[int]) -> tuple[int, ...]:
    """Read the tools in whose sessions a process is; 0 is the end."""
    return tuple(tool for tool in tools if tool)
