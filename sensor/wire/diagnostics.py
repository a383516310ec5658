# SPDX-License-Identifier: Apache-2.0
"""Socket diagnostics as bytes: which sockets there are, and the order to destroy one.

sock_diag(7), include/uapi/linux/inet_diag.h. Numbers of headers are in the
byte order of the host, addresses and ports in that of the network.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from sensor.errors import DamagedRecordError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.facts import Address

TCP, UDP = 6, 17
"""IPPROTO_*: the protocols whose sockets can be destroyed."""

AF_INET, AF_INET6 = 2, 10

# include/uapi/linux/sock_diag.h, netlink.h
_BY_FAMILY, _DESTROY = 20, 21
_REQUEST, _ACK, _DUMP = 0x1, 0x4, 0x300
_ERROR, _DONE = 2, 3
_HEAD = struct.Struct("=IHHII")  # struct nlmsghdr
_REQ = struct.Struct("=BBBBI")  # struct inet_diag_req_v2, without the id
_ID = struct.Struct("!HH16s16s")  # struct inet_diag_sockid, without interface and cookie
_REST = struct.Struct("=III")  # interface and the two words of the cookie, the lower first
_ID_BYTES = _ID.size + _REST.size
_FOUND = struct.Struct("=BBBB")  # struct inet_diag_msg, up to the id ...
_TAIL = struct.Struct("=IIIII")  # ... and behind it: the last is the inode
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr
_CGROUP_ID = 21  # INET_DIAG_CGROUP_ID, since 5.8
# include/net/tcp_states.h: all but those that have no peer (TIME_WAIT, LISTEN, NEW_SYN_RECV).
_STATES = 0xFFF & ~(1 << 6 | 1 << 10)
# Nor those that are closed, like a datagram socket that is not connected.
_CONNECTED, _LISTENING = _STATES & ~(1 << 7), 1 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A socket that the kernel has: ``name`` is its inet_diag_sockid as it came.

    ``inode`` is 0 once nobody has it open any more; ``cgroup_id`` is None on
    kernels that do not tell. ``local`` is its own place, ``remote`` its peer's, IPv4 as such.
    """

    family: int
    cookie: int
    inode: int
    cgroup_id: int | None
    local: tuple[Address, int]
    remote: tuple[Address, int]
    name: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of an answer; ``error`` is an errno, 0 where all went well."""

    error: int


def ask_all(family: int, protocol: int, *, remote_port: int = 0) -> bytes:
    """Ask for all sockets of a family that have a peer, at this port if it is not 0."""
    return _ask_for(_STATES, family, protocol, remote_port)


def ask_connected(family: int, protocol: int) -> bytes:
    """Ask for all sockets of a family that can go on sending to the peer that they have."""
    return _ask_for(_CONNECTED, family, protocol)


def ask_listening(family: int, protocol: int) -> bytes:
    """Ask for all sockets of a family that wait for others to connect."""
    return _ask_for(_LISTENING, family, protocol)


def _ask_for(states: int, family: int, protocol: int, remote_port: int = 0) -> bytes:
    name = _ID.pack(0, remote_port, bytes(16), bytes(16)) + bytes(_REST.size)
    return _message(_BY_FAMILY, _REQUEST | _DUMP, _request(family, protocol, name, states))


def ask_one(
    local: tuple[Address, int], remote: tuple[Address, int], protocol: int, cookie: int
) -> bytes:
    """Ask for the socket between two addresses, if it has this cookie."""
    family = AF_INET if isinstance(remote[0], IPv4Address) else AF_INET6
    name = _ID.pack(local[1], remote[1], _address(local[0]), _address(remote[0]))
    name += _REST.pack(0, cookie & 0xFFFFFFFF, cookie >> 32)
    return _message(_BY_FAMILY, _REQUEST | _ACK, _request(family, protocol, name))


def destroy(found: Found, protocol: int) -> bytes:
    """Order to end a socket; the kernel compares the cookie."""
    return _message(_DESTROY, _REQUEST | _ACK, _request(found.family, protocol, found.name))


def answers(datagram: bytes) -> Iterator[Found | Ended]:
    """Read what came in one datagram. Raises DamagedRecordError for what is no such thing."""
    at = 0
    while at < len(datagram):
        try:
            size, kind, _flags, _number, _port = _HEAD.unpack_from(datagram, at)
            body = datagram[at + _HEAD.size : at + size]
            if kind == _BY_FAMILY:
                yield _found(body)
            elif kind in {_ERROR, _DONE}:
                yield Ended(-struct.unpack_from("=i", body)[0] if body else 0)
        except struct.error as problem:
            raise DamagedRecordError(f"socket diagnostics: {problem}") from problem
        if size < _HEAD.size:
            raise DamagedRecordError(f"socket diagnostics: a message of {size} bytes")
        at += -(-size // 4) * 4


def _found(body: bytes) -> Found:
    family, *_ = _FOUND.unpack_from(body)
    name = body[_FOUND.size : _FOUND.size + _ID_BYTES]
    local_port, remote_port, local, remote = _ID.unpack_from(name)
    _interface, low, high = _REST.unpack_from(name, _ID.size)
    tail = _FOUND.size + _ID_BYTES
    *_, inode = _TAIL.unpack_from(body, tail)
    return Found(
        family=family,
        cookie=high << 32 | low,
        inode=inode,
        cgroup_id=_cgroup_id(body[tail + _TAIL.size :]),
        local=(_shown(family, local), local_port),
        remote=(_shown(family, remote), remote_port),
        name=name,
    )


def _cgroup_id(attributes: bytes) -> int | None:
    at = 0
    while at + _ATTRIBUTE.size <= len(attributes):
        size, kind = _ATTRIBUTE.unpack_from(attributes, at)
        if kind == _CGROUP_ID:
            return int(struct.unpack_from("=Q", attributes, at + _ATTRIBUTE.size)[0])
        at += max(-(-size // 4) * 4, _ATTRIBUTE.size)
    return None


def _message(kind: int, flags: int, body: bytes) -> bytes:
    return _HEAD.pack(_HEAD.size + len(body), kind, flags, 1, 0) + body


def _request(family: int, protocol: int, name: bytes, states: int = _STATES) -> bytes:
    return _REQ.pack(family, protocol, 0, 0, states) + name


def _address(address: Address) -> bytes:
    return address.packed.ljust(16, b"\0")


def _shown(family: int, raw: bytes) -> Address:
    if family == AF_INET:
        return IPv4Address(raw[:4])
    address = IPv6Address(raw)
    return address.ipv4_mapped or address
