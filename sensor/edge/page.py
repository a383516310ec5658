# SPDX-License-Identifier: Apache-2.0
"""Pages of HTML (jinja2): one file that needs nothing else, and in which no text is markup.

Everything that a template shows is escaped; a name that is missing is an error,
not a blank. The page's own policy lets no script run and nothing be loaded.
"""

from __future__ import annotations

import errno
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sensor.errors import BadInputError, SensorError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TEMPLATES = Path(__file__).resolve().parent.parent / "pages"
_MODE = 0o600


def page(template: str, values: Mapping[str, object]) -> str:
    """Fill a template of ``sensor/pages``."""
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)


def write(path: Path, text: str) -> None:
    """Write a page whole or not at all, for its owner alone: it tells of people.

    Raises BadInputError where the place cannot be written, SensorError where it is full.
    """
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
                file.write(text)
            Path(name).chmod(_MODE)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as problem:
        said = f"{path}: {problem.strerror}"
        if problem.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise SensorError(f"{said}; make room there, or name a file elsewhere") from problem
        raise BadInputError(f"{said}; name a file in a folder of yours") from problem
