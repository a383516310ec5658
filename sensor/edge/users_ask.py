# SPDX-License-Identifier: Apache-2.0
"""Asks the host's user database, in a process of its own: a directory service may never answer.

Run by its path, with Python alone. Takes ``{"users": [...], "groups": [...], "uids": [...]}`` from
standard input as JSON and gives what it found: ``users`` with their uids, ``groups`` with those of
their members, ``uids`` with name and home. What the host does not know is left out.
"""

from __future__ import annotations

import grp
import json
import pwd
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def found(users: Iterable[str], groups: Iterable[str], uids: Iterable[int]) -> dict[str, object]:
    """Look names and numbers up."""
    wanted = list(groups)
    everybody = pwd.getpwall() if wanted else []
    entries = {str(uid): entry for uid in uids if (entry := _entry(uid))}
    members: dict[str, list[int]] = {}
    for name in wanted:
        if group := _group(name):
            listed = {uid for member in group.gr_mem if (uid := _uid(member)) is not None}
            listed |= {user.pw_uid for user in everybody if user.pw_gid == group.gr_gid}
            members[name] = sorted(listed)
    return {
        "users": {user: uid for user in users if (uid := _uid(user)) is not None},
        "groups": members,
        "uids": {uid: [entry.pw_name, entry.pw_dir] for uid, entry in entries.items()},
    }


def _uid(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _entry(uid: int) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwuid(uid)
    except (KeyError, OverflowError):
        return None


def _group(name: str) -> grp.struct_group | None:
    try:
        return grp.getgrgid(int(name)) if name.isdecimal() else grp.getgrnam(name)
    except (KeyError, OverflowError):
        return None


if __name__ == "__main__":
    json.dump(found(**json.load(sys.stdin)), sys.stdout)
