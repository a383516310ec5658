# SPDX-License-Identifier: Apache-2.0
"""Records of the ring buffer become facts.

The layouts are those of ``probes/events.h``; tests/wire/test_probe.py compiles
that file and compares every offset and size with them.
"""

from __future__ import annotations

import struct
from ipaddress import IPv6Address
from typing import TYPE_CHECKING

from sensor.core.facts import (
    Address,
    Close,
    Connect,
    Exec,
    Exit,
    Fact,
    File,
    Fork,
    Loss,
    Process,
    Resolved,
    Signal,
    Transport,
)
from sensor.errors import DamagedRecordError
from sensor.wire import dns
from sensor.wire.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

RECORD_EXEC, RECORD_FORK, RECORD_EXIT, RECORD_CONNECT, RECORD_CLOSE, RECORD_ANSWER = range(1, 7)
# Order of the slots of the map `lost`.
LOST = ("", "exec", "fork", "exit", "connect", "close", "answer", "member", "flow")

NO_LOGINUID = 0xFFFFFFFF
_EXEC_FILELESS, _EXEC_ARGV_CUT, _EXEC_ARGV_UNREAD, _EXEC_NO_LOGINUID = 1, 1 << 5, 1 << 6, 1 << 7
_EXEC_CUTS = ((1 << 1, "exe"), (1 << 2, "cwd"), (1 << 3, "name_typed"), (1 << 4, "interpreter"))
_OTHER, _TRANSPORTS = Transport.OTHER, {6: Transport.TCP, 17: Transport.UDP, 262: Transport.TCP}


_HEAD_MEMBERS = (
    "Q at_ns", "Q root_started_ns", "I root_pid", "I pid", "H kind", "H reserved", "I size",
)  # fmt: skip
HEAD = Layout(*_HEAD_MEMBERS)
_HEAD = tuple(member.replace(" ", " head.") for member in _HEAD_MEMBERS)
EXEC = Layout(
    *_HEAD, "Q started_ns", "Q parent_started_ns", "Q cgroup_id", "Q ino", "Q ctime_ns",
    "Q file_bytes", "I parent_pid", "I uid", "I loginuid", "I dev", "I tool", "I signals",
    "I flags", "H exe_bytes", "H cwd_bytes", "H typed_bytes", "H interp_bytes", "H argv_bytes",
    "H reserved", "16s tty",
)  # fmt: skip
FORK = Layout(*_HEAD, "Q started_ns", "Q parent_started_ns", "I parent_pid", "I uid")
EXIT = Layout(*_HEAD, "Q started_ns", "I status", "I reserved")
CONNECT = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "16s address_be", "I uid", "H port_be", "B protocol", "B op"
)
CLOSE = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "Q opened_ns", "Q established_ns", "Q sent_bytes",
    "Q received_bytes", "16s address_be", "H port_be", "H error", "I reserved",
)  # fmt: skip
ANSWER = Layout(
    *_HEAD, "Q started_ns", "Q cookie", "16s resolver_be", "I message_bytes", "I whole_bytes"
)


def text(raw: bytes) -> str:
    r"""Turn what a process chose into text; bytes that are no UTF-8 become ``\xNN``."""
    return raw.decode("utf-8", "backslashreplace")


def address(raw: bytes) -> Address:
    """Read 16 bytes in network order; IPv4-mapped IPv6 is IPv4."""
    ip = IPv6Address(raw)
    return ip.ipv4_mapped or ip


def port(raw: int) -> int:
    """Turn a port as it lies on the wire, read natively, to its number."""
    return int.from_bytes(struct.pack("=H", raw), "big")


def path(components: bytes, *, cut: bool) -> str:
    """Join components that come leaf first, each ended by a NUL; a cut path starts with ``…/``."""
    parts = components.split(b"\0")[-2::-1]
    return ("…/" if cut else "/") + text(b"/".join(parts))


def _strings(record: bytes, offset: int, sizes: Sequence[int]) -> Iterator[bytes]:
    if offset + sum(sizes) > len(record):
        raise DamagedRecordError(f"exec record of {len(record)} bytes, strings want more")
    for size in sizes:
        yield record[offset : offset + size]
        offset += size


def _exec(record: bytes) -> Exec:
    (
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, parent_ns, cgroup_id, ino, ctime_ns,
        file_bytes, parent_pid, uid, loginuid, dev, _, signals, flags, *sizes, _, tty,
    ) = EXEC.unpack(record)  # fmt: skip
    exe, cwd, typed, interpreter, argv = _strings(record, EXEC.size, sizes)
    cuts = [name for bit, name in _EXEC_CUTS if flags & bit]
    if flags & (_EXEC_ARGV_CUT | _EXEC_ARGV_UNREAD):
        cuts.append("argv")
    return Exec(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        parent=Process(parent_pid, parent_ns),
        root=Process(root_pid, root_ns),
        signals=Signal(signals & 15),
        exe=path(exe, cut="exe" in cuts),
        name_typed=text(typed.rstrip(b"\0")) or None,
        interpreter=text(interpreter.rstrip(b"\0")) or None,
        argv=tuple(map(text, argv.removesuffix(b"\0").split(b"\0"))) if argv else (),
        cwd=path(cwd, cut="cwd" in cuts),
        uid=uid,
        loginuid=None if loginuid == NO_LOGINUID or flags & _EXEC_NO_LOGINUID else loginuid,
        tty=_terminal(text(tty.rstrip(b"\0"))),
        cgroup_id=cgroup_id,
        file=File(dev=dev, ino=ino, ctime_ns=ctime_ns, size_bytes=file_bytes),
        fileless=bool(flags & _EXEC_FILELESS),
        truncated=tuple(cuts),
    )


def _terminal(name: str) -> str | None:
    """Write a terminal as /dev has it: the kernel's own name lacks the slash of devpts."""
    return name.replace("pts", "pts/", 1) or None


def _fork(record: bytes) -> Fork:
    at_ns, root_ns, root_pid, pid, _, _, _, started_ns, parent_ns, parent_pid, uid = FORK.unpack(
        record
    )
    return Fork(
        at_ns=at_ns,
        process=Process(pid, started_ns),
        parent=Process(parent_pid, parent_ns),
        root=Process(root_pid, root_ns),
        uid=uid,
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
        at_ns, root_ns, root_pid, pid, _, _, _, started_ns, cookie, address_be, uid, port_be,
        protocol, _,
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
    answer = dns.read(record[ANSWER.size : ANSWER.size + message_bytes])
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


_READERS: dict[int, Callable[[bytes], Fact]] = {
    RECORD_EXEC: _exec,
    RECORD_FORK: _fork,
    RECORD_EXIT: _exit,
    RECORD_CONNECT: _connect,
    RECORD_CLOSE: _close,
    RECORD_ANSWER: _answer,
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
