# SPDX-License-Identifier: Apache-2.0
"""The audit: goes through homes and the system's places, and gathers what they show.

Needs no running process, no kernel support and no root: what cannot be read is
left, and told.
"""

from __future__ import annotations

import os
import pwd
import stat
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.audit import homes, system
from sensor.core.audit.findings import Ledger
from sensor.core.audit.spotting import Spotter, is_skipped
from sensor.core.audit.trace import Home
from sensor.core.content import Markers
from sensor.core.quote import quote
from sensor.daemon.survey import Survey, Tools
from sensor.edge import mounts
from sensor.edge.audit_root import Root
from sensor.edge.audit_walk import Left
from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sensor.core.audit.atlas import Atlas
    from sensor.core.audit.homes import Account
    from sensor.core.audit.trace import Trace

_PASSWD_BYTES = 16 << 20
_MOST_HOMES = 100_000
_MOST_LAYERS = 4096
_LAYERS = (
    ("docker", "var/lib/docker/overlay2", "diff"),
    ("podman", "var/lib/containers/storage/overlay", "diff"),
    ("containerd", "var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots", "fs"),
)
_LAYERS_AT_HOME = (
    ("podman", ".local/share/containers/storage/overlay", "diff"),
    ("docker", ".local/share/docker/overlay2", "diff"),
)
_ID_SHOWN = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be looked at. Without homes and users: all, and the system's places."""

    root: Path = Path("/")
    homes: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    contents: bool = True


@dataclass(slots=True)
class Looked:
    """How far it went. ``left`` counts what was not gone through; ``examples`` names some."""

    entries: int = 0
    homes: int = 0
    layers: int = 0
    left: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    def leave(self, path: str, why: str) -> None:
        """Note something that was not gone through."""
        self.left[why] += 1
        self.examples.setdefault(why, path)


class Audit:
    """One audit; ``show`` is told the number of names so far now and then."""

    def __init__(self, atlas: Atlas, *, show: Callable[[int], None] = lambda _amount: None) -> None:
        self._ledger = Ledger({tool.id: tool.vendor for tool in atlas.tools})
        self._tools = Tools(
            home=Spotter(atlas),
            system=Spotter(atlas, in_home=False),
            packaged=system.Finder(atlas),
            markers=Markers(atlas.tools),
        )
        self._show = show
        self._owner: Callable[[str | int], Home] = _by_owner([], "")
        self._is_limited = False
        self.looked = Looked()

    def add(self, user: str | None, uid: int | None, trace: Trace) -> None:
        """Add what was seen of a user by other means; of others than were asked for, nothing."""
        owner = user if user is not None else uid
        home = self._owner(owner) if owner is not None else Home(None, None, None)
        if home.path is not None or not self._is_limited:
            self._ledger.take(home, trace)

    @property
    def ledger(self) -> Ledger:
        """What was found."""
        return self._ledger

    def run(self, wanted: Wanted) -> None:
        """Go through what is wanted. Raises BadInputError where the root is no folder."""
        with ExitStack() as stack:
            root = Root(wanted.root)
            stack.callback(root.close)
            is_host = wanted.root.resolve() == Path("/")
            place = "" if is_host else str(wanted.root)
            elsewhere = mounts.elsewhere()
            accounts = list(_accounts(root, is_host=is_host))
            found = list(self._homes(root, accounts, wanted, place))
            survey = self._survey(root, place, elsewhere, contents=wanted.contents)
            self._owner = _by_owner(found, place)
            self._is_limited = bool(wanted.homes or wanted.users)
            if not self._is_limited:
                survey.system(Home(None, None, None, place), self._owner)
                self._layers(root, found, wanted, elsewhere)
            for home in found:
                self.looked.homes += 1
                survey.home(home)
            self.looked.entries = survey.entries

    def _survey(
        self, root: Root, place: str, elsewhere: dict[str, str], *, contents: bool
    ) -> Survey:
        """Prepare to look through one root; the host's mounts count below its own path."""
        above = str(root.path.resolve()).rstrip("/")

        def leave(path: str, why: str) -> None:
            self.looked.leave(f"{place}/{path}", why)

        def enters(path: str) -> bool:
            if f"{above}/{path}" in elsewhere:
                leave(path, Left.MOUNT.value)
                return False
            return not is_skipped(path)

        return Survey(
            root=root, tools=self._tools, take=self._ledger.take, enters=enters, leave=leave,
            show=self._show, contents=contents, entries=self.looked.entries,
        )  # fmt: skip

    def _homes(
        self, root: Root, accounts: list[Account], wanted: Wanted, place: str
    ) -> Iterator[Home]:
        by_uid = {one.uid: one.user for one in reversed(accounts)}
        known = {one.home.rstrip("/"): one for one in reversed(accounts) if homes.is_home(one.home)}
        if wanted.homes or wanted.users:
            yield from _named(root, known, by_uid, wanted, place)
            return
        paths = dict.fromkeys(sorted({"/root", *known}))
        for parent in homes.parents(accounts):
            for name in _folders(root, parent):
                if len(paths) >= _MOST_HOMES:
                    self.looked.leave(f"{place}{parent}", "with more homes than are looked at")
                    break
                paths[f"{parent}/{name}"] = None
        for path in paths:
            if home := _home(root, path, known, by_uid, place):
                yield home

    def _layers(
        self, root: Root, found: list[Home], wanted: Wanted, elsewhere: dict[str, str],
    ) -> None:  # fmt: skip
        """Go through the layers of containers, each a root of its own."""
        folders = list(_LAYERS)
        folders += [
            (kind, f"{home.path}/{below}", last)
            for home in found
            for kind, below, last in _LAYERS_AT_HOME
        ]
        for kind, folder, last in folders:
            for name in _folders(root, folder):
                if self.looked.layers >= _MOST_LAYERS:
                    self.looked.leave(folder, "with more layers than are looked at")
                    return
                if root.stat(f"{folder}/{name}/{last}") is None:
                    continue
                self.looked.layers += 1
                path = wanted.root / folder.lstrip("/") / name / last
                self._layer(path, f"{kind}:{name[:_ID_SHOWN]}", elsewhere, wanted)

    def _layer(self, path: Path, place: str, elsewhere: dict[str, str], wanted: Wanted) -> None:
        with suppress(OSError, SensorError), ExitStack() as stack:
            layer = Root(path)
            stack.callback(layer.close)
            accounts = list(_accounts(layer, is_host=False))
            found = list(self._homes(layer, accounts, Wanted(), place))
            survey = self._survey(layer, place, elsewhere, contents=wanted.contents)
            survey.system(Home(None, None, None, place), _by_owner(found, place))
            for home in found:
                survey.home(home)
            self.looked.entries = survey.entries


