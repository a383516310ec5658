# SPDX-License-Identifier: Apache-2.0
"""The host's own words, compared with what the host says of itself elsewhere."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

import pytest
from support.scope import Scope, cgroup2_root

from sensor.core.facts import Process
from sensor.edge.host import LocalHost

NOBODYS_UID = 4_000_000_001
NO_CGROUP = 2**40


@pytest.fixture(scope="module")
def host() -> LocalHost:
    """Give the host."""
    return LocalHost(cgroup2_root(), {0: "root"}.get)


def test_a_host_has_a_name_and_a_boot(host: LocalHost) -> None:
    """They are those of uname(2) and of the kernel."""
    assert host.name == os.uname().nodename
    assert host.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()


def test_the_offset_turns_boot_time_into_wall_time(host: LocalHost) -> None:
    """A moment of the kernel's clock plus the offset is that moment of the wall clock."""
    wall = time.clock_gettime_ns(time.CLOCK_BOOTTIME) + host.wall_offset_ns
    assert abs(wall - time.time_ns()) < 1_000_000_000


def test_a_process_of_the_host_is_in_no_container(host: LocalHost) -> None:
    """One that is gone is in none either."""
    own = os.fspath(Path("/proc/self/ns/pid").readlink())
    assert host.in_container(Process(os.getpid(), 0)) is (own != "pid:[4026531836]")
    assert not host.in_container(Process(2**22 + 1, 0))


@pytest.mark.kernel
def test_a_process_in_another_pid_namespace_is_in_a_container(host: LocalHost) -> None:
    """Whatever else it shares with the host."""
    command = ["unshare", "--pid", "--fork", "cat"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        assert running.stdin
        assert running.stdout
        running.stdin.write(b"x")
        running.stdin.flush()
        assert running.stdout.read(1) == b"x"  # it is there
        children = Path(f"/proc/{running.pid}/task/{running.pid}/children").read_text("ascii")
        inside = host.in_container(Process(int(children.split()[0]), 0))
        running.stdin.close()
    assert inside


def test_a_user_has_a_name_or_none(host: LocalHost) -> None:
    """Whoever makes the host knows whom to ask; without, nobody has a name."""
    assert (host.user(0), host.user(NOBODYS_UID)) == ("root", None)
    assert LocalHost(cgroup2_root()).user(0) is None


@pytest.mark.kernel
@pytest.mark.parametrize("name", ["plain", ".hidden", "..odd", "a\rb\udcff"])
def test_a_cgroup_is_known_by_its_id(host: LocalHost, name: str) -> None:
    """The path begins at the root of the hierarchy, and is text whatever it is made of."""
    with Scope() as scope:
        folder = scope.path / name
        folder.mkdir()
        text = os.fsencode(name).decode("utf-8", "backslashreplace")
        assert host.cgroup(folder.stat().st_ino) == f"/{scope.path.name}/{text}"


@pytest.mark.kernel
def test_the_root_cgroup_is_a_slash(host: LocalHost) -> None:
    """It is what processes of no container are in on most hosts."""
    assert host.cgroup(cgroup2_root().stat().st_ino) == "/"


@pytest.mark.kernel
def test_an_unknown_cgroup_has_no_path(host: LocalHost) -> None:
    """Neither an id that never was, nor one whose cgroup is gone."""
    with Scope() as scope:
        gone = scope.path.stat().st_ino
    assert host.cgroup(gone) is None
    assert host.cgroup(NO_CGROUP) is None
