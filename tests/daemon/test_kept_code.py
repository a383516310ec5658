# SPDX-License-Identifier: Apache-2.0
"""A compile is made once, where there is a folder for what came of it."""

from __future__ import annotations

import errno
import os
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest
from support.footprint import footprint
from support.host import AGENT_SENSOR, Host
from support.patience import SOON_S
from support.scope import Scope

from sensor.daemon import kept_code
from sensor.daemon.instance import COMPILING
from sensor.daemon.kept_code import VARIABLE, Ready, compiled, forget
from sensor.edge.libbpf import Map, load_program
from sensor.edge.libbpf_maps import make, shape
from sensor.wire.code import Shape

if TYPE_CHECKING:
    from sensor.edge.compiler import Compiled

pytestmark = pytest.mark.kernel

BCC = Path("/usr/lib/python3/dist-packages/bcc")
TABLE = Shape(1, 4, 8, 16, 0)
RAW_TRACEPOINT = 17  # include/uapi/linux/bpf.h: BPF_PROG_TYPE_RAW_TRACEPOINT


class Made:
    """What a compiler gives: a map, and a program that names it and ends."""

    def __init__(self) -> None:
        self.table = Map(make("table", TABLE), owns=True)

    def maps(self) -> dict[str, int]:
        """Give the one."""
        return {"table": self.table.fd}

    def map(self, name: str) -> int:
        """Give it by its name."""
        return self.maps()[name]

    def programs(self) -> list[str]:
        """Name the one."""
        return ["ends"]

    def code(self, name: str) -> bytes:
        """Write r1 = table; r0 = 0; exit."""
        assert name == "ends"
        steps = ((0x18, 0x11, self.table.fd), (0, 0, 0), (0xB7, 0, 0), (0x95, 0, 0))
        return b"".join(struct.pack("<BBhi", kind, regs, 0, n) for kind, regs, n in steps)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder for what is compiled, as systemd would name it."""
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    monkeypatch.setenv(VARIABLE, f"{folder}:/elsewhere")
    return folder


def has_compiled(version: str = "one") -> bool:
    """Ask for a version; tell whether it took a compile. Either way it can be loaded."""
    said: list[str] = []
    made = compiled(version, lambda: cast("Compiled", Made()), say=said.append)
    # Whoever waits for a compile knows why, and nobody else is told.
    assert [line.startswith(COMPILING) for line in said] == [True] * (not isinstance(made, Ready))
    assert made.programs() == ["ends"]
    assert shape(made.map("table")) == TABLE
    os.close(load_program(made.code("ends"), RAW_TRACEPOINT, 0, name="ends"))
    return not isinstance(made, Ready)


def test_what_was_compiled_once_is_ready(folder: Path) -> None:
    """With maps of its own; another version is compiled."""
    assert has_compiled()
    assert [path.name for path in folder.iterdir()] == ["one.code"]
    assert not has_compiled()
    assert has_compiled("two")


@pytest.mark.usefixtures("folder")
def test_each_that_is_ready_has_maps_of_its_own() -> None:
    """Two sensors share nothing."""
    has_compiled()
    first, second = (compiled("one", lambda: cast("Compiled", Made()), say=print) for _ in range(2))
    assert first.map("table") != second.map("table")


@pytest.mark.parametrize("is_kept", [True, False])
def test_it_is_said_whether_the_next_start_compiles_too(folder: Path, *, is_kept: bool) -> None:
    """It does where there is no folder."""
    if not is_kept:
        folder.rmdir()
    said: list[str] = []
    compiled("one", lambda: cast("Compiled", Made()), say=said.append)
    assert said == [f"{COMPILING}, once: they are kept in {folder}" if is_kept else COMPILING]


def test_what_is_damaged_is_compiled_anew(folder: Path) -> None:
    """And is whole then."""
    has_compiled()
    file = folder / "one.code"
    whole = file.read_bytes()
    file.write_bytes(whole[:-1])
    assert has_compiled()
    assert file.read_bytes() == whole


def test_what_did_not_do_is_forgotten(folder: Path) -> None:
    """And compiled anew; to forget it twice is no error."""
    has_compiled()
    forget("one")
    forget("one")
    assert [*folder.iterdir()] == []
    assert has_compiled()


def test_a_full_disk_keeps_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No scrap of it either: a service that starts again and again would fill it up."""

    def fails(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", fails)
    assert has_compiled()
    assert [*folder.iterdir()] == []


def test_four_are_kept(folder: Path) -> None:
    """The oldest goes."""
    for number in range(6):
        has_compiled(str(number))
        os.utime(folder / f"{number}.code", (number, number))
    has_compiled("new")
    assert {path.stem for path in folder.iterdir()} == {"3", "4", "5", "new"}


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_is_not_trusted(folder: Path, mode: int) -> None:
    """What lies there becomes the kernel's."""
    folder.chmod(mode)
    assert has_compiled()
    assert has_compiled()
    assert [*folder.iterdir()] == []


def test_a_file_that_others_can_write_is_not_trusted(folder: Path) -> None:
    """Nor is one that only leads to another."""
    has_compiled()
    file = folder / "one.code"
    file.chmod(0o666)
    assert has_compiled()
    assert file.stat().st_mode & 0o777 == 0o600
    file.symlink_to(file.rename(folder / "elsewhere"))
    assert has_compiled()
    assert not file.is_symlink()


def test_where_there_is_no_folder_nothing_is_kept(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host is left as it was."""
    folder.rmdir()
    assert has_compiled()
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(kept_code, "FOLDER", folder)
    assert has_compiled()
    assert not folder.exists()


def load(host: Host, scope: Scope, folder: Path) -> list[str]:
    """Load the probes and take them away again; give the kinds of all that there was."""
    where = ["env", f"{VARIABLE}={folder}", str(AGENT_SENSOR)]
    held = set()
    for word in ("load", "unload"):
        argv = host.entered(*where, word, f"--scope={scope.path}")
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=SOON_S)
        assert (done.returncode, "missing" in done.stderr) == (0, False), done.stderr
        held |= footprint(scope) if word == "load" else set()
    return sorted(kind for kind, _ in held)


def test_a_host_without_a_compiler_loads_what_is_kept(folder: Path) -> None:
    """As many programs, links and maps are there as after the compile."""
    with Host() as host, Scope() as scope:
        first = load(host, scope, folder)
        host.hide(BCC)
        assert load(host, scope, folder) == first
    assert {*first} == {"link", "prog", "map"}
