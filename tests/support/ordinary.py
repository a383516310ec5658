# SPDX-License-Identifier: Apache-2.0
"""Programs that are no AI tools: what builds run, and strangers that bear a tool's name.

Several packages share a folder, as on a developer's machine.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support import tools
from support.tools import UV, Registry, cache, installed

if TYPE_CHECKING:
    from collections.abc import Iterator

_PATIENCE_S = 900


@dataclass(frozen=True, slots=True)
class Shelf:
    """Packages of one registry in one folder; ``programs`` are commands with their arguments."""

    name: str
    registry: Registry
    packages: tuple[str, ...]
    programs: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is, or will be."""
        return cache() / self.name


NODE_TOOLS = Shelf(
    "ordinary-npm",
    Registry.NPM,
    (
        "typescript@7.0.2", "eslint@10.15.0", "webpack@5.112.2", "webpack-cli@7.3.1",
        "vite@8.3.8", "prettier@3.10.1", "esbuild@0.28.2", "rollup@4.68.5", "jest@30.5.2",
        "mocha@12.0.3", "vitest@5.1.2", "typescript-language-server@6.0.2",
        "bash-language-server@5.8.1", "yaml-language-server@2.0.0", "pyright@1.1.414",
        "dockerfile-language-server-nodejs", "@biomejs/biome@2.6.8", "turbo@2.11.11", "sass",
        "less", "stylelint", "terser", "uglify-js", "@babel/cli", "@babel/core", "tsx", "nodemon",
        "yarn", "pnpm", "gulp-cli", "grunt-cli", "http-server", "serve", "markdownlint-cli",
        "cspell", "postcss-cli", "postcss", "standard", "concurrently", "rimraf", "svgo", "bun",
        "deno",
    ),
    (
        "tsc", "eslint", "webpack --help", "vite", "prettier", "esbuild", "rollup", "jest",
        "mocha", "vitest", "typescript-language-server", "bash-language-server",
        "yaml-language-server --help", "pyright", "docker-langserver", "biome", "turbo", "sass",
        "lessc", "stylelint", "terser", "uglifyjs", "babel", "tsx", "nodemon", "yarn", "pnpm",
        "gulp", "grunt", "http-server --help", "serve", "markdownlint", "cspell", "postcss",
        "standard", "concurrently", "rimraf", "svgo", "bun", "deno",
    ),
)  # fmt: skip

PYTHON_TOOLS = Shelf(
    "ordinary-pypi",
    Registry.PYPI,
    (
        "black", "ruff", "mypy", "pytest", "sphinx", "meson", "ninja", "cmake",
        "python-lsp-server", "pylint", "flake8", "isort", "tox", "nox", "hatch", "poetry", "pdm",
        "pre-commit", "ipython", "httpie", "yt-dlp", "ansible-core", "scons", "uv", "pipx",
        "virtualenv", "twine", "mkdocs", "conan", "cookiecutter", "bandit", "codespell",
        "pip-tools", "coverage", "invoke", "flask", "django", "uvicorn", "gunicorn", "scrapy",
        "pygments", "cython", "huggingface_hub",
    ),
    (
        "black", "ruff", "mypy", "pytest", "sphinx-build", "meson", "ninja", "cmake", "pylsp",
        "pylint", "flake8", "isort", "tox", "nox", "hatch", "poetry", "pdm", "pre-commit",
        "ipython", "http", "yt-dlp", "ansible", "scons", "uv", "uvx", "pipx", "virtualenv",
        "twine", "mkdocs", "conan", "cookiecutter", "bandit", "codespell", "pip-compile",
        "coverage", "inv", "flask", "django-admin", "uvicorn", "gunicorn", "scrapy version",
        "pygmentize -V", "cython", "hf version", "pip", "python -m pip", "python -m pytest",
        "python -m sphinx", "python -m mypy",
    ),
)  # fmt: skip

