# SPDX-License-Identifier: Apache-2.0
"""Installing below a folder of the test's own; the host's files are never touched.

Commands of the host are programs that only write down how they were called.
"""

from __future__ import annotations

import os
import shutil
import socket
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from sensor.core import installation
from sensor.core.installation import NAME, File, files
from sensor.edge.installer import Installer, texts
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

FILES = files(texts(), prefix="/usr")
CONFIG = "etc/agent-sensor/config.toml"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the folder that is installed to."""
    return tmp_path / "root"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put programs first in PATH that write their command line to the file that is returned."""
    programs, called = tmp_path / "bin", tmp_path / "called"
    programs.mkdir()
    for name in ("groupadd", "groupdel", "systemctl", "systemd-sysusers", "systemd-tmpfiles"):
        program = programs / name
        program.write_text(f'#!/bin/sh\necho "{name} $*" >>{called}\n', "utf-8")
        program.chmod(0o755)
    called.touch()
    has_group(called, None)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    return called


def has_group(host: Path, members: str | None) -> None:
    """Let the host have the group, or (None) not have it."""
    ask = host.with_name("bin") / "getent"
    answer = "exit 2" if members is None else f"echo agent-sensor:x:998:{members}"
    ask.write_text(f"#!/bin/sh\n{answer}\n", "utf-8")
    ask.chmod(0o755)


def tree(root: Path) -> dict[str, tuple[int, bytes]]:
    """Give every file below ``root`` with its mode and its bytes."""
    return {
        str(path.relative_to(root)): (stat.S_IMODE(path.lstat().st_mode), path.read_bytes())
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def alive(root: Path, *, systemd: bool) -> Installer:
    """Give an installer that takes ``root`` for the host that we run on."""
    installer = Installer(root)
    installer.live, installer.systemd = True, systemd
    return installer


def test_an_image_gets_every_file_with_its_mode(root: Path, host: Path) -> None:
    """Files lie where they belong, nothing else is there, and no command is run."""
    said = list(Installer(root).install(FILES))
    assert tree(root) == {f.path[1:]: (0o644, f.text.encode()) for f in FILES}
    assert said == [
        *(f"wrote {root}{f.path}" for f in FILES),
        "the group agent-sensor is made when the image boots (systemd-sysusers)",
    ]
    assert not host.read_text("utf-8")


def test_installing_twice_changes_nothing(root: Path) -> None:
    """Not even the times of the files."""
    list(Installer(root).install(FILES))
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*")}
    said = list(Installer(root).install(FILES))
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*")} == before
    assert said[: len(FILES)] == [f"unchanged {root}{f.path}" for f in FILES]


def test_a_changed_configuration_stays(root: Path) -> None:
    """The shipped one lies beside it, and its mode stays as well."""
    list(Installer(root).install(FILES))
    config = root / CONFIG
    config.write_text("version = 1\n", "utf-8")
    config.chmod(0o600)
    said = list(Installer(root).install(FILES))
    assert config.read_text("utf-8") == "version = 1\n"
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert config.with_name("config.toml.new").read_text("utf-8") == texts()["config.toml"]
    assert f"kept {config}, which was changed; the new text is {config}.new" in said


def test_a_changed_unit_is_replaced(root: Path) -> None:
    """An upgrade brings the unit that fits; changes have drop-ins."""
    list(Installer(root).install(FILES))
    unit = root / "etc/systemd/system/agent-sensor.service"
    unit.write_bytes(b"[Service]\nExecStart=/old\xff\n")
    unit.chmod(0o600)
    list(Installer(root).install(FILES))
    assert tree(root)["etc/systemd/system/agent-sensor.service"][0] == 0o644
    assert "/usr/bin/agent-sensor run" in unit.read_text("utf-8")


def test_what_cannot_be_put_in_place_leaves_no_piece(root: Path) -> None:
    """A name that is taken by a folder is an error, and nothing half-written stays."""
    (root / "etc/x").mkdir(parents=True)
    (root / "etc/x/y").touch()
    with pytest.raises(OSError, match="directory"):
        list(Installer(root).install([File(path="/etc/x", text="new")]))
    assert [path.name for path in (root / "etc").iterdir()] == ["x"]


def test_a_symbolic_link_is_not_followed_to_another_file(root: Path, tmp_path: Path) -> None:
    """A masked unit points to /dev/null; what it points to stays as it is."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine", "utf-8")
    unit = root / "etc/systemd/system/agent-sensor.service"
    unit.parent.mkdir(parents=True)
    unit.symlink_to(elsewhere)
    list(Installer(root).install(FILES))
    assert elsewhere.read_text("utf-8") == "mine"
    assert not unit.is_symlink()


def test_uninstalling_an_image_leaves_nothing(root: Path, host: Path) -> None:
    """All that was put there goes, with the link that enables the unit."""
    list(Installer(root).install(FILES))
    enabled = root / installation.ENABLED[1:]
    enabled.parent.mkdir()
    enabled.symlink_to(installation.UNIT_FILE)
    compiled = root / installation.CACHE_DIR[1:]
    (compiled / "probes").mkdir(parents=True)
    said = list(Installer(root).uninstall(FILES, purge=False))
    assert not tree(root)
    assert not enabled.is_symlink()
    assert not (root / "etc/agent-sensor").exists()
    removed = [f"{root}{f.path}" for f in reversed(FILES)]
    assert said == [f"removed {path}" for path in (*removed, compiled)]
    assert not host.read_text("utf-8")


def test_uninstalling_what_is_not_there_is_no_error(root: Path) -> None:
    """There is nothing to do and nothing to say."""
    assert list(Installer(root).uninstall(FILES, purge=True)) == []


def test_uninstalling_names_what_it_leaves(root: Path) -> None:
    """Stored events, policy, a changed configuration and changes to the unit are somebody's."""
    list(Installer(root).install(FILES))
    (root / CONFIG).write_text("version = 1\n", "utf-8")
    list(Installer(root).install(FILES))
    for kept in installation.KEPT:
        folder = root / kept[1:]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "file").write_bytes(bytes(2048))
    said = list(Installer(root).uninstall(FILES, purge=False))
    policy = root / "etc/agent-sensor"
    state, dropin = root / "var/lib/agent-sensor", root / f"{installation.UNIT_FILE[1:]}.d"
    assert f"left {root / CONFIG}, which was changed; --purge removes it too" in said
    assert f"left {policy}, 2.0 KiB of policy and configuration; --purge removes it too" in said
    assert f"left {state}, 2.0 KiB of stored events; --purge removes it too" in said
    assert f"left {dropin}, 2.0 KiB of changes to the unit; --purge removes it too" in said
    assert {*tree(root)} == {
        CONFIG, "etc/agent-sensor/file", "var/lib/agent-sensor/file",
        "etc/systemd/system/agent-sensor.service.d/file",
    }  # fmt: skip
    list(Installer(root).uninstall(FILES, purge=True))
    assert not tree(root)


