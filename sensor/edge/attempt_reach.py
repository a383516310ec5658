# SPDX-License-Identifier: Apache-2.0
"""A program that reaches for a host in one of several ways, and says what came of it.

Run by its path, with nothing but Python's own library, in a scratch cgroup and
network. On standard input it is given JSON, see ``Spec``; it says JSON: ``ended``
(the step and its error), ``lacks``, ``pids``.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING, NoReturn, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable

_ANSWER_S = 5.0
_BETWEEN_S = 0.03
"""Pieces that are sent at once may leave in one segment."""

# include/uapi/linux/io_uring.h, in.h; asm-generic/unistd.h: of every architecture but alpha
_URING_SETUP, _URING_ENTER = 425, 426
_OP_CONNECT, _ENTER_GETEVENTS = 16, 1
_CQ_RING, _SQES = 0x8000000, 0x10000000
_MPTCP = 262


class Spec(TypedDict):
    """``says`` are pieces, as hexadecimal digits, ``name`` one or several with blanks between."""

    how: str
    via: str
    host: str
    port: int
    says: list[str]
    asks: str
    resolver: str
    name: str
    other: list[str]


class StepError(Exception):
    """A step did not work: which, and with what error."""

    def __init__(self, step: str, problem: OSError) -> None:
        is_late = isinstance(problem, TimeoutError)
        code = "time-out" if is_late else errno.errorcode.get(problem.errno or 0, "?")
        super().__init__(f"{step}: {code}")


class LackingError(Exception):
    """The kernel or the host has no such thing."""


def _socket(host: str, kind: socket.SocketKind, protocol: int = 0) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        made = socket.socket(family, kind, protocol)
    except OSError as problem:
        raise LackingError(f"{kind.name}, protocol {protocol}: {problem.strerror}") from problem
    made.settimeout(_ANSWER_S)
    return made


def _connected(one: socket.socket, spec: Spec) -> socket.socket:
    try:
        one.connect((spec["host"], spec["port"]))
    except OSError as problem:
        raise StepError("connect", problem) from problem
    return one


def _connects(kind: socket.SocketKind, protocol: int = 0) -> Callable[[Spec], socket.socket]:
    return lambda spec: _connected(_socket(spec["host"], kind, protocol), spec)


def _nonblocking(spec: Spec) -> socket.socket:
    one = _socket(spec["host"], socket.SOCK_STREAM)
    one.setblocking(False)  # noqa: FBT003  # positional only
    if (number := one.connect_ex((spec["host"], spec["port"]))) not in {0, errno.EINPROGRESS}:
        raise StepError("connect", OSError(number, os.strerror(number)))
    one.settimeout(_ANSWER_S)
    return one


def _said_with(what: str, send: Callable[[bytes], object], spec: Spec) -> None:
    """Have the first piece sent by another call than send."""
    try:
        send(bytes.fromhex(spec["says"].pop(0)))
    except OSError as problem:
        if problem.errno == errno.EOPNOTSUPP:  # fast open that is off, or older than 6.2's MPTCP
            raise LackingError(f"{what}: {problem.strerror}") from problem
        raise StepError(what, problem) from problem


def _sends(
    kind: socket.SocketKind, flags: int = 0, protocol: int = 0
) -> Callable[[Spec], socket.socket]:
    def sent(spec: Spec) -> socket.socket:
        one, to = _socket(spec["host"], kind, protocol), (spec["host"], spec["port"])
        _said_with("sendto", lambda text: one.sendto(text, flags, to), spec)
        return one

    return sent


def _sendmsg(spec: Spec) -> socket.socket:
    one, to = _socket(spec["host"], socket.SOCK_DGRAM), (spec["host"], spec["port"])
    _said_with("sendmsg", lambda text: one.sendmsg([text], [], 0, to), spec)
    return one


def _address(spec: Spec) -> bytes:
    """Spell struct sockaddr_in or sockaddr_in6."""
    six = ":" in spec["host"]
    family = socket.AF_INET6 if six else socket.AF_INET
    there = socket.inet_pton(family, spec["host"])
    head = struct.pack("=H", family) + struct.pack("!H", spec["port"])
    return head + (bytes(4) + there + bytes(4) if six else there + bytes(8))


def _sendmmsg(spec: Spec) -> socket.socket:
    one, to = _socket(spec["host"], socket.SOCK_DGRAM), ctypes.create_string_buffer(_address(spec))
    size = len(to.raw) - 1

    def send(text: bytes) -> None:
        content = ctypes.create_string_buffer(text)
        part = ctypes.create_string_buffer(struct.pack("@PN", ctypes.addressof(content), len(text)))
        header = struct.pack(
            "@PIPNPNi0PI0P", ctypes.addressof(to), size, ctypes.addressof(part), 1, 0, 0, 0, 0
        )
        message = ctypes.create_string_buffer(header)
        if ctypes.CDLL(None, use_errno=True).sendmmsg(one.fileno(), message, 1, 0) != 1:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))

    _said_with("sendmmsg", send, spec)
    return one


def _raw(spec: Spec) -> socket.socket:
    one = _socket(spec["host"], socket.SOCK_RAW, socket.IPPROTO_UDP)

    def send(text: bytes) -> None:
        # A checksum of 0 is none (RFC 768).
        header = struct.pack("!4H", 40_000, spec["port"], 8 + len(text), 0)
        one.sendto(header + text, (spec["host"], 0))

    _said_with("sendto", send, spec)
    return one


def _uring(spec: Spec) -> socket.socket:
    libc = ctypes.CDLL(None, use_errno=True)
    params = ctypes.create_string_buffer(120)
    if (ring := libc.syscall(_URING_SETUP, 1, params)) < 0:
        raise LackingError(f"io_uring: {os.strerror(ctypes.get_errno())}")
    words = struct.unpack("=30I", params.raw)
    sq_tail, sq_array, cqes = words[11], words[16], words[25]  # of the sq_off and cq_off in it
    one = _socket(spec["host"], socket.SOCK_STREAM)
    one.setblocking(True)  # noqa: FBT003  # positional only
    address = ctypes.create_string_buffer(_address(spec))
    submissions = mmap.mmap(ring, sq_array + words[0] * 4, offset=0)
    entries = mmap.mmap(ring, 64, offset=_SQES)
    completions = mmap.mmap(ring, cqes + words[1] * 16, offset=_CQ_RING)
    entries[:24] = struct.pack("=BBHiQQ", _OP_CONNECT, 0, 0, one.fileno(), len(address.raw) - 1,
                               ctypes.addressof(address))  # fmt: skip
    submissions[sq_array : sq_array + 4] = struct.pack("=I", 0)
    submissions[sq_tail : sq_tail + 4] = struct.pack("=I", 1)
    if libc.syscall(_URING_ENTER, ring, 1, 1, _ENTER_GETEVENTS, None, 0) != 1:
        raise LackingError(f"io_uring_enter: {os.strerror(ctypes.get_errno())}")
    (result,) = struct.unpack("=i", completions[cqes + 8 : cqes + 12])
    if result < 0:
        raise StepError("io_uring", OSError(-result, os.strerror(-result)))
    one.settimeout(_ANSWER_S)
    return one


_STREAM, _DATAGRAM = socket.SOCK_STREAM, socket.SOCK_DGRAM
_HOWS: dict[str, Callable[[Spec], socket.socket]] = {
    "tcp": _connects(_STREAM), "nonblocking": _nonblocking, "uring": _uring,
    "mptcp": _connects(_STREAM, _MPTCP), "udp": _connects(_DATAGRAM),
    "fastopen": _sends(_STREAM, socket.MSG_FASTOPEN),
    "mptcp-fastopen": _sends(_STREAM, socket.MSG_FASTOPEN, _MPTCP),
    "sendto": _sends(_DATAGRAM), "sendmsg": _sendmsg, "sendmmsg": _sendmmsg, "raw": _raw,
}  # fmt: skip
NOTHING = "nothing"
"""A look-up, and no connect."""

HOWS = frozenset({*_HOWS, NOTHING})
VIAS = frozenset({"itself", "detached", "child", "detached-child"})


def _look_up(spec: Spec, to: Spec) -> None:
    """Ask before connecting, as a program does; the host is where the answer says it is."""
    match spec["asks"]:
        case "udp":
            with _socket(spec["resolver"], socket.SOCK_DGRAM) as one:
                one.connect((spec["resolver"], 53))
                one.send(_question(spec["name"]))
                to["host"] = socket.inet_ntoa(one.recv(4096)[-4:])
        case "tcp":
            question = _question(spec["name"])
            with socket.create_connection((spec["resolver"], 53), _ANSWER_S) as one:
                one.sendall(struct.pack("!H", len(question)) + question)
                to["host"] = socket.inet_ntoa(one.recv(4096)[-4:])
        case "hosts":
            to["host"] = socket.gethostbyname(spec["name"])


def _question(name: str) -> bytes:
    """Spell a question for an address (RFC 1035, 4.1)."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    return struct.pack("!6H", 0x1234, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def _reach(spec: Spec) -> None:
    try:
        for name in spec["name"].split():
            _look_up({**spec, "name": name}, spec)
    except OSError as problem:
        raise StepError("look-up", problem) from problem
    if spec["how"] == NOTHING:
        return
    with _HOWS[spec["how"]](spec) as one:
        try:
            for number, piece in enumerate(spec["says"]):
                if number:
                    time.sleep(_BETWEEN_S)
                one.sendall(bytes.fromhex(piece))
        except OSError as problem:
            raise StepError("send", problem) from problem
        try:
            if spec["how"] != "raw":
                one.recv(64)
        except OSError as problem:
            raise StepError("recv", problem) from problem


