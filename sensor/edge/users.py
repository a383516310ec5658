# SPDX-License-Identifier: Apache-2.0
"""The user database: uids of those whom a policy names, and who has a uid.

Whatever /etc/passwd does not say may have to be asked of a server, which may be
dead. So a process of its own asks (``edge/users_ask``), and is given up in time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sensor.core.policy.model import Accounts
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ASKED_S, GLANCE_S = 2.0, 0.5
"""So long a look for those whom a policy names may take, and one for the name of a uid."""

AGAIN_S, SPACED_S = 60.0, 0.25
"""How long nobody is asked after that took too long, and how long between two uids."""

FRESH_S = 1.0
"""How long the host's own file is not looked at again."""

REMEMBERED = 1024
"""Uids, with the names and homes that they have or have not."""

_ASK = Path(__file__).with_name("users_ask.py")
_PASSWD, _GROUP = Path("/etc/passwd"), Path("/etc/group")
_PASSWD_FIELDS, _GROUP_FIELDS = 7, 4


def accounts(
    users: Iterable[str], groups: Iterable[str], *, ask: Path = _ASK, within_s: float = ASKED_S
) -> Accounts:
    """Look names up; what this host does not know is left out.

    A group may be given by its number. Its members are those whom the database
    lists, and all whose primary group it is: those that getpwent(3) gives, which
    for a directory service may be none. Raises SensorError where nothing answers in time.
    """
    wanted = {"users": [*users], "groups": [*groups], "uids": []}
    if not any(wanted.values()):
        return Accounts({}, {})
    said = _asked(ask, wanted, within_s)
    members = {name: frozenset(uids) for name, uids in said["groups"].items()}
    return Accounts(said["users"], members)


def _asked(ask: Path, wanted: dict[str, list[Any]], within_s: float) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", ask], input=json.dumps(wanted), capture_output=True,
            text=True, errors="backslashreplace", check=True, timeout=within_s,
        )  # fmt: skip
        said: dict[str, Any] = json.loads(done.stdout)
    except subprocess.TimeoutExpired as problem:
        raise SensorError(
            f"the user database did not answer within {within_s:g} s; see nsswitch.conf"
        ) from problem
    except (OSError, subprocess.CalledProcessError, ValueError) as problem:
        raise SensorError(f"the user database cannot be asked: {problem}") from problem
    return said


def local_accounts(
    users: Iterable[str], groups: Iterable[str], *, passwd: Path = _PASSWD, group: Path = _GROUP
) -> Accounts:
    """Look names up in the host's own files alone, which takes no server."""
    rows = _rows(passwd, _PASSWD_FIELDS)
    uids = {row[0]: int(row[2]) for row in rows if row[2].isdecimal()}
    found: dict[str, frozenset[int]] = {}
    wanted = {*groups}
    for name, _, gid, listed in _rows(group, _GROUP_FIELDS):
        first = {uids[row[0]] for row in rows if row[3] == gid and row[0] in uids}
        members = frozenset(first | {uids[one] for one in listed.split(",") if one in uids})
        found.update({word: members for word in (name, gid) if word in wanted})
    return Accounts({user: uids[user] for user in users if user in uids}, found)


def _rows(path: Path, fields: int) -> list[list[str]]:
    """Give the entries of a file; as for nss_files, a newline alone ends one (U+2028 does not)."""
    try:
        text = path.read_bytes().decode("utf-8", "backslashreplace")
    except OSError:
        return []
    return [row for line in text.split("\n") if len(row := line.split(":")) == fields]


class Users:
    """Names and homes of uids. Waits for no server but a moment, and once a minute at most."""

    def __init__(
        self,
        *,
        ask: Path = _ASK,
        passwd: Path = _PASSWD,
        within_s: float = GLANCE_S,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._passwd = passwd
        self._within_s = within_s
        self._now_s = now_s
        self._known: OrderedDict[int, tuple[str, str] | None] = OrderedDict()
        self._local: dict[int, tuple[str, str]] = {}
        self._stamp = 0
        self._not_before_s = self._fresh_until_s = 0.0

    def name(self, uid: int) -> str | None:
        """Return the name of a user, None for one without, or of whom nothing is known yet."""
        entry = self._entry(uid)
        return entry[0] if entry else None

    def home(self, uid: int) -> str | None:
        """Return the home of a user, None likewise."""
        entry = self._entry(uid)
        return entry[1] if entry else None

    def _entry(self, uid: int) -> tuple[str, str] | None:
        if found := self._of_host().get(uid):
            return found
        if uid not in self._known:
            now_s = self._now_s()
            if now_s < self._not_before_s:
                return None
            self._not_before_s = now_s + SPACED_S
            try:
                said = _asked(self._ask, {"users": [], "groups": [], "uids": [uid]}, self._within_s)
            except SensorError:
                self._not_before_s = self._now_s() + AGAIN_S
                return None
            entry = said["uids"].get(str(uid))
            self._known[uid] = (entry[0], entry[1]) if entry else None
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return self._known[uid]

    def _of_host(self) -> dict[int, tuple[str, str]]:
        """Give those of the host's own file, read again when it has changed."""
        if self._now_s() < self._fresh_until_s:
            return self._local
        self._fresh_until_s = self._now_s() + FRESH_S
        try:
            stamp = self._passwd.stat().st_mtime_ns
        except OSError:
            stamp, self._local = 0, {}
        if stamp != self._stamp:
            rows = reversed(_rows(self._passwd, _PASSWD_FIELDS))  # of two, the first counts
            self._local = {int(row[2]): (row[0], row[5]) for row in rows if row[2].isdecimal()}
            self._stamp = stamp
        return self._local
