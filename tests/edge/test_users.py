# SPDX-License-Identifier: Apache-2.0
"""Users and groups are those of the host's database."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

from sensor.edge.users import accounts

if TYPE_CHECKING:
    import pytest

ME = pwd.getpwuid(os.getuid())


def test_a_user_has_a_uid() -> None:
    """Whom the host does not know is left out."""
    found = accounts([ME.pw_name, "no-such-user-here"], [])
    assert found.users == {ME.pw_name: ME.pw_uid}
    assert found.groups == {}


def test_a_group_has_those_whose_first_it_is() -> None:
    """By its name and by its number; one that is not there is left out."""
    name = grp.getgrgid(ME.pw_gid).gr_name
    found = accounts([], [name, str(ME.pw_gid), "no-such-group-here", "9" * 30])
    assert found.groups.keys() == {name, str(ME.pw_gid)}
    assert ME.pw_uid in found.groups[name]
    assert found.groups[name] == found.groups[str(ME.pw_gid)]


def test_a_group_has_those_whom_it_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    """Members that are no users any more are left out."""
    listed = grp.struct_group(("crew", "x", 4711, [ME.pw_name, "no-such-user-here"]))
    monkeypatch.setattr(grp, "getgrnam", lambda _: listed)
    assert accounts([], ["crew"]).groups == {"crew": {ME.pw_uid}}
