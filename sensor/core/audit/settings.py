# SPDX-License-Identifier: Apache-2.0
"""Settings: how many hooks and MCP servers a tool is given, and which tools serve others.

Values are looked at for names of the catalogue alone; none is kept.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sensor.core.audit.manifests import object_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.audit.commands import Mention, Reader

NAMES = frozenset({
    "settings.json", "settings.local.json", "mcp.json", ".mcp.json", "mcp_config.json",
    "config.json", "config.toml",
})  # fmt: skip
"""Files that hold settings, in a tool's own folder."""

_SERVERS = frozenset({"mcpServers", "mcp_servers", "mcp"})
_MOST = 4096
"""Values that are looked at; a made-up file can hold more."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What a file of settings holds, in numbers, and whom it names."""

    hooks: int
    servers: int
    mentions: tuple[Mention, ...]

    @property
    def note(self) -> str | None:
        """Say it in words; None for nothing."""
        parts = [
            f"{amount} {one if amount == 1 else several}"
            for amount, one, several in (
                (self.hooks, "hook", "hooks"),
                (self.servers, "MCP server", "MCP servers"),
            )
            if amount
        ]
        return ", ".join(parts) or None


def settings(text: str, reader: Reader, *, is_toml: bool) -> Settings:
    """Read a file of settings; what cannot be read holds nothing."""
    hooks = servers = 0
    mentions: dict[Mention, None] = {}
    for key, value in _walk(_toml(text) if is_toml else object_of(text)):
        if key == "hooks" and isinstance(value, dict | list):
            hooks += len(value)
        elif key in _SERVERS and isinstance(value, dict):
            servers += len(value)
            for server in value.values():
                mentions |= dict.fromkeys(reader.command(_command(server)))
    return Settings(hooks, servers, tuple(mentions))


def _command(server: object) -> list[str]:
    if not isinstance(server, dict):
        return []
    command, arguments = server.get("command"), server.get("args", [])
    words = [*(command if isinstance(command, list) else [command])]
    words += arguments if isinstance(arguments, list) else []
    return [word for word in words if isinstance(word, str)]


def _walk(top: object) -> Iterator[tuple[str, object]]:
    """Go through keys and values at any depth, without recursion."""
    rest, seen = [top], 0
    while rest and seen < _MOST:
        one = rest.pop()
        seen += 1
        if isinstance(one, dict):
            yield from ((str(key), value) for key, value in one.items())
            rest += one.values()
        elif isinstance(one, list):
            rest += one


def _toml(text: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
