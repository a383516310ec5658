# SPDX-License-Identifier: Apache-2.0
"""The host is whatever knows its boot, name, clock, users and cgroups."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.story import StoryHost

if TYPE_CHECKING:
    from sensor.core.host import Host


def test_a_host_need_not_be_this_one() -> None:
    """The core asks for a host and not for this one: a story's host serves as well."""
    host: Host = StoryHost()
    assert (host.name, host.user(0), host.cgroup(1)) == ("build-7", "root", None)
