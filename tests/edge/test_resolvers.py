# SPDX-License-Identifier: Apache-2.0
"""The name servers of a host, from files that the tests have written."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sensor.edge.resolvers import configured

if TYPE_CHECKING:
    from pathlib import Path

TEXT = b"""# nameserver 192.0.2.1
search example.com
nameserver 192.0.2.53
nameserver\t2001:db8::53
nameserver fe80::1%eth0
nameserver none
nameserver
options \xff
"""


def test_servers_of_all_files_are_found(tmp_path: Path) -> None:
    """Comments, what is no address and files that are missing are left out."""
    first, second = tmp_path / "resolv.conf", tmp_path / "upstream"
    first.write_bytes(TEXT)
    second.write_text("nameserver 127.0.0.53\n", "ascii")
    wanted = ("192.0.2.53", "2001:db8::53", "fe80::1", "127.0.0.53")
    found = configured([first, second, tmp_path / "missing"])
    assert found == frozenset(map(ip_address, wanted))
