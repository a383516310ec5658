# SPDX-License-Identifier: Apache-2.0
"""Where stories take place: a small catalogue, and a host."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from sensor.core.catalogue import Catalogue
from sensor.core.host import Host
from sensor.core.tools import (
    Category,
    Endpoint,
    Interpreter,
    InterpreterKind,
    Mark,
    MarkKind,
    Tool,
)

if TYPE_CHECKING:
    from sensor.core.facts import Process

SOURCE = "ran 1.0"
SECOND = 1_000_000_000
RESOLVER = ip_address("192.0.2.53")


def tool(tool_id: str, vendor: str, *marks: Mark) -> Tool:
    """Return a tool with these marks."""
    return Tool(id=tool_id, name=tool_id, vendor=vendor, category=Category.CLI, marks=marks)


def name(value: str, *, weak: bool = False) -> Mark:
    """Return the mark of a file's name."""
    return Mark(MarkKind.NAME, value, weak, SOURCE)


def path(value: str, *, weak: bool = False) -> Mark:
    """Return the mark of two components of a path."""
    return Mark(MarkKind.PATH, value, weak, SOURCE)


def module(value: str) -> Mark:
    """Return the mark of a Python module."""
    return Mark(MarkKind.MODULE, value, weak=False, source=SOURCE)


CATALOGUE = Catalogue(
    1,
    (
        tool("claude-code", "anthropic", name("claude"), path("@anthropic-ai/claude-code")),
        tool("codex", "openai", name("codex"), path("@openai/codex")),
        tool("aider", "aider-ai", name("aider"), module("aider")),
        tool("goose", "block", name("goose", weak=True), path("block/goose", weak=True)),
    ),
    (
        Endpoint(
            id="anthropic",
            vendor="anthropic",
            hosts=("anthropic.com",),
            ranges=(ip_network("198.51.100.0/24"), ip_network("2001:db8:a::/48")),
            source="docs: a list of addresses",
        ),
    ),
    (
        Interpreter("node", InterpreterKind.SCRIPT),
        Interpreter("bun", InterpreterKind.SCRIPT),
        Interpreter("deno", InterpreterKind.SCRIPT),
        Interpreter("python3.11", InterpreterKind.PYTHON),
        Interpreter("ld-linux-x86-64.so.2", InterpreterKind.LOADER),
    ),
)


class StoryHost(Host):
    """A host on which only root and alice live."""

    boot_id = "6f1f2ec9-0c6a-4c36-8f0b-0a3d7a1f4b11"
    name = "build-7"
    wall_offset_ns = 1_795_442_400 * SECOND  # 2026-11-23T14:00:00Z

    def user(self, uid: int) -> str | None:
        """Name root and alice."""
        return {0: "root", 1000: "alice"}.get(uid)

    def cgroup(self, cgroup_id: int) -> str | None:
        """Know the one cgroup of nearly all stories, and a container's."""
        return {7: "/user.slice", 8: "/machine.slice/machine-box.scope/payload"}.get(cgroup_id)

    def in_container(self, process: Process) -> bool:
        """Have those in containers whose pids are so high."""
        return process.pid >= 1000
