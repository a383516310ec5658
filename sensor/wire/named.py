# SPDX-License-Identifier: Apache-2.0
"""The name of an address, as the kernel keeps it (``struct named`` of probes/tables.h)."""

from __future__ import annotations

from sensor.core.policy.targets import SUFFIXES
from sensor.wire.layout import Layout
from sensor.wire.rulings import hash_suffix

NAMED = Layout(
    *(f"Q suffixes[{place}]" for place in range(SUFFIXES)),
    "Q end_ns", "I labels", "I trusted",
)  # fmt: skip


def named(name: str, *, end_ns: int, trusted: bool) -> bytes:
    """Write a name as the hashes of its suffixes, the shortest first; what there is none of is 0.

    ``trusted`` is whether a resolver said it that the host is configured with.
    """
    labels = [label for label in name.lower().split(".") if label]
    hashes = [
        hash_suffix(".".join(labels[-count:])) if count <= len(labels) else 0
        for count in range(1, SUFFIXES + 1)
    ]
    return NAMED.pack(*hashes, end_ns, len(labels), int(trusted))
