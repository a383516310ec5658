# SPDX-License-Identifier: Apache-2.0
"""One attempt after another: each a process in the scratch cgroup, that is given what to do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.proof.outcome import Tried
from sensor.core.proof.technique import WAITS_S, Asks, Reach, Says, Start
from sensor.core.tools import MarkKind
from sensor.edge import attempt_exec, attempt_reach, tmux
from sensor.edge.openings import opening
from sensor.edge.snare import RESOLVERS
from sensor.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sensor.core.proof.aim import Aim
    from sensor.core.proof.technique import Technique
    from sensor.edge.scratch import Cgroup
    from sensor.edge.snare import Snare

PATIENCE_S = 30.0
"""For one attempt: more than any takes on a busy host."""

NEUTRAL = "prove.invalid"
"""Of the names (RFC 2606) that addresses have when all is over."""

_MARKS = ("-c", ': >"$MARK"')
_PATH = "/usr/bin:/bin"
_ASKS = {
    Asks.NOBODY: "nobody", Asks.RESOLVER: "udp", Asks.ANOTHER: "udp", Asks.TCP: "tcp",
    Asks.HOSTS: "hosts",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """Where attempts are made, and the marks that the folder was laid out with."""

    cgroup: Cgroup
    folder: Path
    marks: Mapping[MarkKind, str]


class Attempting:
    """Makes attempts. ``snare`` hears what comes through."""

    def __init__(self, place: Place, snare: Snare) -> None:
        self._place = place
        self._snare = snare
        self._python = str(Path(sys.executable).resolve())
        self._mark = place.folder / "mark"
        (place.folder / "sessions").mkdir()

    def attempt(self, technique: Technique, aim: Aim) -> Tried:
        """Try once; nothing of it runs any more afterwards."""
        match technique.way:
            case Start():
                return self._start(technique.way)
            case Reach():
                return self._reach(technique, technique.way, aim)

    def forget(self, aims: Iterable[Aim]) -> None:
        """Have every address that was looked up stand for a name that nobody is kept from."""
        addresses = sorted({str(aim.address) for aim in aims if aim.name})
        names = {f"{number}.{NEUTRAL}": one for number, one in enumerate(addresses)}
        self._snare.names(names)
        spec = self._spec(how=attempt_reach.NOTHING, asks="udp", name=" ".join(names))
        self._run(attempt_reach.__file__, spec)

    def _start(self, way: Start) -> Tried:
        loader = _loader()
        words = {
            "folder": str(self._place.folder), "python": self._python, "loader": loader or "",
            "sh": "/bin/sh", "name": self._place.marks[MarkKind.NAME],
            "module": self._place.marks[MarkKind.MODULE], "pair": self._place.marks[MarkKind.PATH],
        }  # fmt: skip
        if "{loader}" in way.file and loader is None:
            return Tried(through=False, lacks="no dynamic loader is where they usually are")
        file = way.file.format(**words)
        spec = {
            "how": way.how,
            "file": file,
            "argv": [*(one.format(file=file, **words) for one in way.argv), *_MARKS],
            "env": {
                "PATH": _PATH,
                "MARK": str(self._mark),
                "PYTHONPATH": str(self._place.folder / "modules"),
            },
            "name": words["name"],
            "folder": words["folder"],
        }
        answer = self._run(attempt_exec.__file__, spec)
        through = self._mark.exists()
        self._mark.unlink(missing_ok=True)
        return _tried(answer, through=through)

    def _reach(self, technique: Technique, way: Reach, aim: Aim) -> Tried:
        word = f"prove:{technique.id}:{os.getpid()}".encode()
        said = opening(way.says, name=aim.name, port=aim.target_port, word=word)
        host = f"::ffff:{aim.address}" if way.mapped else str(aim.address)
        self._snare.names({aim.name: str(aim.address)} if aim.name else {})
        spec = self._spec(
            how=way.how, via=way.via, host=host, port=aim.port,
            says=[piece.hex() for piece in said.pieces], asks=_ASKS[way.asks], name=aim.name or "",
            resolver=RESOLVERS[way.asks is Asks.ANOTHER],
        )  # fmt: skip
        if way.by_broker:
            try:
                spec["other"] = self._broker(attempt_reach.__file__)
            except UnsupportedError as problem:
                return Tried(through=False, lacks=str(problem))
        answer = self._run(attempt_reach.__file__, spec, actor=aim.actor)
        heard = self._snare.heard()
        through = said.secret in heard or (way.says is Says.SHOUTED and bool(heard))
        return _tried(answer, through=through)

    def _broker(self, script: str) -> list[str]:
        """Start a broker that is in no session, and give what has it run a script."""
        folder = self._place.folder / "broker"
        folder.mkdir()
        tmux.begin(folder, enter=self._place.cgroup.join)
        return tmux.asking(folder, [self._python, "-I", "-S", script], after_s=WAITS_S)

    def _spec(self, **more: object) -> dict[str, object]:
        other = [self._python, "-I", "-S"]
        return {"via": "itself", "resolver": RESOLVERS[0], "other": other, "says": [], **more}

    def _run(
        self, script: str, spec: Mapping[str, object], *, actor: str | None = None
    ) -> dict[str, object]:  # fmt: skip
        """Run a script in the cgroup, as a tool where there is an actor, and give its answer."""
        python = self._acted(actor) if actor else self._python
        try:
            with subprocess.Popen(
                [python, "-I", "-S", script],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd=self._place.folder, env={"PATH": _PATH}, start_new_session=True,
                preexec_fn=self._place.cgroup.join,  # noqa: PLW1509  # this process has no threads
            ) as process:  # fmt: skip
                try:
                    said, _ = process.communicate(json.dumps(spec).encode(), PATIENCE_S)
                except subprocess.TimeoutExpired:
                    said = b""
                finally:
                    process.kill()
        except OSError as problem:  # the actor itself is refused
            return {"ended": f"start: {problem.strerror}", "lacks": None, "pids": []}
        finally:
            self._place.cgroup.clear()
        answer: dict[str, object] = (
            json.loads(said) if said else {"ended": _end(process.returncode), "pids": []}
        )
        pids = answer["pids"]
        own = pids if isinstance(pids, list) else []
        return {**answer, "pids": [*own, process.pid]}

    def _acted(self, name: str) -> str:
        """Give Python under the name of a tool that may run."""
        link = self._place.folder / "sessions" / name
        if not link.is_symlink():
            link.symlink_to(self._python)
        return str(link)


def _tried(answer: Mapping[str, object], *, through: bool) -> Tried:
    pids, ended, lacks = (answer.get(key) for key in ("pids", "ended", "lacks"))
    return Tried(
        through=through,
        ended=str(ended) if ended else None,
        lacks=str(lacks) if lacks else None,
        pids=frozenset(pids) if isinstance(pids, list) else frozenset(),
    )


def _end(status: int) -> str:
    return "SIGKILL" if status == -signal.SIGKILL else f"status {status}"


def _loader() -> str | None:
    """Find the dynamic loader of this host (ld.so(8))."""
    found = (
        str(path)
        for folder in ("/lib64", "/lib")
        for name in ("ld-linux*.so.*", "ld-musl-*.so.1", "ld64.so.*")
        for path in Path(folder).glob(name)
    )
    return next(found, None)
