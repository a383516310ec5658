# SPDX-License-Identifier: Apache-2.0
"""Socket diagnostics as bytes; tests/edge/test_sockdiag_destroy.py has the kernel's word on it."""

from __future__ import annotations

import struct
from contextlib import suppress
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.errors import DamagedRecordError
from sensor.wire.diagnostics import (
    AF_INET,
    AF_INET6,
    TCP,
    Ended,
    Found,
    answers,
    ask_all,
    ask_connected,
    ask_listening,
    ask_one,
    destroy,
)

HEAD = struct.Struct("=IHHII")
COOKIE = 0x1_0000_0002


def message(kind: int, body: bytes) -> bytes:
    """Give a netlink message as the kernel sends it."""
    return HEAD.pack(HEAD.size + len(body), kind, 0, 1, 0) + body


def found(*attributes: bytes, inode: int = 7) -> bytes:
    """Give an inet_diag_msg of an IPv4 socket."""
    name = struct.pack("!HH16s16s", 1000, 443, b"\x7f\0\0\1", b"\xc0\0\2\1")
    name += struct.pack("=III", 0, COOKIE & 0xFFFFFFFF, COOKIE >> 32)
    return (
        struct.pack("=BBBB", AF_INET, 1, 0, 0)
        + name
        + struct.pack("=5I", 0, 0, 0, 0, inode)
        + (b"".join(attributes))
    )


def test_a_question_has_the_sizes_of_the_kernel_s_header() -> None:
    """16 bytes of nlmsghdr, 56 of inet_diag_req_v2."""
    assert len(ask_all(AF_INET, TCP)) == 16 + 56
    assert HEAD.unpack_from(ask_all(AF_INET6, TCP, remote_port=443)) == (72, 20, 0x301, 1, 0)


def test_one_socket_is_asked_for_by_addresses_and_cookie() -> None:
    """The cookie is two words, the lower first."""
    asked = ask_one((ip_address("127.0.0.1"), 1000), (ip_address("192.0.2.1"), 443), TCP, COOKIE)
    assert asked[16:18] == bytes([AF_INET, TCP])
    assert asked[24:28] == struct.pack("!HH", 1000, 443)
    assert asked[-8:] == struct.pack("=II", 2, 1)
    other = ip_address("2001:db8::1")
    assert ask_one((other, 1), (other, 2), TCP, 0)[16] == AF_INET6


def test_what_was_found_is_destroyed_by_its_own_name() -> None:
    """The bytes that came go back."""
    [one] = answers(message(20, found()))
    assert isinstance(one, Found)
    assert (one.family, one.cookie, one.inode, one.cgroup_id) == (AF_INET, COOKIE, 7, None)
    assert one.local == (ip_address("127.0.0.1"), 1000)
    assert one.remote == (ip_address("192.0.2.1"), 443)
    order = destroy(one, TCP)
    assert HEAD.unpack_from(order) == (72, 21, 0x5, 1, 0)
    assert order.endswith(one.name)


def test_the_cgroup_is_found_among_other_attributes() -> None:
    """Attributes are padded to four bytes."""
    other = struct.pack("=HHB3x", 5, 8, 1)
    cgroup = struct.pack("=HHQ", 12, 21, 99)
    [one] = answers(message(20, found(other, cgroup)))
    assert isinstance(one, Found)
    assert one.cgroup_id == 99
    [bare] = answers(message(20, found(struct.pack("=HH", 0, 5))))
    assert isinstance(bare, Found)
    assert bare.cgroup_id is None


def test_an_answer_ends_with_an_error_or_without() -> None:
    """A dump ends with NLMSG_DONE, one question with NLMSG_ERROR; 0 is no error."""
    datagram = message(20, found()) + message(2, struct.pack("=i", -2)) + message(3, b"")
    assert [one for one in answers(datagram) if isinstance(one, Ended)] == [Ended(2), Ended(0)]
    assert list(answers(message(1, b""))) == []  # NLMSG_NOOP


@pytest.mark.parametrize("raw", [b"x", message(20, b"short"), bytes(16)])
def test_what_is_no_answer_is_an_error(raw: bytes) -> None:
    """Also one that would never end."""
    with pytest.raises(DamagedRecordError, match="socket diagnostics"):
        list(answers(raw))


@given(st.binary(max_size=200))
def test_any_bytes_are_answers_or_an_error(raw: bytes) -> None:
    """Nothing else comes out, and it comes to an end."""
    with suppress(DamagedRecordError):
        list(answers(raw))


def test_sockets_are_asked_for_by_their_state() -> None:
    """include/net/tcp_states.h: 1 is established, 7 closed, 10 listening."""
    [connected] = struct.unpack_from("=I", ask_connected(AF_INET, TCP), 20)
    [listening] = struct.unpack_from("=I", ask_listening(AF_INET, TCP), 20)
    assert [state for state in (1, 2, 7, 8, 10) if connected >> state & 1] == [1, 2, 8]
    assert listening == 1 << 10


def test_an_address_that_is_mapped_is_shown_as_the_one_that_it_is() -> None:
    """As in records of the probes."""
    raw = bytearray(found())
    raw[0] = AF_INET6
    for address in ("::ffff:192.0.2.1", "2001:db8::1"):
        raw[24:40] = ip_address(address).packed
        [one] = answers(message(20, bytes(raw)))
        assert isinstance(one, Found)
        assert one.remote[0] == ip_address(address.removeprefix("::ffff:"))
