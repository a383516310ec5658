# SPDX-License-Identifier: Apache-2.0
"""Records of the ring buffer become facts.

The layouts are those of ``probes/events.h``; tests/wire/test_probe.py compiles
that file and compares every offset and size with them.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from sensor.core.facts import (
    Close,
    Connect,
    Exec,
    Exit,
    Fact,
    File,
    Fork,
    Hello,
    Loss,
    Process,
    Resolved,
    Signal,
    Transport,
)
from sensor.core.scripts import Script
from sensor.core.spelling import spelling
from sensor.core.words import NameSource
from sensor.errors import DamagedRecordError
from sensor.wire import dns
from sensor.wire.layout import Layout
from sensor.wire.values import address, chain, path, port, ruled, terminal, text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

RECORD_EXEC, RECORD_FORK, RECORD_EXIT, RECORD_CONNECT, RECORD_CLOSE, RECORD_ANSWER = range(1, 7)
RECORD_HELLO = 7
# Order of the slots of the map `lost`; the last is counted by the kernel itself.
LOST = (
    "", "exec", "fork", "exit", "connect", "close", "answer", "hello", "member", "flow", "judged",
    "address", "missed",
)  # fmt: skip

NO_LOGINUID = 0xFFFFFFFF
_EXEC_FILELESS, _EXEC_ARGV_CUT, _EXEC_ARGV_UNREAD, _EXEC_NO_LOGINUID = 1, 1 << 5, 1 << 6, 1 << 7
_EXEC_CUTS = ((1 << 1, "exe"), (1 << 2, "cwd"), (1 << 3, "name_typed"), (1 << 4, "interpreter"))
_EXEC_UNSURE, _EXEC_REFUSED, _EXEC_UNSEARCHED, _EXEC_BROKERED = 1 << 8, 1 << 9, 1 << 10, 1 << 11
_EXEC_SCRIPT = 1 << 12
# enum hello_source
_SOURCES = {1: NameSource.SNI, 2: NameSource.PROXY}
_OTHER, _TRANSPORTS = Transport.OTHER, {6: Transport.TCP, 17: Transport.UDP, 262: Transport.TCP}


_HEAD_MEMBERS = (
    "Q at_ns", "Q root_started_ns", "I root_pid", "I pid", "H kind", "H reserved", "I size",
)  # fmt: skip
HEAD = Layout(*_HEAD_MEMBERS)
_HEAD = tuple(member.replace(" ", " head.") for member in _HEAD_MEMBERS)
_RULING = ("I ruling.policy", "H ruling.rule", "B ruling.verdict", "B ruling.enforcement")
CHAIN = 4
_TOOLS = tuple(f"H tools[{place}]" for place in range(CHAIN))
EXEC = Layout(
    *_HEAD, "Q started_ns", "Q parent_started_ns", "Q cgroup_id", "Q ino", "Q ctime_ns",
    "Q file_bytes", "Q script_hash", "Q script_ino", "I script_dev", "I script_mntns",
    "I parent_pid", "I uid", "I loginuid", "I dev", "I tool", "I signals", "I flags",
    "H exe_bytes", "H cwd_bytes", "H typed_bytes", "H interp_bytes", "H argv_bytes",
    "H reserved", *_RULING, *_TOOLS, "16s tty",
)  # fmt: skip
FORK = Layout(*_HEAD, "Q started_ns", "Q parent_started_ns", "I parent_pid", "I uid", *_TOOLS)
EXIT = Layout(*_HEAD, "Q started_ns", "I status", "I reserved")
CONNECT = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "Q domain", "Q cgroup_id", *_RULING, "16s address_be",
    "I uid", "H port_be", "B protocol", "B reserved", "16s comm",
)  # fmt: skip
CLOSE = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "Q opened_ns", "Q established_ns", "Q sent_bytes",
    "Q received_bytes", "16s address_be", "H port_be", "H error", "I reserved",
)  # fmt: skip
ANSWER = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "16s resolver_be", "I message_bytes", "I whole_bytes",
)  # fmt: skip
HELLO = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "Q domain", "Q cgroup_id", *_RULING, "16s remote_be",
    "16s local_be", "I uid", "H remote_port_be", "H local_port_be", "H target_port_be",
    "H name_bytes", "B source", "B cut", "H reserved", "256s name",
)  # fmt: skip


def _strings(record: bytes, offset: int, sizes: Sequence[int]) -> Iterator[bytes]:
    if offset + sum(sizes) > len(record):
        raise DamagedRecordError(f"exec record of {len(record)} bytes, strings want more")
    for size in sizes:
        yield record[offset : offset + size]
        offset += size


def _exec(record: bytes) -> Exec:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, parent_ns, cgroup_id, ino, ctime_ns,
        file_bytes, script_hash, script_ino, script_dev, script_mntns, parent_pid, uid, loginuid,
        dev, tool, signals, flags, *rest,
    ) = EXEC.unpack(record)  # fmt: skip
    sizes, ruling, tools, tty = rest[:5], rest[6:10], rest[10:-1], rest[-1]
    exe, cwd, typed, interpreter, argv = _strings(record, EXEC.size, sizes)
    cuts = [name for bit, name in _EXEC_CUTS if flags & bit]
    exe, cwd, typed = (
        path(exe, cut="exe" in cuts),
        path(cwd, cut="cwd" in cuts),
        typed.rstrip(b"\0"),
    )
    words = argv.removesuffix(b"\0").split(b"\0") if argv else []
    if flags & (_EXEC_ARGV_CUT | _EXEC_ARGV_UNREAD):
        cuts.append("argv")
    return Exec(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        parent=Process(parent_pid, parent_ns),
        root=Process(root_pid, root_ns),
        signals=Signal(signals & 63),
        exe=text(exe),
        name_typed=text(typed) or None,
        interpreter=text(interpreter.rstrip(b"\0")) or None,
        argv=tuple(map(text, words)),
        cwd=text(cwd),
        uid=uid,
        loginuid=None if loginuid == NO_LOGINUID or flags & _EXEC_NO_LOGINUID else loginuid,
        tty=terminal(text(tty.rstrip(b"\0"))),
        cgroup_id=cgroup_id,
        file=File(dev=dev, ino=ino, ctime_ns=ctime_ns, size_bytes=file_bytes),
        fileless=bool(flags & _EXEC_FILELESS),
        truncated=tuple(cuts),
        tool=tool,
        tools=chain(tools),
        unsure=bool(flags & _EXEC_UNSURE),
        refused=bool(flags & _EXEC_REFUSED),
        unsearched=bool(flags & _EXEC_UNSEARCHED),
        brokered=bool(flags & _EXEC_BROKERED),
        script=Script(script_hash, script_ino, script_dev, script_mntns) if script_hash else None,
        unseen=bool(flags & _EXEC_SCRIPT),
        ruled=ruled(*ruling),
        spelling=spelling(exe, cwd, typed or None, words),
    )


def _fork(record: bytes) -> Fork:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, parent_ns, parent_pid, uid, *tools,
    ) = FORK.unpack(record)  # fmt: skip
    return Fork(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        parent=Process(parent_pid, parent_ns),
        root=Process(root_pid, root_ns),
        uid=uid,
        tools=chain(tools),
    )


def _exit(record: bytes) -> Exit:
    at_ns, root_ns, root_pid, pid, _, _, _, started_ns, status, _ = EXIT.unpack(record)
    return Exit(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        root=Process(root_pid, root_ns),
        status=status,
    )


def _connect(record: bytes) -> Connect:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, cookie, domain, cgroup_id, *ruling,
        address_be, uid, port_be, protocol, _, comm,
    ) = CONNECT.unpack(record)  # fmt: skip
    return Connect(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        root=Process(root_pid, root_ns),
        uid=uid,
        cookie=cookie,
        address=address(address_be),
        port=port(port_be),
        transport=_TRANSPORTS.get(protocol, _OTHER),
        domain=domain,
        comm=text(comm.rstrip(b"\0")) or None,
        cgroup_id=cgroup_id,
        ruled=ruled(*ruling),
    )


def _close(record: bytes) -> Close:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, cookie, opened_ns, established_ns,
        sent_bytes, received_bytes, address_be, port_be, error, _,
    ) = CLOSE.unpack(record)  # fmt: skip
    return Close(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        root=Process(root_pid, root_ns),
        cookie=cookie,
        address=address(address_be),
        port=port(port_be),
        opened_ns=opened_ns,
        established_ns=established_ns or None,
        sent_bytes=sent_bytes,
        received_bytes=received_bytes,
        error=error,
    )


def _answer(record: bytes) -> Resolved:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, _, resolver_be, message_bytes,
        whole_bytes,
    ) = ANSWER.unpack(record)  # fmt: skip
    if ANSWER.size + message_bytes > len(record):
        raise DamagedRecordError(f"answer record of {len(record)} bytes, the message wants more")
    message = record[ANSWER.size : ANSWER.size + message_bytes]
    answer = dns.read(message)
    return Resolved(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        root=Process(root_pid, root_ns),
        name=text(answer.name),
        addresses=answer.addresses,
        rcode=answer.rcode,
        resolver=address(resolver_be),
        cut=answer.cut or message_bytes < whole_bytes,
    )


def _hello(record: bytes) -> Hello:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, cookie, domain, cgroup_id, policy,
        rule, verdict, enforcement, remote_be, local_be, uid, remote_port, local_port, target_port,
        name_bytes, source, cut, _, name,
    ) = HELLO.unpack(record)  # fmt: skip
    return Hello(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        root=Process(root_pid, root_ns),
        uid=uid,
        cookie=cookie,
        remote=address(remote_be),
        remote_port=port(remote_port),
        local=address(local_be),
        local_port=port(local_port),
        target_port=port(target_port),
        name=text(name[:name_bytes]).lower() or None,
        source=_SOURCES.get(source),
        cut=bool(cut),
        domain=domain,
        cgroup_id=cgroup_id,
        ruled=ruled(policy, rule, verdict, enforcement),
    )


_READERS: dict[int, Callable[[bytes], Fact]] = {
    RECORD_EXEC: _exec,
    RECORD_FORK: _fork,
    RECORD_EXIT: _exit,
    RECORD_CONNECT: _connect,
    RECORD_CLOSE: _close,
    RECORD_ANSWER: _answer,
    RECORD_HELLO: _hello,
}


def read(record: bytes) -> Fact:
    """Turn one record into its fact.

    Raises DamagedRecordError for a record that is too short, of no known kind,
    or whose DNS message cannot be read.
    """
    try:
        kind = HEAD.unpack(record)[4]
        reader = _READERS[kind]
        return reader(record)
    except struct.error as problem:
        raise DamagedRecordError(f"record of {len(record)} bytes is too short") from problem
    except KeyError as problem:
        raise DamagedRecordError(f"record of unknown kind {problem}") from problem


def losses(before: Sequence[int], now: Sequence[int], at_ns: int) -> Iterator[Loss]:
    """Tell how far each counter of the map `lost` has moved; both in the order of ``LOST``."""
    for what, old, new in zip(LOST, before, now, strict=True):
        if new > old:
            yield Loss(at_ns=at_ns, what=what, count=new - old)
