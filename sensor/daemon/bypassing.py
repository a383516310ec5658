# SPDX-License-Identifier: Apache-2.0
"""Tries every way around a policy, in a place of its own, and holds it to what is expected.

Runs beside a daemon, in a process that does nothing afterwards: it moves itself
to a network and mounts of its own, in which all that it starts stays.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.content import as_held
from sensor.core.filter import Filter
from sensor.core.proof import outcome
from sensor.core.proof.aim import Aims
from sensor.core.proof.technique import Asks, Reach, Start
from sensor.core.proof.techniques import TECHNIQUES
from sensor.core.tools import MarkKind
from sensor.core.words import Kind
from sensor.daemon import live_policy
from sensor.daemon.attempting import Attempting, Place
from sensor.daemon.contents import LARGE_BYTES
from sensor.daemon.reading import SOCKET
from sensor.edge import mounts, parent, scratch
from sensor.edge.hubclient import Connection, Unreadable
from sensor.edge.snare import Snare
from sensor.errors import NotPermittedError
from sensor.wire.answers import Skipped
from sensor.wire.requests import Point, Scale, Subscribe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.event import Event
    from sensor.core.proof.aim import Aim
    from sensor.core.proof.outcome import Tried
    from sensor.core.proof.technique import Row, Technique
    from sensor.core.tools import Tool
    from sensor.daemon.live_policy import Live

TOLD_S = 10.0
"""How long the stream may take for what was tried last."""

_AGAIN_S = 0.2
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_FIRST_PLACE = IPv4Address("192.0.2.10")
_TOLD = Filter(kinds=frozenset({Kind.EXEC.value, Kind.CONNECT.value}))
_NO_MARK = "nothing-of-it"
_HOSTS = Path("/etc/hosts")


@dataclass(frozen=True, slots=True)
class Planned:
    """A technique with what it is tried on; None where policy has nothing for it."""

    technique: Technique
    aim: Aim | None


def prove(run_dir: Path, *, show: Callable[[int], None]) -> list[Row]:
    """Try everything on the policy of the daemon at ``run_dir``; ``show`` gets how many were.

    Raises NotPermittedError for anybody but root, what ``Connection`` raises,
    and SensorError where there is no place for it.
    """
    if os.geteuid() != 0:
        raise NotPermittedError("prove takes namespaces and cgroups of its own: run it as root")
    with Connection(run_dir / SOCKET) as connection:
        live = live_policy.ask(connection)
    with ExitStack() as stack:
        stack.callback(_heeding())
        try:
            return _prove(stack, run_dir, live, show)
        finally:
            _deafen()


def _prove(stack: ExitStack, run_dir: Path, live: Live, show: Callable[[int], None]) -> list[Row]:
    scratch.tidy(live.scope)
    cgroup = scratch.Cgroup(live.scope)
    stack.callback(cgroup.remove)
    plan = planned(live, cgroup.path)
    scratch.isolate()
    folder = scratch.Folder()
    stack.callback(folder.remove)
    _lay(plan, folder.path, live.catalogue)
    snare = _laid(plan, folder)
    stack.callback(snare.close)
    attempting = Attempting(Place(cgroup, folder.path, _names(plan)), snare)
    done: list[tuple[Planned, Tried | None]] = []
    for number, one in enumerate(plan, 1):
        tried = attempting.attempt(one.technique, one.aim) if one.aim else None
        done.append((one, tried))
        show(number)
    attempting.forget([one.aim for one in plan if one.aim])
    return list(_rows(done, _told(run_dir, live.newest_seq + 1, done)))


def planned(live: Live, cgroup: Path) -> list[Planned]:
    """Find what each technique is tried on."""
    top = mounts.cgroup2()
    aims = Aims(
        live.policy,
        live.catalogue,
        cgroup=f"/{cgroup.relative_to(top)}",
        now=datetime.now(UTC),
        by_name=live.by_name,
    )
    found = []
    for number, one in enumerate(TECHNIQUES):
        match one.way:
            case Start():
                aim = aims.start(one, one.way)
            case Reach():
                aim = aims.reach(one, one.way, _FIRST_PLACE + number)
        found.append(Planned(one, aim))
    return found


def _names(plan: list[Planned]) -> dict[MarkKind, str]:
    """Give the marks that the folder is laid out with: a kind has one tool at most."""
    names = dict.fromkeys(MarkKind, _NO_MARK)
    for one in plan:
        if isinstance(one.technique.way, Start) and one.aim and one.aim.mark:
            names[one.technique.way.mark] = one.aim.mark
    return names


def _lay(plan: list[Planned], folder: Path, catalogue: Catalogue) -> None:
    """Lay the files that are to be executed."""
    names, program = _names(plan), Path("/bin/sh").resolve()
    scratch.lay_out(
        folder,
        name=names[MarkKind.NAME],
        pair=names[MarkKind.PATH],
        module=names[MarkKind.MODULE],
        program=program,
    )
    of_program, of_script = (
        _tool(plan, catalogue, kind) for kind in (MarkKind.CONTENT, MarkKind.SCRIPT)
    )
    scratch.lay_texts(
        folder,
        program=program,
        contents=_held(of_program.contents if of_program else ()),
        scripts=_held(of_script.scripts if of_script else ()),
        size_bytes=LARGE_BYTES,
    )


def _tool(plan: list[Planned], catalogue: Catalogue, kind: MarkKind) -> Tool | None:
    """Give the tool that is known by a kind of mark, None where policy has none."""
    found = (
        one.aim.tool
        for one in plan
        if isinstance(one.technique.way, Start) and one.technique.way.mark is kind and one.aim
    )
    name = next(found, None)
    return catalogue.tool(name) if name else None


def _held(texts: Iterable[str]) -> bytes:
    return b" ".join(map(as_held, texts))


def _laid(plan: list[Planned], folder: scratch.Folder) -> Snare:
    """Make addresses and servers; from then on nothing is changed but names."""
    aims = [one.aim for one in plan if one.aim and one.aim.address]
    own = {aim.address for aim in aims if aim.address and not aim.address.is_loopback}
    scratch.furnish(sorted(own, key=str))
    hosts = [
        f"{one.aim.address} {one.aim.name}\n"
        for one in plan
        if one.aim and isinstance(one.technique.way, Reach) and one.technique.way.asks is Asks.HOSTS
    ]
    folder.hide(_HOSTS, f"127.0.0.1 localhost\n{''.join(hosts)}")
    return Snare((aim.port for aim in aims), begin=partial(_begin_servers, os.getpid()))


def _begin_servers(prover: int) -> None:
    """Let the servers end with the prover alone, not with Ctrl-C."""
    _deafen()
    parent.die_with(prover)


def _heeding() -> Callable[[], None]:
    """Have other signals end it as Ctrl-C does. Returns what puts all as it was."""
    before = {number: signal.getsignal(number) for number in _ENDING}
    for number in _ENDING:
        signal.signal(number, signal.default_int_handler)

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    return restore


def _deafen() -> None:
    """Let no signal disturb the tidying up."""
    for number in _ENDING:
        signal.signal(number, signal.SIG_IGN)


def _told(run_dir: Path, first: int, done: list[tuple[Planned, Tried | None]]) -> list[Event]:
    """Read the stream until it has all that is to be expected, or for a while."""
    deadline = time.monotonic() + TOLD_S
    while True:
        events = list(_events(run_dir, first))
        is_all = all(
            outcome.is_settled(one.technique, one.aim, tried, events)
            for one, tried in done
            if one.aim and tried
        )
        if is_all or time.monotonic() > deadline:
            return events
        time.sleep(_AGAIN_S)


def _events(run_dir: Path, first: int) -> Iterator[Event]:
    request = Subscribe(filter=_TOLD, since=Point(Scale.SEQ, first), follow=False)
    with Connection(run_dir / SOCKET) as connection:
        for batch in connection.events(request):
            for one in batch:
                if not isinstance(one, Skipped | Unreadable):
                    yield one


def _rows(done: list[tuple[Planned, Tried | None]], events: list[Event]) -> Iterator[Row]:
    for one, tried in done:
        if one.aim and tried:
            yield outcome.row(one.technique, one.aim, tried, events)
        else:
            yield outcome.idle(one.technique)