def _attempt(spec: Spec) -> dict[str, object]:
    ended = lacks = None
    try:
        _reach(spec)
    except StepError as problem:
        ended = str(problem)
    except LackingError as problem:
        lacks = str(problem)
    return {"ended": ended, "lacks": lacks, "pids": [os.getpid()]}


def _detached(then: Callable[[], bytes]) -> bytes:
    """Have it done by a process that nobody is the parent of."""
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            os.write(writer, then())
        os._exit(0)
    os.close(writer)
    os.wait()
    with open(reader, "rb") as said:  # noqa: PTH123  # a descriptor
        return said.read()


def _child(spec: Spec) -> bytes:
    """Have another program do it."""
    text = json.dumps({**spec, "via": "itself"}).encode()
    argv = [*spec["other"], __file__]
    return subprocess.run(argv, input=text, capture_output=True, check=False).stdout


def main() -> NoReturn:
    """Try once, and say what came of it."""
    spec: Spec = json.load(sys.stdin)
    match spec["via"]:
        case "detached":
            said = _detached(lambda: json.dumps(_attempt(spec)).encode())
        case "child":
            said = _child(spec)
        case "detached-child":
            said = _detached(lambda: _child(spec))
        case _:
            said = json.dumps(_attempt(spec)).encode()
    sys.stdout.buffer.write(said)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
