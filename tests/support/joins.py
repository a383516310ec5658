# SPDX-License-Identifier: Apache-2.0
"""Stories of brokers: a session with a client of one, and what a broker starts."""

from __future__ import annotations

from dataclasses import replace

from sensor.core.engine import Engine
from sensor.core.facts import Exec, Seen
from support.story import CATALOGUE, CLAUDE, StoryHost, at, exec_, fork

MARKED = replace(
    CATALOGUE,
    tools=(
        replace(CATALOGUE.tools[0], environment=("CLAUDECODE",)),
        replace(CATALOGUE.tools[1], environment=("CODEX_CI",)),
        *CATALOGUE.tools[2:],
    ),
)
TMUX = exec_(5, "/usr/bin/tmux", late=True)
ATD = exec_(5, "/usr/sbin/atd", late=True)
SYSTEMD = exec_(5, "/usr/lib/systemd/systemd", late=True)
SHIM = exec_(5, "/usr/bin/containerd-shim-runc-v2", late=True)
CONMON = exec_(5, "/usr/bin/conmon", late=True)
PANE = 20


class Host(StoryHost):
    """A host with one unit of systemd-run."""

    def cgroup(self, cgroup_id: int) -> str | None:
        """Know the unit beside the one cgroup of all stories."""
        unit = "/system.slice/run-u3.service"
        return unit if cgroup_id == 8 else super().cgroup(cgroup_id)


def engine(*sessions: int, argv: tuple[str, ...] = CLAUDE) -> Engine:
    """Return an engine that looks, with a tool's session for each of these pids."""
    one = Engine(MARKED, Host(), looks=True)
    for pid in sessions:
        begin(one, pid, argv)
    return one


def begin(one: Engine, pid: int, argv: tuple[str, ...], *, uid: int = 1000) -> None:
    """Begin a session."""
    list(one.see(replace(exec_(pid, *argv), uid=uid)))
    list(one.see(Seen(at_ns=at(pid).started_ns + 2000, process=at(pid))))


def ask(one: Engine, root: int, pid: int, *argv: str, uid: int = 1000) -> None:
    """Have a tool's child ask a broker."""
    list(one.see(fork(root, pid)))
    list(one.see(replace(exec_(pid, *argv, root=root, parent=at(root)), uid=uid)))


def pane(*argv: str, uid: int = 1000, cgroup_id: int = 7) -> Exec:
    """Say that a broker's child runs something."""
    fact = exec_(PANE, *(argv or ("/bin/sh",)), parent=at(5), cgroup_id=cgroup_id)
    return replace(fact, brokered=True, uid=uid, tools=())


def seen(broker: Exec, *variables: str) -> Seen:
    """Say what a look at it showed."""
    return Seen(
        at_ns=at(PANE).started_ns + 5000, process=at(PANE), variables=variables, ancestors=(broker,)
    )


RELEASED = ["release 20"]
JOINED = ["follow 20 of 9", "exec claude-code None"]
ASKED = ["follow 20 of 9", "exec claude-code 2"]
TOLD = ["exec None None", "release 20"]
