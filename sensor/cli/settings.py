# SPDX-License-Identifier: Apache-2.0
"""The daemon's configuration, for the commands that have to agree with it on what it watches."""

from __future__ import annotations

from pathlib import Path

import click

from sensor.core.config import Config, parse
from sensor.errors import BadInputError

DEFAULT = Path("/etc/agent-sensor/config.toml")

config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Default: {DEFAULT}, where it is there.",
)


def settings(path: Path | None) -> Config:
    """Read the file that was named; the one in its usual place may be missing."""
    if path is None and not DEFAULT.exists():
        return Config()
    path = path or DEFAULT
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInputError(
            f"{path}: byte {problem.start + 1} is no UTF-8; write it in UTF-8"
        ) from problem
    except OSError as problem:
        raise BadInputError(
            f"{path}: {problem.strerror}; name a readable file with --config"
        ) from problem
    return parse(text, where=str(path))


def scope_of(path: Path | None, named: Path | None) -> Path | None:
    """Give the scope that was named, else that of the configuration; None: the whole host."""
    if named is not None:
        return named
    scope = settings(path).scope
    return Path(scope) if scope else None
