# SPDX-License-Identifier: Apache-2.0
"""The catalogue as this host has it: what is shipped, and the files of its owner over it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.catalogue import merge, parse
from sensor.core.layers import layered
from sensor.daemon.loader import catalogue_folder
from sensor.edge import guarded
from sensor.errors import BadInputError, FrameError, SensorError
from sensor.wire import marks
from sensor.wire.searches import markers, script_markers

if TYPE_CHECKING:
    from sensor.core.catalogue import Catalogue

DIRECTORY = Path("/etc/agent-sensor/catalog.d")
"""Where an owner's files are, if there are any; read in the order of their names."""


def shipped() -> Catalogue:
    """Read the catalogue that comes with the sensor."""
    folder = catalogue_folder()
    files = sorted(folder.glob("*.toml"))
    if not files:
        raise SensorError(f"{folder} holds no catalogue: install agent-sensor again")
    return merge(read(path) for path in files)


def catalogue(directory: Path = DIRECTORY, *, instead: Path | None = None) -> Catalogue:
    """Read the whole catalogue; ``instead`` is taken for the file of its name, or added.

    BadInputError names the file, the line and the remedy, or who else could write it.
    """
    files = {path.name: path for path in directory.glob("*.toml")} if directory.is_dir() else {}
    layers = {name: path for name, path in files.items() if instead is None or name != instead.name}
    parsed = {
        name: parse(guarded.read(path), where=str(path), is_layer=True)
        for name, path in layers.items()
    }
    if instead is not None:
        parsed[instead.name] = read(instead, is_layer=True)
    if not parsed:
        return shipped()
    whole = layered(shipped(), [parsed[name] for name in sorted(parsed)])
    marks.names(whole)
    marks.words(whole, 0)  # which finds two words with one hash
    try:
        markers(whole.tools)
        script_markers(whole.tools)
    except FrameError as problem:
        raise BadInputError(
            f"{instead or directory}: the texts of `contents` and `scripts` are too many"
            f" ({problem}); leave out what no tool needs"
        ) from problem
    return whole


def read(path: Path, *, is_layer: bool = False) -> Catalogue:
    """Read one file of it. BadInputError names the line and the remedy."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInputError(f"{path}: {problem}; write it in UTF-8") from problem
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as problem:
        raise BadInputError(f"{path}: {problem.strerror}; name a file of a catalogue") from problem
    return parse(text, where=str(path), is_layer=is_layer)
