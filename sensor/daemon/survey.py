# SPDX-License-Identifier: Apache-2.0
"""One root looked through: names become leads, leads are looked at, and what they tell is taken."""

from __future__ import annotations

import stat
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sensor.core.audit import leads, system
from sensor.core.audit.leads import How, Lead, Measure, Seen
from sensor.core.audit.spotting import SUFFIXES, Spotter, is_session
from sensor.core.audit.trace import Home, Trace
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.edge import audit_lines, audit_root, audit_rpm
from sensor.edge.audit_walk import Entry, Left, walk

if TYPE_CHECKING:
    import os
    from collections.abc import Callable

    from sensor.core.audit.system import Finder
    from sensor.core.content import Markers
    from sensor.edge.audit_root import Root

PROGRAM_BYTES = 8 << 20
"""From this size on an executable file is looked into: every tool that is one is larger."""

CONTENT_BYTES = 512 << 20
"""So much of one file is looked into at most: the largest tool has 381 MB."""

CONTENTS_BYTES = 8 << 30
"""So much of all files of one home: nobody is to use up what is there for others."""

NOT_LOOKED_INTO = f"not looked into, after {CONTENTS_BYTES >> 30} GiB of programs in one home"

MOST_KNOWN = 100_000
"""So many files are remembered, so that a link to one is not read again."""

_EVERY = 1024
_TAIL_BYTES = 1 << 18
_ELF = b"\x7fELF"
_SUFFIXES = (".exe", ".bin", ".run", ".appimage")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What an audit finds by; made once."""

    home: Spotter
    system: Spotter
    packaged: Finder
    markers: Markers


@dataclass(slots=True, kw_only=True)
class Survey:
    """Looks through the homes and places of one root; ``entries`` counts the names."""

    root: Root
    tools: Tools
    take: Callable[[Home, Trace], None]
    enters: Callable[[str], bool]
    leave: Callable[[str, str], None]
    show: Callable[[int], None]
    contents: bool
    entries: int = 0
    _budget: int = CONTENTS_BYTES
    _known: dict[tuple[int, int], str | None] = field(default_factory=dict)

    def home(self, home: Home) -> None:
        """Look through one home."""
        top, self._budget = (home.path or "").strip("/"), CONTENTS_BYTES
        _Tree(self, self.tools.home, top=top, take=lambda trace: self.take(home, trace)).look()

    def system(self, home: Home, owner: Callable[[str | int], Home]) -> None:
        """Look through the system's places; what belongs to somebody is ascribed to them."""
        self._budget = CONTENTS_BYTES

        def take(trace: Trace) -> None:
            self.take(home if trace.owner is None else owner(trace.owner), trace)

        tops = [*((one, False) for one in system.FOLDERS), *((one, True) for one in system.TREES)]
        for folder, deep in tops:
            if self.root.is_same(folder):
                continue  # a link to the root itself: all homes would be the system's

            _Tree(self, self.tools.system, top=folder, take=take, prefix=folder, deep=deep).look()

        for place in audit_rpm.PLACES:
            for name in audit_rpm.names(self.root, place):
                if trace := self.tools.packaged.rpm(name, f"/{place}"):
                    take(trace)

    def content(self, fd: int, name: str, status: os.stat_result, path: str) -> str | None:
        """Say which tool a program is by what it holds; each file once, within a budget."""
        key = (status.st_dev, status.st_ino)
        if not self.contents:
            return None
        if key in self._known:  # another name of it, maybe somebody else's
            return self._known[key]
        if self._budget <= 0:
            self.leave(path.lstrip("/"), NOT_LOOKED_INTO)
            return None
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[key] = None
        if audit_root.text(fd, name, len(_ELF)) != _ELF.decode("ascii"):
            return None
        self._budget -= min(status.st_size, CONTENT_BYTES)
        if tool := self.tools.markers.search(audit_root.windows(fd, name, CONTENT_BYTES)):
            self._known[key] = tool.id
        return self._known[key]


@dataclass(slots=True)
class _Open:
    """A state folder whose measure is being taken."""

    below: str
    lead: Lead
    seen: Seen
    measure: Measure


