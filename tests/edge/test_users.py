# SPDX-License-Identifier: Apache-2.0
"""Users and groups, and a database that answers, is dead, or talks nonsense."""

from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING

import pytest

from sensor.core.policy.model import Accounts
from sensor.edge.users import (
    AGAIN_S,
    FRESH_S,
    REMEMBERED,
    SPACED_S,
    Users,
    accounts,
    local_accounts,
)
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

ME = pwd.getpwuid(os.getuid())
NOBODYS_UID = 4_000_000_001
DEAD = "import time\ntime.sleep(600)\n"
SERVER = 'import json\nprint(json.dumps({"uids": {"70001": ["amy", "/home/amy"]}}))\n'
ENTRIES = """amy:x:1:10:A:/home/amy:/bin/sh
bob:x:2:20::/b:
broken:x:y:20::/b:
too:few
last:x:2:9::/:
"""


class Database:
    """A stand-in for what asks the database; ``asked`` says how often it was run."""

    def __init__(self, folder: Path, script: str) -> None:
        self._log = folder / "asked"
        self.path = folder / "ask.py"
        self.passwd = folder / "passwd"
        self.passwd.write_text(ENTRIES, "utf-8")
        self.says(script)

    def says(self, script: str) -> None:
        """Have it do something else from now on."""
        noting = f'open({str(self._log)!r}, "a").write("x")\n'
        self.path.write_text(noting + script, "utf-8")

    @property
    def asked(self) -> int:
        """How often it was asked."""
        return len(self._log.read_text("utf-8")) if self._log.exists() else 0


class Clock:
    """Stands still until it is moved."""

    now_s = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now_s


def users(database: Database, clock: Clock, within_s: float = 60) -> Users:
    """Give the users of a host with this database."""
    return Users(ask=database.path, passwd=database.passwd, within_s=within_s, now_s=clock)


def test_the_host_s_own_database_is_asked() -> None:
    """Users by their names, groups by their members; nobody is asked about nothing."""
    name = grp.getgrgid(ME.pw_gid).gr_name
    found = accounts([ME.pw_name, "no-such-user-here"], [name])
    assert found.users == {ME.pw_name: ME.pw_uid}
    assert ME.pw_uid in found.groups[name]


def test_a_policy_that_names_nobody_asks_nobody(tmp_path: Path) -> None:
    """No process is started for it."""
    assert accounts([], [], ask=tmp_path / "missing") == Accounts({}, {})


@pytest.mark.parametrize(
    ("script", "within_s", "why"),
    [
        (DEAD, 0.2, "did not answer within 0.2 s"),
        ("raise SystemExit(3)", 60, "cannot be asked"),
        ("print('nonsense')", 60, "cannot be asked"),
    ],
)
def test_a_database_that_does_not_answer_is_an_error(
    script: str, within_s: float, why: str, tmp_path: Path
) -> None:
    """After a while, and not never."""
    database = Database(tmp_path, script)
    with pytest.raises(SensorError, match=why):
        accounts(["amy"], [], ask=database.path, within_s=within_s)


def test_the_host_s_files_take_no_server(tmp_path: Path) -> None:
    """A group has those that it lists and those whose first it is, by name and number."""
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_text(ENTRIES, "utf-8")
    group.write_text("crew:x:10:bob,gone\nother:x:30:\nodd\n", "utf-8")
    found = local_accounts(["amy", "eve"], ["crew", "10", "no"], passwd=passwd, group=group)
    assert found == Accounts({"amy": 1}, {"crew": frozenset({1, 2}), "10": frozenset({1, 2})})
    nothing = tmp_path / "nothing"
    assert local_accounts(["amy"], ["crew"], passwd=nothing, group=nothing) == Accounts({}, {})


@pytest.mark.parametrize("sign", ["\u2028", "\u0085", "\r", "\v", "\f"])
def test_a_newline_alone_ends_an_entry(sign: str, tmp_path: Path) -> None:
    """As the C library has it: what else could end a line is a part of somebody's name."""
    passwd, group = tmp_path / "passwd", tmp_path / "group"
    passwd.write_bytes(f"amy:x:1:10:A{sign}B:/home/amy:/bin/sh\n".encode())
    group.write_bytes(b"crew:x:30:amy\n")
    found = local_accounts(["amy"], ["crew"], passwd=passwd, group=group)
    assert found == Accounts({"amy": 1}, {"crew": frozenset({1})})


def test_users_of_the_host_s_file_are_known_by_it(tmp_path: Path) -> None:
    """Of two with one uid, the first; what changes is read again."""
    database = Database(tmp_path, DEAD)
    clock = Clock()
    known = users(database, clock)
    assert (known.name(1), known.home(1)) == ("amy", "/home/amy")
    assert (known.name(2), known.home(2)) == ("bob", "/b")
    database.passwd.write_text(ENTRIES.replace("amy", "eve"), "utf-8")
    os.utime(database.passwd, ns=(1, 1))
    assert known.name(1) == "amy"
    clock.now_s += FRESH_S
    assert known.name(1) == "eve"
    assert database.asked == 0


def test_others_are_asked_for_once(tmp_path: Path) -> None:
    """Also those whom nobody knows; and not all at once."""
    database, clock = Database(tmp_path, SERVER), Clock()
    known = users(database, clock)
    assert (known.name(70001), known.home(70001)) == ("amy", "/home/amy")
    assert known.name(NOBODYS_UID) is None
    assert database.asked == 1  # two at a time are one too many
    clock.now_s += SPACED_S
    for _ in range(3):
        assert (known.name(NOBODYS_UID), known.home(NOBODYS_UID)) == (None, None)
    assert database.asked == 2


def test_a_dead_server_holds_nobody_up_again_and_again(tmp_path: Path) -> None:
    """Whoever is asked for has no name meanwhile, and gets it once it is back."""
    database, clock = Database(tmp_path, DEAD), Clock()
    known = users(database, clock, 0.5)
    for uid in range(70001, 70020):
        assert known.name(uid) is None
    clock.now_s += AGAIN_S / 2
    assert known.name(70001) is None
    assert database.asked == 1
    database.says(SERVER)
    clock.now_s += AGAIN_S
    assert users(database, clock).name(70001) == "amy"


def test_what_is_remembered_has_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is asked for anew."""
    monkeypatch.setattr("sensor.edge.users.REMEMBERED", 2)
    assert REMEMBERED > 2
    database, clock = Database(tmp_path, 'print("{\\"uids\\": {}}")'), Clock()
    known = users(database, clock)
    database.passwd.unlink()
    for uid in 1, 2, 3, 3, 1:
        assert known.name(uid) is None
        clock.now_s += SPACED_S
    assert database.asked == 4
