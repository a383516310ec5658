# SPDX-License-Identifier: Apache-2.0
"""Views: a process as the stream shows it, out of what facts and the host say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sensor.core.container import container_of
from sensor.core.event import ProcessView
from sensor.core.facts import Connect

if TYPE_CHECKING:
    from sensor.core.facts import Exec, Hello, Seen
    from sensor.core.host import Host
    from sensor.core.identity import Identity


def image(host: Host, fact: Exec, identity: Identity) -> ProcessView:
    """Show a process as its exec left it."""
    cgroup = None if fact.cgroup_id is None else host.cgroup(fact.cgroup_id)
    return ProcessView(
        pid=fact.process.pid,
        started_ns=fact.process.started_ns,
        ppid=fact.parent.pid,
        exe=fact.exe,
        script=identity.script,
        interpreter=fact.interpreter,
        name_typed=fact.name_typed,
        argv=fact.argv,
        cwd=fact.cwd,
        uid=fact.uid,
        user=host.user(fact.uid),
        loginuid=fact.loginuid,
        tty=fact.tty,
        cgroup=cgroup,
        cgroup_id=fact.cgroup_id,
        container=container_of(cgroup),
        dev=fact.file.dev,
        ino=fact.file.ino,
        fileless=fact.fileless,
        truncated=fact.truncated,
        package=identity.seen.package if identity.seen else None,
        ancestors=ancestors(identity.seen),
    )


def ancestors(seen: Seen | None) -> tuple[str, ...]:
    """Show what those run that started a process, the nearest first: a script, or a program."""
    return tuple(one.exe for one in seen.ancestors) if seen else ()


def outsider(host: Host, fact: Connect | Hello, identity: Identity | None) -> ProcessView | None:
    """Show a process of no session, by its image if /proc had it; None where nobody is known."""
    if fact.image and identity:
        return as_user(host, image(host, fact.image, identity), fact.uid)
    if fact.process.pid == 0:
        return None
    cgroup = None if fact.cgroup_id is None else host.cgroup(fact.cgroup_id)
    return ProcessView(
        pid=fact.process.pid,
        started_ns=fact.process.started_ns,
        comm=fact.comm if isinstance(fact, Connect) else None,
        uid=fact.uid,
        user=host.user(fact.uid),
        cgroup=cgroup,
        cgroup_id=fact.cgroup_id,
        container=container_of(cgroup),
    )


def as_user(host: Host, view: ProcessView, uid: int) -> ProcessView:
    """Show a process with the user that it has now."""
    return view if view.uid == uid else replace(view, uid=uid, user=host.user(uid))
