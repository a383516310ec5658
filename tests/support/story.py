# SPDX-License-Identifier: Apache-2.0
"""Stories for the core: facts in few words. The host, policies and ``play`` have their files."""

from __future__ import annotations

from ipaddress import ip_address

from sensor.core.facts import (
    Address,
    Close,
    Connect,
    Exec,
    Exit,
    File,
    Fork,
    Hello,
    Process,
    Resolved,
    Ruled,
    Signal,
    Transport,
)
from sensor.core.words import NameSource
from support.in_force import enforced, ruling
from support.made_up import (
    CATALOGUE,
    RESOLVER,
    SECOND,
    SOURCE,
    StoryHost,
    module,
    name,
    path,
    tool,
)
from support.playing import brief, events, play, verdict_of

LOCAL = ip_address("192.0.2.200")


def at(pid: int) -> Process:
    """Return the process that is born ``pid`` seconds after boot."""
    return Process(pid, pid * SECOND)


SHELL = at(1)
"""Whoever starts the tools; the kernel does not follow it."""

CLAUDE = ("/opt/bin/claude", "-p", "fix it")
CODEX = ("/opt/bin/codex",)
GIT = ("/usr/bin/git", "status")
GOOSE = ("/usr/bin/goose", "up")
START = ["session_start claude-code", "exec claude-code 0"]
END = ["exit claude-code 0", "session_end claude-code"]


def exec_(
    pid: int,
    *argv: str,
    exe: str | None = None,
    typed: str | None = None,
    interpreter: str | None = None,
    parent: Process = SHELL,
    root: int | None = None,
    after_ns: int = 1000,
    late: bool = False,
    cwd: str | None = "/home/alice/src",
    cgroup_id: int | None = 7,
    tty: str | None = "pts/3",
    tool: int = 0,
    tools: tuple[int, ...] | None = None,
    unsure: bool = False,
    refused: bool = False,
    ruled: Ruled | None = None,
) -> Exec:
    """Say that a process runs ``argv``; ``exe`` is its first word unless told otherwise."""
    return Exec(
        at_ns=at(pid).started_ns + after_ns,
        process=at(pid),
        parent=parent,
        root=at(pid if root is None else root),
        signals=Signal.NAME,
        exe=exe or argv[0],
        name_typed=typed or exe or argv[0],
        interpreter=interpreter,
        argv=argv,
        cwd=cwd,
        uid=1000,
        loginuid=1000,
        tty=tty,
        cgroup_id=cgroup_id,
        file=File(dev=8 << 20 | 1, ino=4711, ctime_ns=5, size_bytes=6),
        fileless=False,
        late=late,
        tool=tool,
        tools=tools,
        unsure=unsure,
        refused=refused,
        ruled=ruled,
    )


def fork(
    parent: int, child: int, *, root: int | None = None, tools: tuple[int, ...] | None = None
) -> Fork:
    """Say that a process has a child."""
    return Fork(
        at_ns=at(child).started_ns,
        process=at(child),
        parent=at(parent),
        root=at(parent if root is None else root),
        uid=1000,
        tools=tools,
    )


def exit_(pid: int, *, status: int = 0, root: int | None = None, after_s: int = 3) -> Exit:
    """Say that a process ends some seconds after its birth."""
    return Exit(
        at_ns=at(pid).started_ns + after_s * SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        status=status,
    )


def connect(
    pid: int,
    to: str,
    *,
    cookie: int = 1,
    port: int = 443,
    root: int | None = None,
    uid: int = 1000,
    transport: Transport = Transport.TCP,
    late: bool = False,
    domain: int = 0,
    image: Exec | None = None,
    ruled: Ruled | None = None,
) -> Connect:
    """Say that a process connects."""
    return Connect(
        at_ns=at(pid).started_ns + SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        uid=uid,
        cookie=cookie,
        address=ip_address(to),
        port=port,
        transport=transport,
        late=late,
        domain=domain,
        comm="curl",
        image=image,
        ruled=ruled,
    )


def hello(
    pid: int,
    to: str,
    host: str | None,
    *,
    cookie: int = 1,
    root: int | None = None,
    source: NameSource | None = NameSource.SNI,
    port: int = 443,
    domain: int = 0,
    ruled: Ruled | None = None,
) -> Hello:
    """Say that a connection named its far end; one to a proxy goes to port 3128 of it."""
    return Hello(
        at_ns=at(pid).started_ns + SECOND + 1000,
        process=at(pid),
        root=at(pid if root is None else root),
        uid=1000,
        cookie=cookie,
        remote=ip_address(to),
        remote_port=3128 if source is NameSource.PROXY else port,
        local=LOCAL,
        local_port=40_000,
        target_port=port,
        name=host,
        source=source,
        domain=domain,
        ruled=ruled,
    )


def close(
    pid: int,
    to: str,
    *,
    cookie: int = 1,
    root: int | None = None,
    error: int = 0,
    established: bool = True,
) -> Close:
    """Say that a connection is over, a second after it was opened."""
    opened_ns = at(pid).started_ns + SECOND
    return Close(
        at_ns=opened_ns + SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        cookie=cookie,
        address=ip_address(to),
        port=443,
        opened_ns=opened_ns,
        established_ns=opened_ns + 1000 if established else None,
        sent_bytes=12_595,
        received_bytes=4_198,
        error=error,
    )


def resolved(
    pid: int,
    host: str,
    *addresses: str,
    root: int | None = None,
    rcode: int = 0,
    cut: bool = False,
) -> Resolved:
    """Say that a process was told the addresses of a host."""
    given: tuple[Address, ...] = tuple(ip_address(one) for one in addresses)
    return Resolved(
        at_ns=at(pid).started_ns + SECOND // 2,
        process=at(pid),
        root=at(pid if root is None else root),
        name=host,
        addresses=given,
        rcode=rcode,
        resolver=RESOLVER,
        cut=cut,
    )


__all__ = [
    "CATALOGUE", "CLAUDE", "CODEX", "END", "GIT", "GOOSE", "LOCAL", "RESOLVER", "SECOND",
    "SHELL", "SOURCE", "START", "StoryHost", "at", "brief", "close", "connect", "enforced",
    "events", "exec_", "exit_", "fork", "hello", "module", "name", "path", "play", "resolved",
    "ruling", "tool", "verdict_of",
]  # fmt: skip
