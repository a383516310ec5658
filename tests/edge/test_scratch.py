# SPDX-License-Identifier: Apache-2.0
"""A place of one's own, of which nothing stays."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from support.provers import played
from support.scope import Scope

from sensor.core.scripts import called_module
from sensor.edge import scratch
from sensor.errors import SensorError

pytestmark = pytest.mark.kernel


def test_a_cgroup_is_left_with_whoever_is_in_it() -> None:
    """Processes that go on are ended, at any rate."""
    with Scope() as scope:
        cgroup = scratch.Cgroup(scope.path)
        with subprocess.Popen(["sleep", "60"], preexec_fn=cgroup.join) as process:  # noqa: PLW1509
            cgroup.clear()
            assert process.poll() is not None
        cgroup.remove()
        assert not cgroup.path.exists()
        cgroup.remove()


def test_a_cgroup_that_cannot_be_is_an_error(tmp_path: Path) -> None:
    """With the place in it."""
    with pytest.raises(SensorError, match="make room for a cgroup there"):
        scratch.Cgroup(tmp_path / "missing")


def test_what_the_killed_left_is_taken_away() -> None:
    """What those have who live stays."""
    dead = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True
    )
    gone = f"agent-sensor-prove-{int(dead.stdout)}"
    with Scope() as scope, tempfile.TemporaryDirectory(prefix="agent-sensor-prove-x") as other:
        (scope.path / gone).mkdir()
        (scope.path / f"agent-sensor-prove-{os.getpid()}").mkdir()
        left = Path(tempfile.gettempdir(), f"{gone}-abc")
        left.mkdir()
        scratch.tidy(scope.path)
        assert not (scope.path / gone).exists()
        assert not left.exists()
        assert (scope.path / f"agent-sensor-prove-{os.getpid()}").exists()
        assert Path(other).exists()


def test_a_folder_and_a_file_are_seen_by_nobody_else() -> None:
    """In the mounts of the process that isolates itself."""
    said = played(
        """
import json, os, socket
from pathlib import Path
from sensor.edge import scratch
before = Path("/etc/hosts").read_text()
scratch.isolate()
folder = scratch.Folder()
(folder.path / "file").write_text("x")
folder.hide(Path("/etc/hosts"), "192.0.2.7 x.example\\n")
# A process that was there before sees neither.
outside = Path(f"/proc/{os.getppid()}/root")
print(json.dumps([
    socket.gethostbyname("x.example"),
    (outside / "etc/hosts").read_text() == before,
    (outside / folder.path.relative_to("/")).exists(),
    [*map(str, (outside / folder.path.relative_to("/")).iterdir())],
    os.listdir("/sys/class/net") != [] and Path("/proc/net/dev").read_text().count(":"),
    folder.remove(), folder.path.exists(),
]))
"""
    )
    assert said == ["192.0.2.7", True, True, [], 1, None, False]


def test_addresses_are_its_own() -> None:
    """Of either family: something can be sent to them, and there is nothing else."""
    said = played(
        """
import json, socket
from ipaddress import ip_address
from sensor.edge import scratch
scratch.furnish(map(ip_address, ["192.0.2.7", "203.0.113.1", "2001:db8::7"]))
def reach(host):
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect((host, 9)); return "there"
        except OSError:
            return "not there"
hosts = ["192.0.2.7", "203.0.113.1", "2001:db8::7", "192.0.2.8", "198.51.100.1", "2001:db8::8"]
print(json.dumps([reach(host) for host in hosts]))
"""
    )
    assert said == ["there"] * 3 + ["not there"] * 3


def test_a_folder_has_the_program_under_every_name(tmp_path: Path) -> None:
    """And nothing else under the tool's."""
    scratch.lay_out(tmp_path, name="tool", pair="@a/b", module="mod", program=Path("/bin/sh"))
    program = Path("/bin/sh").read_bytes()
    for place in ("bin/tool", "copy/tool", "moved/tool", "links/tool", "links/innocent",
                  "hard/tool", "hard/innocent", "other/innocent", "@a/b/innocent"):  # fmt: skip
        assert (tmp_path / place).read_bytes() == program
        assert os.access(tmp_path / place, os.X_OK)
    assert not (tmp_path / "moved/innocent").exists()
    assert (tmp_path / "hard/innocent").samefile(tmp_path / "bin/tool")
    assert (tmp_path / "modules/mod.py").exists()
    assert (tmp_path / "scripts/tool").read_text("utf-8").startswith("#!/bin/sh\n")
    assert (tmp_path / "links/script").samefile(tmp_path / "@a/b/script")
    assert called_module((tmp_path / "other/console").read_bytes()) == "mod"


def test_texts_are_in_a_program_and_a_script_that_make_their_mark(tmp_path: Path) -> None:
    """Whatever the texts are; the program has the size that is wanted, and little of it on disk."""
    (tmp_path / "other").mkdir()
    scratch.lay_texts(
        tmp_path, program=Path("/bin/sh"), contents=b"one \0two", scripts=b"'three' \"\"\" four",
        size_bytes=1 << 22,
    )  # fmt: skip
    large, script = tmp_path / "other/large", tmp_path / "other/script"
    assert b"one \0two" in large.read_bytes()
    assert (large.stat().st_size, large.stat().st_blocks * 512 < 1 << 20) == (1 << 22, True)
    assert b'\'three\' """ four' in script.read_bytes()
    ways: tuple[list[str | Path], ...] = ([large, "-c", ': >"$MARK"'], [sys.executable, script])
    for argv in ways:
        mark = tmp_path / "mark"
        subprocess.run(argv, check=True, env={"MARK": str(mark)})
        mark.unlink()


def test_a_console_script_calls_its_module(tmp_path: Path) -> None:
    """Which makes its mark as a module as well."""
    scratch.lay_out(tmp_path, name="tool", pair="@a/b", module="mod", program=Path("/bin/sh"))
    mark = tmp_path / "mark"
    env = {"MARK": str(mark), "PYTHONPATH": str(tmp_path / "modules")}
    for words in ([f"{tmp_path}/other/console"], ["-m", "mod"], [f"{tmp_path}/links/script"]):
        subprocess.run([sys.executable, *words], check=True, env=env)
        mark.unlink()
