# SPDX-License-Identifier: Apache-2.0
"""Members of the group come in while there is room; root has room of its own."""

from __future__ import annotations

import pytest

from sensor.core.admission import Limits, why_not
from sensor.errors import ExitCode

LIMITS = Limits(peers_per_uid=2, members=3)


@pytest.mark.parametrize(
    ("uid", "may_read", "uids", "says"),
    [
        (0, True, [], None),
        (1000, True, [], None),
        (1000, True, [0, 0, 1000], None),
        (1000, True, [1001, 1001], None),
        (0, True, [1000, 1001, 1002], None),
        (1000, False, [], "uid 1000 may not read the stream: be root, or have root add you"),
        (1000, True, [1000, 1000], "uid 1000 has 2 connections, the most there may be: end one"),
        (0, True, [0, 0], "uid 0 has 2 connections"),
        (1000, True, [1001, 1001, 1002], "3 readers, the most there may be: try again later"),
    ],
)
def test_who_is_not_let_in_hears_why(
    *, uid: int, may_read: bool, uids: list[int], says: str | None
) -> None:
    """Rights come first, then the peer's own limit, then everybody's."""
    problem = why_not(uid, may_read=may_read, uids=uids, limits=LIMITS)
    if says is None:
        assert problem is None
    else:
        assert str(problem).startswith(says)


def test_only_a_missing_right_is_one() -> None:
    """Whoever is one too many may come back; whoever has no right needs one."""
    no_right = why_not(1000, may_read=False, uids=[], limits=LIMITS)
    no_room = why_not(1000, may_read=True, uids=[1000] * 2, limits=LIMITS)
    assert no_right is not None
    assert no_room is not None
    assert no_right.exit_code is ExitCode.NOT_PERMITTED
    assert no_room.exit_code is ExitCode.FAILED
