# SPDX-License-Identifier: Apache-2.0
"""What `prove` does is told from what people do, and nobody else can pass for it."""

from __future__ import annotations

import pytest

from sensor.core.event import ProcessView
from sensor.core.proof.place import PREFIX, is_proof


@pytest.mark.parametrize(
    ("cgroup", "uid", "is_one"),
    [
        (f"/{PREFIX}4711", 0, True),
        (f"/system.slice/agent-sensor.service/{PREFIX}4711", 0, True),
        (f"/{PREFIX}4711", 1000, False),
        (f"/{PREFIX}4711", None, False),
        (f"/{PREFIX}4711/inner", 0, False),
        (f"/{PREFIX}", 0, False),
        (f"/{PREFIX}4711\n", 0, False),
        (f"/my-{PREFIX}4711", 0, False),
        (f"/user.slice/user-1000.slice/user@1000.service/app.slice/{PREFIX}4711", 0, False),
        (f"/system.slice/docker-{'a' * 64}.scope/{PREFIX}4711", 0, False),
        ("/", 0, False),
        (None, 0, False),
    ],
)
def test_it_is_known_by_the_cgroup_that_root_alone_can_make(
    cgroup: str | None, uid: int | None, is_one: object
) -> None:
    """A user's or a container's own cgroups may be called anything."""
    view = ProcessView(pid=1, started_ns=1, uid=uid, cgroup=cgroup)
    assert is_proof(view) is is_one


def test_nobody_is_no_one() -> None:
    """Some events have no process."""
    assert not is_proof(None)
