# SPDX-License-Identifier: Apache-2.0
"""Brokers: programs that start others for whoever asks them, and who has asked them lately.

What a session has one of them start is no descendant of its tool. Who asked is
told by no kernel: the client was there a moment before.
"""

from __future__ import annotations

import posixpath
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Exec, Process
    from sensor.core.lineage import Member
    from sensor.core.sessions import Session

_SECOND_NS = 1_000_000_000

_OF_PID = re.compile(r"run-p(\d+)-i\d+")

CLIENTS = 1024
"""Clients remembered; the oldest make room."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """One kind: how its processes are called, by file and by command name, and its clients.

    What a client asks for is forked ``within_ns`` of its own start, or was not its doing;
    and not after its end, but where the client need not wait: ``after_ns`` is for that.
    A broker that ``names_units`` gives what it starts a cgroup whose name tells. One that
    ``gives_away`` starts things as the user who asked; any other serves the user that it runs
    as, and what it starts as somebody else may be anybody's. Where a ``client_tells`` nothing,
    others' things begin all the time while it is there.
    """

    name: str
    programs: frozenset[str]
    comms: frozenset[str]
    clients: frozenset[str]
    within_ns: int = 10 * _SECOND_NS
    after_ns: int = 0
    names_units: bool = False
    gives_away: bool = False
    client_tells: bool = True


def _kind(
    name: str, programs: str, clients: str, *comms: str, after_ns: int = 0, gives_away: bool = False
) -> Broker:
    files = frozenset(programs.split())
    return Broker(
        name=name, programs=files, clients=frozenset(clients.split()),
        comms=frozenset(comms) or files, after_ns=after_ns, gives_away=gives_away,
    )  # fmt: skip


BROKERS = (
    # at(1) 3.2.5, tmux 3.3a (compat/setproctitle.c), screen 4.9: as Debian 12 has them.
    _kind("at", "atd", "at batch", after_ns=_SECOND_NS, gives_away=True),
    _kind("tmux", "tmux", "tmux", "tmux: server"),
    _kind("screen", "screen", "screen", after_ns=_SECOND_NS),
    Broker(
        name="systemd",
        programs=frozenset({"systemd"}),
        comms=frozenset({"systemd"}),
        clients=frozenset({"systemd-run"}),
        after_ns=_SECOND_NS,  # --no-block: it ends before systemd has forked
        names_units=True,
    ),
    # A client that runs a container may have to fetch it first. Its user is whoever the image
    # says, and dockerd serves all; what podman starts here is its own child, and followed.
    Broker(
        name="container",
        programs=frozenset(
            {"containerd-shim", "containerd-shim-runc-v2", "containerd", "dockerd", "conmon",
             "runc", "crun"}
        ),
        comms=frozenset({"containerd-shim", "containerd", "dockerd", "conmon", "runc", "crun"}),
        clients=frozenset({"docker", "podman", "nerdctl", "ctr", "crictl"}),
        within_ns=600 * _SECOND_NS,
        client_tells=False,
    ),
)  # fmt: skip

COMMS = frozenset(comm for one in BROKERS for comm in one.comms)
"""By these the kernel knows a broker (``probes/brokers.c``)."""

_BY_PROGRAM = {program: one for one in BROKERS for program in one.programs}
_BY_CLIENT = {client: one for one in BROKERS for client in one.clients}


def broker_of(exe: str) -> Broker | None:
    """Say which broker a file is, by its name; None for none."""
    return _BY_PROGRAM.get(posixpath.basename(exe))


@dataclass(slots=True, kw_only=True)
class Client:
    """A process of a session that may ask a broker; ``units`` are the names that it wants."""

    broker: Broker
    session: Session
    depth: int | None
    pid: int
    uid: int
    since_ns: int
    units: frozenset[str]
    ended_ns: int | None = None

    def may_have_asked(self, at_ns: int) -> bool:
        """Tell whether what was forked at a time may be this one's doing."""
        if self.ended_ns is not None and at_ns - self.ended_ns > self.broker.after_ns:
            return False
        return 0 <= at_ns - self.since_ns <= self.broker.within_ns


class Clients:
    """The clients of brokers among the processes of sessions, now and a moment ago."""

    def __init__(self) -> None:
        self._clients: OrderedDict[Process, Client] = OrderedDict()

    def note(self, fact: Exec, member: Member) -> None:
        """Take what a member runs now."""
        self.end(fact.process, fact.at_ns)
        broker = _BY_CLIENT.get(posixpath.basename(fact.exe))
        if broker is None or fact.late:
            return
        self._clients[fact.process] = Client(
            broker=broker,
            session=member.session,
            depth=member.below(),
            pid=fact.process.pid,
            uid=fact.uid,
            since_ns=fact.at_ns,
            units=frozenset(_units(fact.argv)),
        )
        self._clients.move_to_end(fact.process)
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)

    def end(self, process: Process, at_ns: int) -> None:
        """Take the end of a member, or of what it ran."""
        client = self._clients.get(process)
        if client and client.ended_ns is None:
            client.ended_ns = at_ns

    def of(self, broker: Broker, uid: int, at_ns: int) -> list[Client]:
        """Give a user's, in running sessions, who may have asked for what was forked then."""
        return [
            one
            for one in self._clients.values()
            if one.broker is broker
            and one.uid == uid
            and one.session.alive
            and one.may_have_asked(at_ns)
        ]


def _units(argv: tuple[str, ...]) -> Iterator[str]:
    """Give the unit's name that systemd-run was told to use, without its type."""
    for at, word in enumerate(argv):
        if word.startswith("--unit="):
            yield _bare(word.removeprefix("--unit="))
        elif word in {"-u", "--unit"} and at + 1 < len(argv):
            yield _bare(argv[at + 1])


def _bare(unit: str) -> str:
    return unit.removesuffix(".service").removesuffix(".scope")


def unit_of(cgroup: str | None, client: Client) -> str | None:
    """Name the unit that systemd made for a client, by the cgroup of what runs in it.

    Without a name of its own systemd-run calls it ``run-…`` (systemd.unit(5), systemd-run(1)),
    newer ones ``run-pPID-…``, with their own pid.
    """
    for part in reversed((cgroup or "").split("/")):
        name = _bare(part)
        if name != part and (name in client.units or _is_made_up(name, client)):
            return part
    return None


def _is_made_up(name: str, client: Client) -> bool:
    """Tell whether a client may have called a unit so that nobody had named."""
    if of_pid := _OF_PID.fullmatch(name):
        return int(of_pid[1]) == client.pid
    return name.startswith("run-")
