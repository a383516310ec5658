# SPDX-License-Identifier: Apache-2.0
"""Entries of the kernel's maps have the shape that the probes read."""

from __future__ import annotations

import sys
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from support.structs import checked, laid_out, measured

from sensor.core.facts import Connect, File, Process, Transport
from sensor.core.scripts import Script
from sensor.daemon.contents import LARGE_BYTES
from sensor.wire import tables
from sensor.wire.marks import MARK

if TYPE_CHECKING:
    from pathlib import Path

TOOL, SHELL = Process(7, 70), Process(8, 80)
LAYOUTS = {
    "member": tables.MEMBER, "flow": tables.FLOW, "image_key": tables.IMAGE_KEY,
    "script_key": tables.SCRIPT_KEY,
}  # fmt: skip


def test_the_layouts_are_those_of_the_header(tmp_path: Path) -> None:
    """Every member lies where the compiler of probes/tables.h puts it."""
    assert measured("tables.h", LAYOUTS, tmp_path) == laid_out(LAYOUTS)


def test_a_mark_is_two_words() -> None:
    """Marks have the size of struct mark: the tool and the flags."""
    assert MARK.size == 8


def test_a_member_says_whom_it_follows() -> None:
    """The process read from an entry is the one that was written."""
    value = tables.member(SHELL, TOOL)
    assert tables.process_of(8, value) == SHELL
    assert tables.MEMBER.unpack(value) == (80, 70, 7, 0, 0, 0, 0, 0)
    assert tables.member_of(tables.pid_key(8), value) == (SHELL, TOOL)


def test_a_member_has_the_tools_that_it_is_in_the_sessions_of() -> None:
    """The outermost first, and the folders of the innermost as bits."""
    value = tables.member(SHELL, TOOL, (3, 5), paths=9)
    assert tables.MEMBER.unpack(value) == (80, 70, 7, 9, 3, 5, 0, 0)
    assert tables.tools_of(value) == (3, 5)


def test_there_is_room_for_the_kernel_s_chain(tmp_path: Path) -> None:
    """As many tools as the header says."""
    checked("events.h", f"CHAIN == {tables.CHAIN}", tmp_path)


def test_counters_are_what_was_written() -> None:
    """One native long word for each."""
    assert tables.counters_of(tables.counters([1, 2**63, 0])) == [1, 2**63, 0]


def test_a_pid_is_a_native_word() -> None:
    """The key is what the program has in its u32."""
    assert memoryview(tables.pid_key(0x01020304)).cast("I")[0] == 0x01020304


def test_a_cookie_is_a_native_long_word() -> None:
    """The key is what the program has in its u64."""
    assert memoryview(tables.flow_key(0x0102030405060708)).cast("Q")[0] == 0x0102030405060708


def test_addresses_have_one_form() -> None:
    """IPv4 is written mapped into IPv6."""
    assert tables.address_be(IPv4Address("192.0.2.1")).hex() == "00000000000000000000ffffc0000201"
    assert tables.address_be(IPv6Address("2001:db8::1")).hex() == "20010db8" + "0" * 23 + "1"


def test_a_flow_keeps_its_port_in_network_order() -> None:
    """The two bytes of the port lie as they do in a packet."""
    fact = Connect(
        at_ns=90,
        process=SHELL,
        root=TOOL,
        uid=0,
        cookie=1,
        address=IPv4Address("192.0.2.1"),
        port=443,
        transport=Transport.TCP,
        late=True,
    )
    value = tables.flow(fact)
    at = tables.FLOW.offsets()["port_be"]
    assert value[at : at + 2] == b"\x01\xbb"
    assert tables.FLOW.unpack(value)[8:11] == (90, 90, 8)
    whose = tables.member(SHELL, TOOL, (3,), paths=4)
    assert tables.flow(fact, (3,), paths=4)[: tables.MEMBER.size] == whose


def test_a_script_is_keyed_as_the_kernel_told() -> None:
    """The hash of the word, and the folder and mount namespace in which it is looked up."""
    assert tables.SCRIPT_KEY.unpack(tables.script_key(Script(5, 6, 7, 8))) == (5, 6, 7, 8)


def test_a_file_is_keyed_by_what_changes_with_it() -> None:
    """Device, inode and change time; how large it is follows from them."""
    key = tables.image_key(File(dev=1, ino=2, ctime_ns=3, size_bytes=4))
    assert tables.IMAGE_KEY.unpack(key) == (1, 2, 3)


def test_a_file_that_was_looked_into_is_so_for_the_kernel(tmp_path: Path) -> None:
    """By the number of the header, in a word as the map has it; from the same size on."""
    checked("tables.h", f"SEARCHED == {tables.SEARCHED}", tmp_path)
    checked("tables.h", f"LARGE_BYTES == {LARGE_BYTES}", tmp_path)
    assert tables.image_state(tables.SEARCHED) == tables.SEARCHED.to_bytes(8, sys.byteorder)