def _accounts(root: Root, *, is_host: bool) -> Iterator[Account]:
    """Read who there is: of the host by its own means, which may ask a directory service."""
    if is_host:
        for one in pwd.getpwall():
            yield homes.Account(one.pw_name, one.pw_uid, one.pw_dir)
    else:
        yield from homes.accounts(root.text("etc/passwd", _PASSWD_BYTES) or "")


def _named(
    root: Root, known: dict[str, Account], by_uid: dict[int, str], wanted: Wanted, place: str
) -> Iterator[Home]:
    paths = dict.fromkeys(path.rstrip("/") or "/" for path in wanted.homes)
    for user in wanted.users:
        mine = [path for path, one in known.items() if user in {one.user, str(one.uid)}]
        if not mine:
            raise BadInputError(f"--user {quote(user)}: nobody has a home by this name; name one")
        paths |= dict.fromkeys(mine)
    for path in paths:
        home = _home(root, path, known, by_uid, place)
        if home is None:
            raise BadInputError(f"--home {quote(path)}: no folder that you can reach; name one")
        yield home


def _home(
    root: Root, path: str, known: dict[str, Account], by_uid: dict[int, str], place: str
) -> Home | None:
    """Say whose a home is: its account's, else its owner's; a folder without either is nobody's."""
    status = root.stat(path)
    if status is None or not stat.S_ISDIR(status.st_mode):
        return None
    account = known.get(path)
    if account:
        return Home(path, account.user, account.uid, place)
    return Home(path, by_uid.get(status.st_uid), status.st_uid, place)


def _folders(root: Root, path: str) -> Iterator[str]:
    with suppress(OSError):
        fd = root.folder(path)
        try:
            with os.scandir(fd) as entries:
                yield from sorted(one.name for one in entries if one.is_dir(follow_symlinks=False))
        finally:
            os.close(fd)


def _by_owner(found: list[Home], place: str) -> Callable[[str | int], Home]:
    """Find whose something outside of homes is, by name or uid."""
    of: dict[str | int, Home] = {}
    for home in reversed(found):
        for key in (home.user, home.uid):
            if key is not None:
                of[key] = home

    def find(owner: str | int) -> Home:
        name, uid = (owner, None) if isinstance(owner, str) else (None, owner)
        return of.get(owner) or Home(None, name, uid, place)

    return find
