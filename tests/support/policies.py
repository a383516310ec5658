# SPDX-License-Identifier: Apache-2.0
"""A small catalogue, accounts and an hour of the day for tests of policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sensor.core import catalogue
from sensor.core.policy import text
from sensor.core.policy.model import Accounts, settled
from sensor.core.policy.tables import compile_tables

if TYPE_CHECKING:
    from sensor.core.facts import Address
    from sensor.core.policy.model import Policy
    from sensor.core.policy.tables import Tables

CATALOGUE = catalogue.parse(
    """
version = 1
[[tool]]
id = "some-cli"
name = "Some CLI"
vendor = "some"
category = "cli"
[[tool.facts]]
source = "ran 1"
names = ["some"]
[[tool]]
id = "other-cli"
name = "Other CLI"
vendor = "other"
category = "cli"
[[tool.facts]]
source = "ran 1"
names = ["other"]
[[tool]]
id = "some-ide"
name = "Some IDE"
vendor = "some"
category = "ide-agent"
[[tool.facts]]
source = "ran 1"
names = ["some-ide"]
[[endpoint]]
id = "some"
vendor = "some"
[[endpoint.facts]]
source = "ran 1"
hosts = ["api.some.example", "some.example"]
ranges = ["192.0.2.0/25", "2001:db8:1::/48"]
[[endpoint]]
id = "some-chat"
vendor = "some"
[[endpoint.facts]]
source = "ran 1"
hosts = ["chat.example"]
[[endpoint]]
id = "other"
vendor = "other"
[[endpoint.facts]]
source = "ran 1"
hosts = ["api.other.example"]
""",
    where="catalogue.toml",
)
ACCOUNTS = Accounts(
    users={"alice": 1000, "bob": 1001},
    groups={"dev": frozenset({1000, 1002}), "empty": frozenset()},
)
RESOLVER: Address = ip_address("192.0.2.53")
NOW = datetime(2027, 1, 15, 12, tzinfo=UTC)
EARLIER, LATER = NOW - timedelta(hours=1), NOW + timedelta(hours=1)
BOOT_NS = 7_200_000_000_000
"""Boot time of NOW."""
WALL_OFFSET_NS = int(NOW.timestamp()) * 1_000_000_000 - BOOT_NS


def read(body: str, mode: str = "enforce") -> Policy:
    """Read rules as if they stood in a file; what comes first is three lines above."""
    head = f'version = 1\nmode = "{mode}"\n\n'
    return text.parse(head + body, where="p.toml", catalogue=CATALOGUE)


def known(body: str, mode: str = "enforce") -> Policy:
    """Read rules and add this host's accounts and its resolver."""
    return settled(read(body, mode), ACCOUNTS, [RESOLVER])


def compiled(policy: Policy, *, canary: Address | None = None) -> Tables:
    """Compile for this host."""
    return compile_tables(
        policy,
        CATALOGUE,
        accounts=ACCOUNTS,
        resolvers=[RESOLVER],
        wall_offset_ns=WALL_OFFSET_NS,
        canary=canary,
    )
