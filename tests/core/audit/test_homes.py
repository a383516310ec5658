# SPDX-License-Identifier: Apache-2.0
"""Accounts tell where homes are, and where others may lie."""

from __future__ import annotations

import pytest

from sensor.core.audit.homes import Account, accounts, is_home, parents

ACCOUNTS = """\
root:x:0:0:root:/root:/bin/bash
alice:x:1000:1000::/home/alice:/bin/sh
broken:line
bob:x:no:1::/home/bob:/bin/sh
carol:x:1001:1::/data/people/carol/:/bin/sh
"""


def test_a_passwd_file_is_read_line_by_line() -> None:
    """What is none of its lines is left out."""
    assert [(one.user, one.uid) for one in accounts(ACCOUNTS)] == [
        ("root", 0), ("alice", 1000), ("carol", 1001),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/root", "/home/alice", "/var/lib/jenkins", "/opt/build", "/srv/x"]
)
def test_a_home_is_one(path: str) -> None:
    """Services have some too."""
    assert is_home(path)


@pytest.mark.parametrize(
    "path", ["/", "", "/nonexistent", "/usr/sbin", "/dev", "/srv", "home", "/home/../"]
)
def test_the_system_is_nobodys_home(path: str) -> None:
    """Whatever passwd says."""
    assert not is_home(path)


def test_orphans_lie_beside_people() -> None:
    """Not beside services, and in /home always."""
    known = [*accounts(ACCOUNTS), Account("x", 1002, "/single"), Account("d", 5, "/srv/d/e")]
    assert list(parents(known)) == ["/home", "/data/people"]
