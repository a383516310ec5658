# SPDX-License-Identifier: Apache-2.0
"""The words of the audit: closed sets, whose values are what every output shows."""

from __future__ import annotations

from enum import Enum


class State(Enum):
    """How a tool stands in a home; docs/audit.md says what each rests on."""

    INSTALLED = "installed"
    REMOVED = "removed"
    USED = "used"
    HINTED = "hinted"


class Certainty(Enum):
    """How far traces can be trusted, the best first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    WEAK = "weak"


class Shows(Enum):
    """What one trace shows.

    ``DOWNLOADED`` is a package in a cache: it was installed, unless it was run
    from there (``RUN_ONCE``, like npx). ``HINT`` proves nothing by itself.
    """

    INSTALLED = "installed"
    WAS_INSTALLED = "was installed"
    REMOVED = "removed"
    DOWNLOADED = "downloaded"
    RUN_ONCE = "run without installing"
    USED = "used"
    HINT = "hint"


class Source(Enum):
    """Where a trace was found."""

    NPM = "npm"
    NPM_LOG = "npm-log"
    NPM_CACHE = "npm-cache"
    NPX = "npx"
    PNPM_STORE = "pnpm-store"
    YARN_CACHE = "yarn-cache"
    BUN_CACHE = "bun-cache"
    PYTHON = "python"
    PIPX = "pipx"
    PIPX_LOG = "pipx-log"
    PIP_CACHE = "pip-cache"
    UV_TOOL = "uv-tool"
    UV_CACHE = "uv-cache"
    UVX = "uvx"
    CONDA = "conda"
    DPKG = "dpkg"
    DPKG_LOG = "dpkg-log"
    APT_HISTORY = "apt-history"
    RPM = "rpm"
    RPM_LOG = "rpm-log"
    BREW = "brew"
    SNAP = "snap"
    FLATPAK = "flatpak"
    NATIVE = "native"
    LINK = "link"
    BINARY = "binary"
    STATE = "state"
    SETTINGS = "settings"
    EXTENSION = "extension"
    HISTORY = "history"
    SHELL_START = "shell-start"
    SYSTEMD = "systemd"
    CRON = "cron"
    REPOSITORY = "repository"
    SESSION = "session"
