# SPDX-License-Identifier: Apache-2.0
"""Mounts are found wherever they are, in a namespace where the test may mount and unmount."""

from __future__ import annotations

import ast
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.host import BPFFS, Host
from support.scope import Scope, cgroup2_root

from sensor.edge import mounts
from sensor.errors import BadInputError, ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

# Prints what an expression gives, or the exit code and the text of the error.
ASK = """
import json, sys
from pathlib import Path
from sensor.edge import mounts
from sensor.errors import SensorError
try:
    answer = str(eval(sys.argv[1]))
except SensorError as problem:
    answer = [int(problem.exit_code), str(problem)]
print(json.dumps(answer))
"""
# What /proc/self/mounts escapes, and what other readers take for the end of a line.
ODD_NAME = "a b\tc\nd\\e\fg\x85h\u2028i\udcff"


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host whose mounts may be changed."""
    with Host() as host:
        yield host


def asked(host: Host, expression: str) -> object:
    """Evaluate an expression over ``mounts`` in a process on that host."""
    said = host.run(sys.executable, "-I", "-c", ASK, expression)
    assert said.status == 0, said.err
    return json.loads(said.out)


def refused(host: Host, expression: str) -> tuple[ExitCode, str]:
    """Give the exit code and the sentence of what is refused there."""
    answer = asked(host, expression)
    assert isinstance(answer, list), answer
    code, text = answer
    return ExitCode(code), text


def test_cgroup2_is_found_under_any_name(host: Host, tmp_path: Path) -> None:
    """The path comes out as it is, whatever characters are in it."""
    odd = tmp_path / ODD_NAME
    odd.mkdir()
    host.unmount(cgroup2_root())
    host.mount("-t", "cgroup2", "none", odd)
    found = asked(host, "mounts.cgroup2()")
    assert found == str(odd)


def test_a_mount_of_a_hostile_name_changes_nothing(host: Host, tmp_path: Path) -> None:
    """A path that holds a whole line of the list is still one path."""
    hostile = tmp_path / "x\fnone \x85none cgroup2 cgroup2 rw 0 0"
    hostile.mkdir()
    host.mount("-t", "tmpfs", "none", hostile)
    assert asked(host, "mounts.cgroup2()") == str(cgroup2_root())


def test_what_is_no_disk_is_known_by_its_type(host: Host) -> None:
    """An audit does not go into it."""
    found = asked(host, "mounts.elsewhere().get('/proc')")
    assert found == "proc"
    assert asked(host, "mounts.elsewhere().get('/')") == "None"


def test_without_cgroup2_there_is_a_remedy(host: Host) -> None:
    """The host lacks something, and the sentence says what to mount."""
    host.unmount(cgroup2_root())
    code, text = refused(host, "mounts.cgroup2()")
    assert code == ExitCode.UNSUPPORTED
    assert "mount -t cgroup2" in text


def test_a_bpffs_is_found(host: Host) -> None:
    """It is the one that was asked for."""
    assert asked(host, "mounts.bpffs()") == str(BPFFS)


def test_every_bpffs_is_found(host: Host, tmp_path: Path) -> None:
    """Also one that somebody has mounted elsewhere; others may have some of their own."""
    every = "{*map(str, mounts.every_bpffs())}"
    before = set(ast.literal_eval(str(asked(host, every))))
    assert str(BPFFS) in before
    host.mount("-t", "bpf", "none", tmp_path)
    assert set(ast.literal_eval(str(asked(host, every)))) == before | {str(tmp_path)}


def test_a_bpffs_under_another_mount_is_none(host: Host) -> None:
    """What was mounted last is what pins would go to."""
    host.mount("-t", "tmpfs", "none", BPFFS)
    code, text = refused(host, "mounts.bpffs()")
    assert code == ExitCode.UNSUPPORTED
    assert f"mount -t bpf bpf {BPFFS}" in text


def test_no_scope_is_the_whole_hierarchy() -> None:
    """The root cgroup is where the hierarchy is mounted."""
    assert mounts.scope(None) == cgroup2_root()


def test_a_scope_is_a_cgroup_by_any_path(tmp_path: Path) -> None:
    """Links and dots lead to one cgroup, hence to one instance."""
    with Scope() as scope:
        link = tmp_path / "link"
        link.symlink_to(scope.path)
        for path in (scope.path, link, scope.path.parent / "." / scope.path.name):
            assert mounts.scope(path) == scope.path


@pytest.mark.parametrize("name", ["nothing", "folder", "/", "/proc"])
def test_what_is_no_cgroup_is_no_scope(tmp_path: Path, name: str) -> None:
    """The text names the option, the path and where cgroups are."""
    (tmp_path / "folder").mkdir()
    wanted = tmp_path / name
    with pytest.raises(BadInputError, match=f"--scope {wanted}: .* {cgroup2_root()}"):
        mounts.scope(wanted)


def test_a_cgroup_of_version_1_is_no_scope(tmp_path: Path) -> None:
    """It has processes, but no program can be attached to it."""
    (tmp_path / "cgroup.procs").touch()
    with pytest.raises(BadInputError):
        mounts.scope(tmp_path)


def test_a_private_bpffs_is_seen_by_its_process_alone(host: Host) -> None:
    """The process has a fresh one; the namespace that it came from still has its own."""
    folder = host.seen(BPFFS) / "folder"
    folder.mkdir()
    assert asked(host, "list(mounts.private_bpffs().glob('folder'))") == "[]"
    assert folder.is_dir()


def test_without_a_place_for_bpffs_rights_are_not_blamed(host: Host) -> None:
    """A host without /sys/fs/bpf lacks something; root would not help."""
    host.hide(Path("/sys/fs"))
    code, text = refused(host, "mounts.private_bpffs()")
    assert code == ExitCode.UNSUPPORTED
    assert "root" not in text
