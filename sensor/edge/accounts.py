# SPDX-License-Identifier: Apache-2.0
"""The user database of this host, asked for the names that a policy has (getpwnam(3), getgrnam(3))."""

from __future__ import annotations

import grp
import pwd
from typing import TYPE_CHECKING

from sensor.core.policy.model import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable


def accounts(users: Iterable[str], groups: Iterable[str]) -> Accounts:
    """Look names up. Whoever is unknown here is left out.

    Members of a group are those that it lists, and those whose own group it is.
    """
    known = {name: uid for name in users if (uid := _uid(name)) is not None}
    return Accounts(
        users=known,
        groups={name: found for name in groups if (found := _members(name)) is not None},
    )


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _members(name: str) -> frozenset[int] | None:
    """Give the uids of a group's members; a group may be named by its number."""
    try:
        group = grp.getgrgid(int(name)) if name.isdecimal() else grp.getgrnam(name)
    except (KeyError, OverflowError):
        return None
    listed = {uid for member in group.gr_mem if (uid := _uid(member)) is not None}
    own = {user.pw_uid for user in pwd.getpwall() if user.pw_gid == group.gr_gid}
    return frozenset(listed | own)
