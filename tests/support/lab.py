# SPDX-License-Identifier: Apache-2.0
"""A network of the test's own: loopback only, with a name server and an answer for every host.

    with Lab() as lab, Scope() as scope:
        ran = lab.run(["/x/bin/tool", "hello"], scope=scope, env={"KEY": "dummy"})
        assert "api.example.com" in lab.names()

Nothing in it can reach anything outside: its network namespace has a loopback
device and no other. The namespaces have no name, so there is nothing to remove
but the processes in them (``support.lab_servers`` ends with this process).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from types import TracebackType

    from support.scope import Scope

_TESTS = Path(__file__).resolve().parent.parent
_END_S = 10


@dataclass(frozen=True, slots=True)
class Query:
    """One DNS query that the lab's name server got; ``type`` as in RFC 1035."""

    name: str
    type: int


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; ``server_name`` is the SNI, None for one in the clear."""

    server_name: str | None
    line: str
    received_bytes: int


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended; ``status`` is None where it had to be ended."""

    status: int | None
    stdout: str
    stderr: str


class Lab:
    """Network and mount namespaces for the length of a ``with``.

    ``cname`` maps a name to the name that it is an alias of; names in
    ``missing`` do not exist; every other name has an IPv4 and an IPv6 address
    of its own, where ports 80 and 443 answer each request with 401.
    """

    def __init__(
        self, *, cname: Mapping[str, str] | None = None, missing: Collection[str] = ()
    ) -> None:
        self._special = json.dumps([dict(cname or {}), list(missing)])

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="agent-sensor-lab-")
        self.path = Path(self._folder.name)
        self.home = self.path / "home"
        (self.home / "tmp").mkdir(parents=True)
        self._servers = subprocess.Popen(
            ["unshare", "--net", "--mount", "--propagation", "private", "--",
             sys.executable, "-m", "support.lab_servers", self.path, self._special],
            cwd=_TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert self._servers.stdout is not None
        if self._servers.stdout.readline() != b"ready\n":
            self.__exit__(None, None, None)
            raise RuntimeError("the lab's servers did not start; their reason is above")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._servers:
            self._servers.kill()
        self._folder.cleanup()

    def inside(self, argv: Sequence[str | Path], *, cwd: Path | None = None) -> list[str]:
        """Give the command line that runs ``argv`` in the lab, by an exec of ``argv[0]``."""
        enter = ["nsenter", "--target", str(self._servers.pid), "--net", "--mount"]
        return [*enter, f"--wdns={cwd or self.home}", "--", *map(str, argv)]

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        scope: Scope,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        timeout_s: float = 60,
    ) -> Ran:
        """Run ``argv`` in the lab and the scope, then end whatever it left in the scope.

        It gets the lab's HOME, no standard input, and of the caller's environment nothing.
        """
        out, err = self.path / "stdout", self.path / "stderr"
        status = None
        with out.open("wb") as stdout, err.open("wb") as stderr:
            program = scope.run(
                self.inside(argv, cwd=cwd), env=self.environment() | dict(env or {}),
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True,
            )  # fmt: skip
            try:
                with suppress(subprocess.TimeoutExpired):
                    status = program.wait(timeout_s)
            finally:
                end(scope)
                program.wait()
        return Ran(status, *(path.read_text("utf-8", "backslashreplace") for path in (out, err)))

    def environment(self) -> dict[str, str]:
        """Give the environment of a program in the lab: its folders, and whom to trust."""
        trusted = str(self.path / "ca.pem")
        return {
            "PATH": os.defpath, "HOME": str(self.home), "TMPDIR": str(self.home / "tmp"),
            "LANG": "C.UTF-8", "TERM": "dumb",
            "SSL_CERT_FILE": trusted, "NODE_EXTRA_CA_CERTS": trusted,
            "REQUESTS_CA_BUNDLE": trusted, "CURL_CA_BUNDLE": trusted, "GIT_SSL_CAINFO": trusted,
        }  # fmt: skip

    def queries(self) -> list[Query]:
        """List the DNS queries so far, in order."""
        return [Query(**record) for record in self._records("queries")]

    def names(self) -> set[str]:
        """Give the names that were asked for so far."""
        return {query.name for query in self.queries()}

    def requests(self) -> list[Request]:
        """List the HTTP requests so far, in order."""
        return [Request(**record) for record in self._records("requests")]

    def _records(self, name: str) -> list[dict[str, Any]]:
        lines = (self.path / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines]


def end(scope: Scope) -> None:
    """Kill what runs in the scope until nothing does."""
    deadline = time.monotonic() + _END_S
    while pids := scope.procs():
        assert time.monotonic() < deadline, f"{scope.path} still holds {pids}"
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
