# SPDX-License-Identifier: Apache-2.0
"""The user database: uids of the users and groups that a policy names."""

from __future__ import annotations

import grp
import pwd
from typing import TYPE_CHECKING

from sensor.core.policy.model import Accounts

if TYPE_CHECKING:
    from collections.abc import Iterable


def accounts(users: Iterable[str], groups: Iterable[str]) -> Accounts:
    """Look names up; what this host does not know is left out.

    A group may be given by its number. Its members are those whom the database
    lists, and all whose primary group it is: those that getpwent(3) gives, which
    for a directory service may be none.
    """
    uids = {user: uid for user in users if (uid := _uid(user)) is not None}
    members: dict[str, frozenset[int]] = {}
    everybody = pwd.getpwall() if (wanted := list(groups)) else []
    for name in wanted:
        group = _group(name)
        if group is not None:
            listed = {uid for member in group.gr_mem if (uid := _uid(member)) is not None}
            listed |= {user.pw_uid for user in everybody if user.pw_gid == group.gr_gid}
            members[name] = frozenset(listed)
    return Accounts(uids, members)


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrgid(int(name)) if name.isdecimal() else grp.getgrnam(name)
    except (KeyError, OverflowError):
        return None
