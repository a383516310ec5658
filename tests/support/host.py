# SPDX-License-Identifier: Apache-2.0
"""The host as a child process sees it, with some of its files hidden, replaced or unmounted.

Nobody else sees the difference: the child has a mount namespace of its own,
which ends with the test.
"""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple, Self

from sensor.daemon.instance import COMPILING
from sensor.daemon.kept_code import VARIABLE as KEPT_CODE
from support.patience import SOON_S

if TYPE_CHECKING:
    from types import TracebackType

    from support.scope import Argument

AGENT_SENSOR = Path(sys.executable).with_name("agent-sensor")
CHECKOUT = Path(__file__).resolve().parents[2]
BPFFS = Path("/sys/fs/bpf")
_NOBODY = "65534"

UNPRIVILEGED = ("setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups", "--")
ROOT_WITHOUT_RIGHTS = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")


class Said(NamedTuple):
    """How a command ended, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def remarks(self) -> list[str]:
        """Its lines on stderr, but for the one of whoever compiles first."""
        return [line for line in self.err.splitlines() if not line.startswith(COMPILING)]


class Host:
    """A mount namespace for the length of a ``with``; it has a fresh bpffs where one belongs."""

    def __enter__(self) -> Self:
        self._stack = ExitStack()
        self._numbers = itertools.count()
        self._folder = Path(self._stack.enter_context(TemporaryDirectory()))
        self._process = subprocess.Popen(
            ["unshare", "--mount", "--propagation=private", "sh", "-c", "echo; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._stack.enter_context(self._process)
        assert self._process.stdout
        assert self._process.stdout.readline() == b"\n"
        self.mount("-t", "bpf", "-o", "mode=0755", "bpf", BPFFS)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._stack.close()

    def seen(self, path: Path) -> Path:
        """Give a path in the namespace as a path for this process."""
        return Path(f"/proc/{self._process.pid}/root") / path.relative_to("/")

    def entered(self, *argv: Argument) -> list[Argument]:
        """Make ``argv`` run in the namespace."""
        return ["nsenter", f"--mount=/proc/{self._process.pid}/ns/mnt", "--", *argv]

    def run(self, *argv: Argument) -> Said:
        """Run a command to its end; it knows of no probes that were compiled before."""
        done = subprocess.run(
            self.entered(*argv),
            check=False,
            capture_output=True,
            text=True,
            errors="backslashreplace",
            stdin=subprocess.DEVNULL,
            timeout=SOON_S,
            env={name: text for name, text in os.environ.items() if name != KEPT_CODE},
        )
        return Said(done.returncode, done.stdout, done.stderr)

    def sensor(self, *arguments: Argument, by: tuple[str, ...] = ()) -> Said:
        """Run ``agent-sensor`` to its end; ``by`` is a command that starts it with fewer rights."""
        return self.run(*by, AGENT_SENSOR, *arguments)

    def mount(self, *arguments: Argument) -> None:
        """Mount something in the namespace."""
        subprocess.run(self.entered("mount", *arguments), check=True, timeout=SOON_S)

    def unmount(self, *points: Path) -> None:
        """Unmount what the namespace has there, layer by layer."""
        script = 'for p; do while mountpoint -q "$p"; do umount "$p" || exit; done; done'
        subprocess.run(self.entered("sh", "-c", script, "sh", *points), check=True)

    def hide(self, folder: Path) -> None:
        """Have an empty folder there."""
        empty = self._folder / "empty"
        empty.mkdir(exist_ok=True)
        self.mount("--bind", empty, folder)

    def replace(self, path: Path, content: bytes) -> None:
        """Have a file with this content there."""
        file = self._folder / str(next(self._numbers))
        file.write_bytes(content)
        self.mount("--bind", file, path)

    def edit(self, path: Path, old: str, new: str) -> None:
        """Have a file say ``new`` where it says ``old``, once."""
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{path} has {old!r} {text.count(old)} times"
        self.replace(path, text.replace(old, new).encode())


def copied(program: str, folder: Path, *, name: str = "claude") -> Path:
    """Copy a program of this host under the name of an AI tool."""
    found = shutil.which(program)
    assert found
    folder.mkdir(exist_ok=True)
    return Path(shutil.copy(found, folder / name))
