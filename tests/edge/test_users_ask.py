# SPDX-License-Identifier: Apache-2.0
"""Users and groups are those of the host's database."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

from sensor.edge.users_ask import found

if TYPE_CHECKING:
    import pytest

ME = pwd.getpwuid(os.getuid())
NOBODYS_UID = 4_000_000_001


def test_a_user_has_a_uid() -> None:
    """Whom the host does not know is left out."""
    said = found([ME.pw_name, "no-such-user-here"], [], [])
    assert said == {"users": {ME.pw_name: ME.pw_uid}, "groups": {}, "uids": {}}


def test_a_uid_has_a_name_and_a_home() -> None:
    """Numbers that are none are left out too."""
    said = found([], [], [ME.pw_uid, NOBODYS_UID, 2**80])
    assert said["uids"] == {str(ME.pw_uid): [ME.pw_name, ME.pw_dir]}


def test_a_group_has_those_whose_first_it_is() -> None:
    """By its name and by its number; one that is not there is left out."""
    name = grp.getgrgid(ME.pw_gid).gr_name
    groups = found([], [name, str(ME.pw_gid), "no-such-group-here", "9" * 30], [])["groups"]
    assert isinstance(groups, dict)
    assert groups.keys() == {name, str(ME.pw_gid)}
    assert ME.pw_uid in groups[name]
    assert groups[name] == groups[str(ME.pw_gid)]


def test_a_group_has_those_whom_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that are no users any more are left out."""
    listed = grp.struct_group(("crew", "x", 4711, [ME.pw_name, "no-such-user-here"]))
    monkeypatch.setattr(grp, "getgrnam", lambda _: listed)
    assert found([], ["crew"], [])["groups"] == {"crew": [ME.pw_uid]}