class _Tree:
    """One tree. ``prefix`` stands before paths where the spotter counts from the root."""

    def __init__(
        self, survey: Survey, spotter: Spotter, *, top: str, take: Callable[[Trace], None],
        prefix: str = "", deep: bool = True,
    ) -> None:  # fmt: skip
        self._survey = survey
        self._spotter = spotter
        self._top = top
        self._take = take
        self._prefix = prefix
        self._deep = deep
        self._open: list[_Open] = []

    def look(self) -> None:
        """Go through the tree."""
        survey, names = self._survey, self._spotter.names
        top, folder, is_whole = f"{self._top}/" if self._top else "", None, False
        found = walk(
            survey.root,
            self._top,
            enters=lambda path: survey.enters(top + path),
            left=lambda path, why: self._leave(top + path, why),
            deep=self._deep,
        )
        for one in found:
            survey.entries += 1
            if not survey.entries % _EVERY:
                survey.show(survey.entries)
            if one.folder is not folder:
                folder = one.folder
                is_whole = self._spotter.whole(self._place(folder))
                self._close(folder)
            name = one.entry.name
            if is_whole or name in names or name.endswith(SUFFIXES):
                self._spot(one)
            if self._open and not one.is_folder:
                self._measure(one)
            if not one.is_folder and _may_be_program(name):
                self._look_into(one)
        self._close(None)

    def _leave(self, path: str, why: Left) -> None:
        """Note what was left; of the system's places most hosts lack some."""
        if path.rstrip("/") != self._top or self._survey.root.stat(self._top):
            self._survey.leave(path.rstrip("/"), why.value)

    def _place(self, folder: str) -> str:
        return "/".join(filter(None, (self._prefix, folder)))

    def _spot(self, one: Entry) -> None:
        lead = self._spotter.lead(self._place(one.folder), one.entry.name)
        status = _status(one) if lead else None
        if lead is None or status is None:
            return
        is_link = stat.S_ISLNK(status.st_mode)
        if not (one.is_folder or is_link or stat.S_ISREG(status.st_mode)):
            return
        path = self._path(one)
        seen = Seen(
            path=_shown(path), mtime_ns=status.st_mtime_ns, is_folder=one.is_folder,
            uid=status.st_uid,
        )  # fmt: skip
        if lead.how is How.TREE and one.is_folder:
            below = "/".join(filter(None, (one.folder, one.entry.name)))
            self._open.append(_Open(below, lead, seen, Measure()))
            return
        if is_link and lead.how is How.TREE:
            seen = replace(seen, measure=Measure(), target="")
        elif is_link and not (lead.how is How.LINK or lead.files):
            return  # what it leads to may be somebody else's
        for trace in lead.tell(self._looked(one, lead, seen, path)):
            self._take(trace)

    def _looked(self, one: Entry, lead: Lead, seen: Seen, path: str) -> Seen:
        """Do what a lead asks for."""
        name, root = one.entry.name, self._survey.root
        match lead.how:
            case How.TEXT if lead.files:
                texts = [root.text(f"{path}/{file}", leads.TEXT_BYTES) for file in lead.files]
                return replace(seen, texts=tuple(text for text in texts if text is not None))
            case How.TEXT:
                text = audit_root.text(one.fd, name, leads.TEXT_BYTES)
                return replace(seen, texts=() if text is None else (text,))
            case How.LINES:
                lines = audit_lines.lines(one.fd, name, leads.LINES_BYTES)
                return replace(seen, lines=lines)
            case How.LINK:
                target = audit_root.target(one.fd, name)
                exists = None if target is None else root.stat(path) is not None
                return replace(seen, target=target, target_exists=exists)
            case How.TAIL:
                return replace(seen, tail=audit_root.tail(one.fd, name, _TAIL_BYTES))
            case How.ENTRY | How.TREE:
                return seen

    def _measure(self, one: Entry) -> None:
        status = _status(one)
        if status is None or not stat.S_ISREG(status.st_mode):
            return
        path = f"{one.folder}/{one.entry.name}"
        for level in self._open:
            if path.startswith(f"{level.below}/"):
                inside = path.removeprefix(f"{level.below}/")
                level.measure.add(status.st_mtime_ns, is_session=is_session(inside))

    def _close(self, folder: str | None) -> None:
        """Tell of the state folders that are gone through, the innermost first."""
        while self._open:
            level = self._open[-1]
            if folder is not None and f"{folder}/".startswith(f"{level.below}/"):
                return
            self._open.pop()
            for trace in level.lead.tell(replace(level.seen, measure=level.measure)):
                self._take(trace)

    def _look_into(self, one: Entry) -> None:
        status = _status(one)
        if status is None or not (stat.S_ISREG(status.st_mode) and status.st_mode & 0o111):
            return
        if status.st_size < PROGRAM_BYTES:
            return
        if tool := self._survey.content(one.fd, one.entry.name, status, self._path(one)):
            self._take(
                Trace(
                    tool=tool,
                    source=Source.BINARY,
                    shows=Shows.INSTALLED,
                    certainty=Certainty.CERTAIN,
                    path=_shown(self._path(one)),
                    first_ns=status.st_mtime_ns,
                    note="known by its contents",
                )
            )

    def _path(self, one: Entry) -> str:
        return f"/{'/'.join(filter(None, (self._top, one.folder, one.entry.name)))}"


def _status(one: Entry) -> os.stat_result | None:
    try:
        return one.entry.stat(follow_symlinks=False)
    except OSError:
        return None


def _may_be_program(name: str) -> bool:
    """Tell by its name whether a file may be a program: what has a suffix mostly is none."""
    stem, dot, suffix = name.lstrip(".").rpartition(".")
    return not dot or not stem or suffix[:1].isdigit() or name.lower().endswith(_SUFFIXES)


def _shown(path: str) -> str:
    """Make bytes that are no UTF-8 escapes, as everywhere."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