def test_a_host_with_systemd_is_told(root: Path, host: Path) -> None:
    """The group first, then the folders that belong to it, then the unit."""
    said = list(alive(root, systemd=True).install(FILES))
    assert host.read_text("utf-8").splitlines() == [
        "systemd-sysusers /etc/sysusers.d/agent-sensor.conf",
        "systemd-tmpfiles --create /etc/tmpfiles.d/agent-sensor.conf",
        "systemctl daemon-reload",
    ]
    assert said[-1] == "ran systemctl daemon-reload"


def test_a_host_without_systemd_gets_its_group(root: Path, host: Path) -> None:
    """Nothing is said to a systemd that is not there."""
    list(alive(root, systemd=False).install(FILES))
    assert host.read_text("utf-8") == "groupadd --system agent-sensor\n"


def test_a_group_that_is_there_stays_as_it_is(root: Path, host: Path) -> None:
    """It may have members."""
    has_group(host, "alice")
    assert list(alive(root, systemd=False).install(FILES))[-1] == "unchanged group agent-sensor"
    assert not host.read_text("utf-8")


@pytest.mark.parametrize(
    ("members", "purge", "said"),
    [
        ("", False, "ran groupdel agent-sensor"),
        ("alice,bob", True, "ran groupdel agent-sensor"),
        ("alice,bob", False, "left group agent-sensor, which has members; --purge removes it too"),
    ],
)
def test_a_group_with_members_is_left(
    root: Path, host: Path, members: str, said: str, *, purge: bool
) -> None:
    """Who may read was somebody's decision."""
    has_group(host, members)
    assert list(alive(root, systemd=False).uninstall(FILES, purge=purge)) == [said]


def test_a_service_is_stopped_before_its_files_go(root: Path, host: Path) -> None:
    """And systemd forgets the unit after that."""
    list(alive(root, systemd=True).install(FILES))
    host.write_text("", "utf-8")
    list(alive(root, systemd=True).uninstall(FILES, purge=False))
    assert host.read_text("utf-8").splitlines() == [
        "systemctl disable --now agent-sensor.service",
        "systemctl daemon-reload",
    ]
    assert not tree(root)


def test_nothing_is_taken_from_under_a_daemon(root: Path, host: Path) -> None:
    """One in the foreground is nobody's to stop from here; its folder stays."""
    path = root / installation.SOCKET[1:]
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as daemon:
        daemon.bind(str(path))
        daemon.listen()
        with pytest.raises(SensorError, match="a daemon answers at"):
            list(alive(root, systemd=False).uninstall(FILES, purge=True))
    assert path.exists()
    said = list(alive(root, systemd=False).uninstall(FILES, purge=True))
    assert said == [f"removed {path.parent}"]
    assert not host.read_text("utf-8")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo first >&2; echo 'no \033[2J room' >&2; exit 9", r'"no \x1b[2J room"'),
        ("exit 9", "ended with 9"),
    ],
)
def test_a_command_that_fails_is_told_in_its_own_words(
    root: Path, host: Path, script: str, said: str
) -> None:
    """The last line of what it said, quoted."""
    program = host.with_name("bin") / "groupadd"
    program.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    with pytest.raises(SensorError) as told:
        list(alive(root, systemd=False).install(FILES))
    assert str(told.value).startswith(f"groupadd --system {NAME}: ")
    assert said in str(told.value)


def test_a_command_that_is_not_there_is_told(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are in place by then; the next run does the rest."""
    getent = tmp_path / "getent"
    getent.write_text("#!/bin/sh\nexit 2\n", "utf-8")
    getent.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SensorError, match="groupadd --system agent-sensor"):
        list(alive(root, systemd=False).install(FILES))


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    """It finds no fault with it, and rates it as more than half closed."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd-analyze: install systemd")
    program = tmp_path / "bin/agent-sensor"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n", "utf-8")
    program.chmod(0o755)
    unit = tmp_path / installation.UNIT
    made = files(texts(), prefix=str(tmp_path))
    unit.write_text(next(f.text for f in made if f.path == installation.UNIT_FILE), "utf-8")
    for check in (["verify"], ["security", "--offline=yes", "--threshold=35"]):
        done = subprocess.run(
            ["systemd-analyze", *check, unit], capture_output=True, text=True, check=False
        )
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
