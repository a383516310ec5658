# SPDX-License-Identifier: Apache-2.0
"""Who is let in to the stream, and what all that are may cost together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.errors import NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Sequence

HOW_TO_BE_LET_IN = (
    "be root, or have root add you to the group agent-sensor "
    "(`usermod -aG agent-sensor USER`) and log in again"
)
"""What to do, for both ends: the daemon refuses a peer, or the kernel does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What readers may cost. Root has room of its own that members of the group cannot fill."""

    recent_bytes: int = 4 * 1024 * 1024
    """Of events in memory, for all readers together: some 4,000."""
    peers_per_uid: int = 16
    members: int = 48
    accepts_per_turn: int = 16
    chunks_per_turn: int = 8
    """Of 64 KiB, to each reader."""
    pages_per_turn: int = 4
    """Of the past, for all readers together; one takes 1 to 2 ms."""
    half_s: float = 10
    """For the rest of a request, or for the last answer to be read."""
    idle_s: float = 60
    """Without a request."""
    deaf_s: float = 1
    """Without accepting, when there are no more file descriptors."""
    store_s: float = 0.1
    """Until the store is asked again for what it does not have yet; it commits so often."""


def why_not(uid: int, *, may_read: bool, uids: Sequence[int], limits: Limits) -> SensorError | None:
    """Return why a peer is not let in, None when it is; ``uids`` are those of who is in."""
    if not may_read:
        return NotPermittedError(f"uid {uid} may not read the stream: {HOW_TO_BE_LET_IN}")
    if uids.count(uid) >= limits.peers_per_uid:
        return SensorError(
            f"uid {uid} has {limits.peers_per_uid} connections, the most there may be: end one"
        )
    members = len(uids) - uids.count(0)
    if uid != 0 and members >= limits.members:
        return SensorError(f"{members} readers, the most there may be: try again later")
    return None
