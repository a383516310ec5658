# SPDX-License-Identifier: Apache-2.0
"""Lines on terminals that the tests have made."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from sensor.edge.terminal import LINE_COLUMNS, show
from sensor.errors import NotPermittedError, SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

SOMEBODY = 65533
TAKES, REFUSES = 0o620, 0o600


@dataclass(frozen=True, slots=True)
class Screen:
    """A terminal, its name, and a process whose terminal it is."""

    ours: int
    theirs: int
    name: str
    pid: int

    def shown(self) -> bytes:
        """Give what is on it, and was not given yet."""
        os.set_blocking(self.ours, False)  # the call's own interface
        try:
            return os.read(self.ours, 4096)
        except BlockingIOError:
            return b""


@contextmanager
def screen(*, mode: int = TAKES, owner: int = SOMEBODY) -> Iterator[Screen]:
    """Make a terminal that is somebody's, and takes messages unless ``mode`` says it does not."""
    ours, theirs = os.openpty()
    argv = ["setsid", "--ctty", "sh", "-c", "stty -opost; echo; exec sleep 60"]
    with subprocess.Popen(argv, stdin=theirs, stdout=theirs) as process:
        try:
            assert os.read(ours, 10).strip() == b""
            os.fchmod(theirs, mode)
            os.fchown(theirs, owner, -1)
            name = os.ttyname(theirs).removeprefix("/dev/")
            yield Screen(ours, theirs, name, process.pid)
        finally:
            process.kill()
            os.close(ours)
            os.close(theirs)


def fill(one: Screen) -> None:
    """Write more than a terminal holds unread."""
    for _ in range(1000):
        show(one.pid, one.name, "x" * LINE_COLUMNS, owners={SOMEBODY})


def test_the_owner_of_a_terminal_reads_one_line() -> None:
    """On a line of its own."""
    with screen() as one:
        show(one.pid, one.name, "claude is not approved here", owners={SOMEBODY})
        assert one.shown() == b"\r\nclaude is not approved here\r\n"


def test_nobody_s_text_moves_a_cursor() -> None:
    """Escapes come out as text, and what is too long is cut."""
    with screen() as one:
        show(one.pid, one.name, "a\x1b[2J\nb\x9b", owners={SOMEBODY})
        assert one.shown() == b"\r\na\\x1b[2J\\nb\\x9b\r\n"
        show(one.pid, one.name, "x" * 5000, owners={SOMEBODY})
        assert len(one.shown()) < LINE_COLUMNS + 10


def test_mesg_n_is_respected() -> None:
    """Root could write all the same."""
    with screen(mode=REFUSES) as one:
        with pytest.raises(NotPermittedError, match="takes no messages"):
            show(one.pid, one.name, "hello", owners={SOMEBODY})
        assert one.shown() == b""


def test_a_terminal_of_somebody_else_stays_as_it_is() -> None:
    """Whose it is decides, not who runs something on it."""
    with screen(owner=SOMEBODY - 1) as one:
        with pytest.raises(NotPermittedError, match=f"belongs to the uid {SOMEBODY - 1}"):
            show(one.pid, one.name, "hello", owners={SOMEBODY, 0})
        assert one.shown() == b""


def test_a_terminal_of_another_process_stays_as_it_is() -> None:
    """The kernel says whose terminal it is."""
    with screen() as one, screen() as other:
        with pytest.raises(NotPermittedError, match="is not that of process"):
            show(one.pid, other.name, "hello", owners={SOMEBODY})
        assert other.shown() == b""


@pytest.mark.parametrize("name", ["tty1", "pts/../ptmx", "pts/1/../2", "pts/", "../x", "pts/1\n"])
def test_only_pseudo_terminals_are_written_to(name: str) -> None:
    """And a name is no path."""
    with screen() as one, pytest.raises(SensorError, match="only lines like pts/3"):
        show(one.pid, name, "hello", owners={SOMEBODY})


def test_no_link_is_followed() -> None:
    """A root with a link in the place of its terminals leads nowhere."""
    with screen() as one:
        script = (
            "mount -t tmpfs tmpfs /mnt; mkdir -p /mnt/dev; ln -s /dev/pts /mnt/dev/pts;"
            "mkdir -p /mnt/bin /mnt/lib /mnt/lib64 /mnt/usr; mount --rbind /usr /mnt/usr;"
            "mount --rbind /bin /mnt/bin; mount --rbind /lib /mnt/lib;"
            "mount --rbind /lib64 /mnt/lib64; exec chroot /mnt /bin/sh -c 'echo; exec sleep 60'"
        )
        argv = ["unshare", "--mount", "--propagation=private", "setsid", "sh", "-c", script]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            try:
                assert process.stdout
                assert process.stdout.readline() == b"\n"
                with pytest.raises(SensorError, match="not told"):
                    show(process.pid, one.name, "hello", owners={SOMEBODY})
            finally:
                process.kill()
        assert one.shown() == b""


def test_a_full_terminal_holds_nobody_up() -> None:
    """What nobody reads fills up, and is an error then."""
    with screen() as one, pytest.raises(SensorError, match="not told"):
        fill(one)


def test_a_process_that_is_gone_is_told_nothing() -> None:
    """Its terminal may be somebody else's by now."""
    with screen() as one, pytest.raises(SensorError, match="process 4194305"):
        show(4194305, one.name, "hello", owners={SOMEBODY})
