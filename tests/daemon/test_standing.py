# SPDX-License-Identifier: Apache-2.0
"""What a daemon answers that has no policy; tests/kernel has one that has all its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from sensor.daemon.standing import Standing
from sensor.errors import BadInputError
from sensor.wire.requests import Control

if TYPE_CHECKING:
    from sensor.daemon.footing import Footing
    from sensor.daemon.sensing import Sensing
    from sensor.daemon.telling import Telling
    from sensor.edge.store import Store


def observing() -> Standing:
    """Give a daemon without a policy, of which nothing but controls is asked."""
    return Standing(
        sensing=cast("Sensing", None),
        telling=cast("Telling", None),
        past=cast("Store", None),
        footing=cast("Footing", None),
        started_at="2026-11-23T14:00:00Z",
        started_s=0.0,
        scope="/",
        missing={},
        stop=lambda: None,
    )


def test_without_a_policy_there_are_no_blocks() -> None:
    """Which is no mistake of whoever asks."""
    assert observing().control(Control(do="block_ls")) == {"blocks": []}


@pytest.mark.parametrize("do", ["block_add", "block_rm", "policy_reload"])
def test_without_a_policy_none_can_be_taken_up(do: str) -> None:
    """With the file, and the little that has to be in it."""
    with pytest.raises(BadInputError) as it:
        observing().control(Control(do=do))
    assert str(it.value) == (
        "no policy: this daemon was started without one and has given up the rights to keep one;"
        " write /etc/agent-sensor/policy.toml (two lines are enough: version = 1 and"
        ' mode = "enforce"), and restart it'
    )