NODE_STRANGERS = Shelf(
    "strangers-npm",
    Registry.NPM,
    ("codex@0.2.3", "crush@0.2.1", "goose@0.0.3", "forge@2.3.0", "pi@2.0.5", "warp@5.4.1",
     "gemini@7.5.2"),
    ("codex --help", "crush --help", "goose --help", "forge --help", "pi --help", "warp --help",
     "gemini --help"),
)  # fmt: skip

PYTHON_STRANGERS = Shelf(
    "strangers-pypi",
    Registry.PYPI,
    ("jules", "cb", "vibe-cli", "oz", "pi", "copilot", "agy"),
    ("jules --help", "cb --help", "vibe --help", "oz --help", "pi --help", "copilot --help",
     "agy --help"),
)  # fmt: skip
CODEX_STRANGER = Shelf(
    "strangers-codex", Registry.PYPI, ("codex",), ("codex --help",)
)  # a server of comics
FORGE_STRANGER = Shelf(
    "strangers-forge", Registry.PYPI, ("forge",), ("forge --help",)
)  # for Django

SHELVES = (NODE_TOOLS, PYTHON_TOOLS)
STRANGERS = (NODE_STRANGERS, PYTHON_STRANGERS, CODEX_STRANGER, FORGE_STRANGER)

SYSTEM = (
    "sh -c :", "bash", "gcc", "cc", "as", "ld", "make", "git", "perl", "awk --version", "sed",
    "grep", "find", "xargs", "tar", "gzip", "openssl version", "python3", "ps", "ssh -V", "dpkg",
    "apt-get", "curl",
)  # fmt: skip
"""Programs of the host, each if it is there."""


def shelved(shelf: Shelf) -> Path:
    """Give the folder of a shelf's commands, installing them first where they are not whole."""
    mark = shelf.folder / ".whole"
    shelf.folder.parent.mkdir(parents=True, exist_ok=True)
    with shelf.folder.with_name(f"{shelf.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not mark.exists():
            shutil.rmtree(shelf.folder, ignore_errors=True)
            (_with_npm if shelf.registry is Registry.NPM else _with_uv)(shelf)
            mark.touch()
    return shelf.folder / "bin"


def commands(shelf: Shelf) -> Iterator[tuple[str, list[str]]]:
    """Give each program of a shelf: its name, and how it says what it is."""
    folder = shelved(shelf)
    for program in shelf.programs:
        name, *arguments = program.split()
        yield program, [str(folder / name), *(arguments or ["--version"])]


def of_the_host() -> Iterator[tuple[str, list[str]]]:
    """Give the host's own programs in the same way."""
    for program in SYSTEM:
        name, *arguments = program.split()
        if found := shutil.which(name, path="/usr/bin:/bin"):
            yield program, [found, *(arguments or ["--version"])]


def _with_npm(shelf: Shelf) -> None:
    """Without install scripts: half of the strangers are older than the registry's own rules."""
    npm = installed(tools.NODE).with_name("npm")
    with tempfile.TemporaryDirectory(prefix="agent-sensor-npm-") as home:
        environment = os.environ | {
            "HOME": home,
            "PATH": f"{npm.parent}:{os.environ['PATH']}",
            "npm_config_cache": f"{home}/npm",
            "npm_config_userconfig": str(Path.home() / ".npmrc"),
        }
        _run([npm, "install", "--global", "--prefix", shelf.folder, "--no-audit", "--no-fund",
              "--no-update-notifier", "--loglevel=error",
              f"--ignore-scripts={str(shelf in STRANGERS).lower()}", *shelf.packages],
             environment)  # fmt: skip


def _with_uv(shelf: Shelf) -> None:
    uv = installed(UV)
    environment = os.environ | {"UV_CACHE_DIR": str(cache() / "uv"), "UV_LINK_MODE": "copy"}
    _run([uv, "venv", "--quiet", "--seed", "--python", sys.executable, shelf.folder], environment)
    python = shelf.folder / "bin" / "python"
    _run([uv, "pip", "install", "--quiet", "--python", python, *shelf.packages], environment)


def _run(argv: list[str | Path], environment: dict[str, str]) -> None:
    subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=True, timeout=_PATIENCE_S)
