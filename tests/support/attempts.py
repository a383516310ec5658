# SPDX-License-Identifier: Apache-2.0
"""Policies with attempts, and what they come to: one row a case.

A row is an attempt, a verdict and the rule it is by.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from sensor.core.facts import Transport
from sensor.core.policy.judge import Execution, Reach
from sensor.core.words import NameSource

if TYPE_CHECKING:
    from typing import TypeAlias

    Case: TypeAlias = tuple[str, str, Execution | Reach, str, str]

ALICE, BOB, CAROL = 1000, 1001, 1002
CLI, OTHER, IDE = "some-cli", "other-cli", "some-ide"
DNS, SNI, PROXY = NameSource.DNS, NameSource.SNI, NameSource.PROXY
UDP = Transport.UDP


def runs(
    tool: str = CLI,
    uid: int = 0,
    cgroup: str = "/",
    exe: str | None = None,
    *,
    inside: bool = False,
) -> Execution:
    """Have a tool executed."""
    return Execution(tool=tool, uid=uid, cgroup=cgroup, in_container=inside, exe=exe)


def to(
    where: str,
    *tools: str,
    name: str | None = None,
    by: NameSource | None = None,
    uid: int = 0,
    trusted: bool = False,
    transport: Transport = Transport.TCP,
    cgroup: str = "/",
    exe: str | None = None,
) -> Reach:
    """Have an address and port reached, in sessions of these tools; no address through a proxy."""
    address, _, port = where.rpartition(":")
    return Reach(
        tools=tools,
        uid=uid,
        address=ip_address(address.strip("[]")) if address else None,
        port=int(port),
        transport=transport,
        cgroup=cgroup,
        exe=exe,
        name=name,
        name_source=by or (DNS if name else None),
        is_name_trusted=trusted,
    )


def rule(name: str, *lines: str) -> str:
    """Write a rule."""
    return "\n".join(["[[rule]]", f'id = "{name}"', *lines, ""])


BLOCK, ALERT, ALLOW = 'verdict = "block"', 'verdict = "alert"', 'verdict = "allow"'
EVERY_TOOL, ONE_TOOL = 'tools = ["*"]', 'tools = ["some-cli"]'
LATER, EARLIER = "2027-01-15T13:00:00Z", "2027-01-15T11:00:00Z"


def exception(name: str, line: str, expires: str = LATER) -> str:
    """Write an exception."""
    return "\n".join(
        ["[[exception]]", f'rule = "{name}"', line, 'ticket = "T"', f"expires = {expires}", ""]
    )


def cases(
    body: str, *rows: tuple[Execution | Reach, str, str], mode: str = "enforce"
) -> list[Case]:
    """Give each row its policy."""
    return [(body, mode, *row) for row in rows]


ELSEWHERE = "198.51.100.9:443"
PROXIED = ":443"
NO_RULES = ""
RUNNING = rule("no", ONE_TOOL, BLOCK)
ORDERED = rule("ide", 'tools = ["some-ide"]', ALLOW) + rule(
    "some", 'tools = ["vendor:some"]', BLOCK
)
CATEGORY = rule("ides", 'tools = ["category:ide-agent"]', ALERT) + rule("all", EVERY_TOOL, BLOCK)
FOR_SOME = rule("dev", EVERY_TOOL, BLOCK, 'groups = ["dev"]') + rule(
    "bob", EVERY_TOOL, ALERT, 'users = ["bob", "7"]'
)
PLACES = (
    rule("builds", EVERY_TOOL, BLOCK, 'cgroups = ["/build.slice"]')
    + rule("inside", EVERY_TOOL, ALERT, "container = true")
    + rule("corp", EVERY_TOOL, ALLOW, 'paths = ["/opt/corp/"]')
)
BOTH = rule("both", EVERY_TOOL, BLOCK, 'users = ["alice"]', 'cgroups = ["/build.slice"]')
EXCEPTED = (
    rule("no", EVERY_TOOL, BLOCK)
    + rule("next", EVERY_TOOL, ALERT)
    + exception("no", 'users = ["alice"]')
    + exception("no", 'users = ["bob"]', EARLIER)
    + exception("no", 'paths = ["/opt"]')
    + exception("no", 'groups = ["empty"]')
)
REACHING = (
    rule("not-this-one", 'endpoints = ["api.some.example"]', ALLOW)
    + rule("some", 'endpoints = ["vendor:some"]', BLOCK)
    + rule("below", 'endpoints = ["*.x.test"]', BLOCK)
    + rule("port", 'endpoints = ["y.test:8443", "198.51.100.0/24:25"]', BLOCK)
)
BY_TOOL = rule("cli-there", ONE_TOOL, 'endpoints = ["x.test", "203.0.113.0/24"]', BLOCK)
NOWHERE = rule("nowhere", 'tools = ["some-ide"]', 'endpoints = ["*"]', BLOCK)
ANYWHERE = rule("ok", 'endpoints = ["192.0.2.0/26"]', ALLOW) + rule(
    "all", 'endpoints = ["*"]', BLOCK, 'users = ["alice"]'
)
CONFINED = rule(
    "stay",
    ONE_TOOL,
    ALLOW,
    'egress_only = ["llm.test:443", "10.20.0.0/16:443", "10.0.0.5:3128"]',
) + rule("others", EVERY_TOOL, 'endpoints = ["some"]', BLOCK)
LATE_CONFINED = rule("fine", 'endpoints = ["x.test"]', ALERT) + rule(
    "stay", ONE_TOOL, ALERT, 'egress_only = ["llm.test"]', 'users = ["alice"]'
)
SHADOWED = rule("no", ONE_TOOL, BLOCK, 'mode = "shadow"') + rule("yes", ONE_TOOL, BLOCK)
DEFAULTS = '[defaults]\ntool = "block"\nunknown_client = "block"\n'
SILENT = '[defaults]\ntool = "allow"\nunknown_client = "allow"\n'
NESTED = (
    rule("inner", 'endpoints = ["192.0.2.0/28"]', ALLOW)
    + rule("outer", 'endpoints = ["192.0.2.0/24"]', BLOCK)
    + rule("six", 'endpoints = ["::/0"]', ALERT)
)
AFTER = rule("runs", ONE_TOOL, ALLOW) + rule("blocked", ONE_TOOL, BLOCK)
QUIC_SHADOW = rule("some", 'endpoints = ["x.test"]', BLOCK, 'mode = "shadow"')
