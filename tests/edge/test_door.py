# SPDX-License-Identifier: Apache-2.0
"""The door lets in root and the group, by the socket's mode and by the kernel's word."""

from __future__ import annotations

import os
import resource
import selectors
import socket
import stat
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sensor.edge.door import Door
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

NOBODY = 65534
GROUP = 64_242  # no group of this name need exist: the kernel knows numbers alone
CONNECT = """
import socket, sys
peer = socket.socket(socket.AF_UNIX)
try:
    peer.connect(sys.argv[1])
except PermissionError:
    sys.exit(13)
peer.recv(1)
"""

root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@pytest.fixture
def path() -> Iterator[Path]:
    """Return a path that everybody can get to, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "stream.sock"


@pytest.fixture
def door(path: Path) -> Iterator[Door]:
    """Return a door for root and for GROUP."""
    with closing(Door(path, group=GROUP if os.geteuid() == 0 else None)) as door:
        yield door


def visitor(path: Path, *, uid: int, gid: int, groups: list[int]) -> subprocess.Popen[bytes]:
    """Start a process of somebody's that connects, and ends when it is let go."""
    return subprocess.Popen(
        [sys.executable, "-I", "-c", CONNECT, path], user=uid, group=gid, extra_groups=groups
    )


def comes_in(door: Door) -> tuple[socket.socket, int, int, bool]:
    """Wait for the next peer."""
    with selectors.DefaultSelector() as selector:
        selector.register(door, selectors.EVENT_READ)
        assert selector.select(10)
    peer = door.accept()
    assert peer is not None
    return peer


def test_nobody_waits(door: Door) -> None:
    """To accept never blocks."""
    assert door.accept() is None


def test_the_kernel_says_who_it_is(door: Door, path: Path) -> None:
    """The pid and uid of this very process, whose socket does not block."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        accepted, pid, uid, may_read = comes_in(door)
        with accepted:
            assert (pid, uid) == (os.getpid(), os.geteuid())
            assert may_read is (uid == 0)
            assert not accepted.getblocking()


@root
def test_the_socket_is_for_root_and_the_group(door: Door, path: Path) -> None:
    """Mode 0660, as documented."""
    assert door.fileno() >= 0
    there = path.stat()
    assert (there.st_uid, there.st_gid) == (0, GROUP)
    assert stat.S_IMODE(there.st_mode) == 0o660


@root
def test_a_missing_run_directory_is_made(tmp_path: Path) -> None:
    """With mode 0750, for root and the group."""
    folder = tmp_path / "run"
    with closing(Door(folder / "stream.sock", group=GROUP)):
        there = folder.stat()
    assert (there.st_uid, there.st_gid) == (0, GROUP)
    assert stat.S_IMODE(there.st_mode) == 0o750


@root
@pytest.mark.parametrize(("mode", "group"), [(0o750, GROUP), (0o755, 0), (0o1777, 0)])
def test_a_run_directory_of_the_sensor_s_own_is_the_group_s(
    tmp_path: Path, mode: int, group: int
) -> None:
    """Whoever made it for the sensor, and which group it was for before; any other stays."""
    folder = tmp_path / "run"
    folder.mkdir()
    folder.chmod(mode)
    with closing(Door(folder / "stream.sock", group=GROUP)):
        assert folder.stat().st_gid == group


@root
@pytest.mark.parametrize(
    ("gid", "groups", "may_read"),
    [
        (NOBODY, [], False),
        (GROUP, [], True),
        (NOBODY, [GROUP], True),
        (NOBODY, [1, 2, 3, GROUP, 5], True),
        (NOBODY, list(range(1, 250)), False),
        (NOBODY, [*range(1, 300), GROUP], False),
        (GROUP, list(range(1, 300)), True),
    ],
)
def test_a_member_of_the_group_may_read(
    door: Door, path: Path, *, gid: int, groups: list[int], may_read: bool
) -> None:
    """Whatever the mode has become: the kernel's word holds. Too many groups to read are none."""
    path.chmod(0o666)
    process = visitor(path, uid=NOBODY, gid=gid, groups=groups)
    try:
        accepted, pid, uid, can = comes_in(door)
        accepted.close()
    finally:
        process.wait(10)
    assert (pid, uid, can) == (process.pid, NOBODY, may_read)


@root
def test_the_mode_keeps_others_out(door: Door, path: Path) -> None:
    """They do not even get to the daemon."""
    process = visitor(path, uid=NOBODY, gid=NOBODY, groups=[])
    assert process.wait(10) == 13
    assert door.accept() is None


def test_what_a_killed_daemon_left_is_taken_away(path: Path) -> None:
    """A socket that nobody listens at is in nobody's use."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with closing(Door(path, group=None)) as door, socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        comes_in(door)[0].close()
    assert not path.exists()


@pytest.mark.parametrize("waiting", [0, 200])
def test_a_daemon_that_lives_is_left_alone(door: Door, path: Path, waiting: int) -> None:
    """Two would tear the stream apart; a full queue is a sign of life too."""
    peers = [socket.socket(socket.AF_UNIX) for _ in range(waiting)]
    try:
        for peer in peers:
            peer.setblocking(False)  # noqa: FBT003  # the socket's own interface
            peer.connect_ex(str(path))
        with pytest.raises(SensorError, match=r"a daemon listens at .* already: stop it first"):
            Door(path, group=None)
    finally:
        for peer in peers:
            peer.close()
    assert door.fileno() >= 0


def test_a_successor_keeps_its_socket(path: Path) -> None:
    """Who ends late does not take away what is not its own."""
    old = Door(path, group=None)
    path.unlink()
    with closing(Door(path, group=None)):
        old.close()
        assert path.exists()


def test_a_socket_that_is_gone_already_is_no_matter(path: Path) -> None:
    """Somebody may have cleaned up."""
    door = Door(path, group=None)
    path.unlink()
    door.close()


@pytest.mark.parametrize("name", ["x" * 200, "file/stream.sock"])
def test_a_place_that_cannot_be_is_named(tmp_path: Path, name: str) -> None:
    """A path of more than 107 bytes (unix(7)), or below a file."""
    (tmp_path / "file").touch()
    with pytest.raises(SensorError, match=r"cannot listen at .*: check --run-dir"):
        Door(tmp_path / name, group=None)


def test_without_file_descriptors_a_peer_waits(door: Door, path: Path) -> None:
    """Accepting fails with a sentence, and succeeds when there are some again."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(path))
        # The kernel gives out the lowest that is free: below this one, none is.
        resource.setrlimit(resource.RLIMIT_NOFILE, (peer.fileno() + 1, hard))
        try:
            with pytest.raises(SensorError, match=r"cannot accept at .*: .*Too many open files"):
                door.accept()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        comes_in(door)[0].close()
