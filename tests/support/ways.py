# SPDX-License-Identifier: Apache-2.0
"""The ways in which a real tool is started: as it was installed, and in disguise.

A way is a function of the tool and of a folder of no account on the same file
system. It gives what to run, or a reason why the tool cannot be run so.
"""

from __future__ import annotations

import os
import shutil
from configparser import ConfigParser
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from support import tools
from support.runners import NPX_OFFLINE, npx_cli, runner_environment
from support.tools import Registry, installed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.survey import Surveyed

LOADER = Path("/lib64/ld-linux-x86-64.so.2")
HARMLESS = "formatter"
ELF = b"\x7fELF"


@dataclass(frozen=True, slots=True)
class Start:
    """A command line, and what its environment has beside the lab's.

    ``made`` is a file beside the tool's own, to be removed afterwards.
    """

    argv: tuple[str | Path, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    made: Path | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One tool as one file: its command, or the program that its command starts in the end."""

    tool: Surveyed
    command: Path
    is_behind: bool = False

    @property
    def name(self) -> str:
        """Name it in the table."""
        package = f"{self.tool.package.name} {self.tool.package.version}"
        return f"{package}: {self.command.name}" if self.is_behind else package

    @property
    def file(self) -> Path:
        """What the command is a link to."""
        return self.command.resolve()

    @property
    def is_program(self) -> bool:
        """Whether it is one by itself: no script."""
        return self._start().startswith(ELF)

    @property
    def interpreter(self) -> tuple[str | Path, ...] | None:
        """What its first line says that runs it; None for a program, or a shell's script."""
        line = self._start().partition(b"\n")[0].decode("utf-8", "replace")
        if not line.startswith("#!"):
            return None
        words = line[2:].split()
        if "node" in words:
            return (installed(tools.NODE), *words[words.index("node") + 1 :])
        if Path(words[0]).name.startswith("python"):
            return (words[0],)
        return None

    @property
    def is_python(self) -> bool:
        """Whether it came from PyPI and is a script."""
        return self.tool.package.registry is Registry.PYPI and not self.is_program

    def _start(self) -> bytes:
        with self.file.open("rb") as file:
            return file.read(256)


def subjects(tool: Surveyed) -> list[Subject]:
    """Give what a package installs that is the tool: its command, and the program behind it."""
    command = installed(tool.package)
    found = [] if tool.is_sdk else [Subject(tool, command)]
    if tool.behind:
        (path, *_) = sorted(tool.package.folder.glob(tool.behind))
        found.append(Subject(tool, path, is_behind=True))
    return found


def as_installed(subject: Subject, _: Path) -> Start:
    """Start it by the command that its package has."""
    return Start((subject.command,))


def renamed(subject: Subject, _: Path) -> Start:
    """Give the command another name, where it is."""
    other = subject.command.with_name(HARMLESS)
    other.unlink(missing_ok=True)
    if subject.command.is_symlink():
        other.symlink_to(subject.command.readlink())
    else:
        shutil.copy(subject.command, other)
    return Start((other,), made=other)


def copied(subject: Subject, folder: Path) -> Start | str:
    """Copy it elsewhere under another name; a script of Node.js with the whole package."""
    if subject.is_program or subject.is_python:
        return Start((shutil.copy(subject.file, folder / HARMLESS),))
    if subject.interpreter is None:
        return "a shell's script"
    package = _package_of(subject.file)
    shutil.copytree(package, folder / "lib", symlinks=True, copy_function=os.link)
    within = folder / "lib" / subject.file.relative_to(package)
    script = within.with_name(f"{HARMLESS}{within.suffix}")
    within.rename(script)
    return Start((*subject.interpreter, script))


def hard_linked(subject: Subject, folder: Path) -> Start | str:
    """Give the file a second name: a program elsewhere, a script beside its first one."""
    if subject.is_program or subject.is_python:
        other = folder / HARMLESS
    elif subject.interpreter is None:
        return "a shell's script"
    else:
        other = subject.file.with_name(f"{HARMLESS}{subject.file.suffix}")
        other.unlink(missing_ok=True)
    other.hardlink_to(subject.file)
    if subject.is_program or subject.is_python:
        return Start((other,))
    return Start((*(subject.interpreter or ()), other), made=other)


def by_loader(subject: Subject, _: Path) -> Start | str:
    """Have the dynamic loader start it, or what runs its script."""
    if subject.is_program:
        if _is_static(subject.file):
            return "a static program"
        return Start((LOADER, subject.file))
    if subject.interpreter is None:
        return "a shell's script"
    program, *options = subject.interpreter
    return Start((LOADER, Path(program).resolve(), *options, subject.command), _home(subject))


def by_interpreter(subject: Subject, _: Path) -> Start | str:
    """Give its script to the interpreter."""
    if subject.is_program or subject.interpreter is None:
        return "no script"
    return Start((*subject.interpreter, subject.file))


def by_module(subject: Subject, _: Path) -> Start | str:
    """Have Python run its module."""
    if not subject.is_python:
        return "no module"
    module = _module(subject)
    return Start((subject.command.with_name("python"), "-m", module)) if module else "no module"


def by_npx(subject: Subject, _: Path) -> Start | str:
    """Have npx run it, from npx's own folder."""
    package = subject.tool.package
    if package.registry is not Registry.NPM or subject.is_behind:
        return "not by npm"
    spec = f"{package.name}@{package.version}"
    argv = (installed(tools.NODE), npx_cli(), *NPX_OFFLINE, f"--package={spec}", "--")
    return Start((*argv, package.program), runner_environment())


def by_uvx(subject: Subject, _: Path) -> Start | str:
    """Have uvx run it, from uv's own folder."""
    package = subject.tool.package
    if not subject.is_python:
        return "not from PyPI"
    spec = f"{package.name}=={package.version}"
    uv = installed(tools.UV)
    python = package.folder / "bin" / "python"
    return Start((uv, "tool", "run", "--offline", "--python", python, "--from", spec,
                  package.program), runner_environment())  # fmt: skip


WAYS: dict[str, Callable[[Subject, Path], Start | str]] = {
    "installed": as_installed,
    "renamed": renamed,
    "copied": copied,
    "hard link": hard_linked,
    "ld.so": by_loader,
    "node/python PATH": by_interpreter,
    "python -m": by_module,
    "npx": by_npx,
    "uvx": by_uvx,
}


def _package_of(file: Path) -> Path:
    """Give the nearest folder with a manifest."""
    return next(one for one in file.parents if (one / "package.json").is_file())


def _is_static(file: Path) -> bool:
    """Whether a program names no loader: no program header of the type PT_INTERP."""
    with file.open("rb") as opened:
        head = opened.read(4096)
    return b"/ld-linux" not in head and b"/ld-musl" not in head


def _home(subject: Subject) -> Mapping[str, str]:
    """Tell a Python that the loader starts where its virtual environment is."""
    if not subject.is_python:
        return {}
    packages = next(subject.tool.package.folder.glob("lib/python3*/site-packages"))
    return {"PYTHONPATH": str(packages)}


def _module(subject: Subject) -> str | None:
    """Say what to give ``python -m``: the package, if it can be run, or where its command lies."""
    packages = next(subject.tool.package.folder.glob("lib/python3*/site-packages"))
    for entries in packages.glob("*.dist-info/entry_points.txt"):
        found = ConfigParser(delimiters=("=",), strict=False)
        found.optionxform = str  # type: ignore[assignment, method-assign]
        found.read(entries)
        place = found.get("console_scripts", subject.command.name, fallback=None)
        if place is None:
            continue
        module = place.partition(":")[0].strip()
        top = module.partition(".")[0]
        if (packages / top / "__main__.py").exists():
            return top
        return None if (packages / module.replace(".", "/")).is_dir() else module
    return None


__all__ = ["WAYS", "Start", "Subject", "subjects"]
