# SPDX-License-Identifier: Apache-2.0
"""A program of its own: a cold start in stages; prints the seconds of each as JSON."""

from __future__ import annotations

import time

_STARTED = time.perf_counter()

import json  # noqa: E402  # each import is timed
import os  # noqa: E402
import sys  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402


class Clock:
    """Names the time since it was last asked."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = _STARTED
        # From exec to the first line of this file: start time is in ticks of 10 ms.
        age_s = time.clock_gettime(time.CLOCK_BOOTTIME) - _start_time_s()
        self.seconds["python: to the first line"] = max(
            0.0, age_s - (time.perf_counter() - _STARTED)
        )

    def lap(self, name: str) -> None:
        """Call the time since the last lap ``name``."""
        now = time.perf_counter()
        self.seconds[name] = now - self._last
        self._last = now


def _start_time_s() -> float:
    fields = Path("/proc/self/stat").read_text("utf-8").rsplit(")", 1)[1].split()
    return int(fields[19]) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    """Do what loader and sensor do at a cold start, one stage after the other."""
    clock = Clock()
    import sensor.cli.watch  # noqa: F401, PLC0415

    clock.lap("import sensor.cli.watch")
    _load(clock)
    _teach(clock)
    json.dump(clock.seconds, sys.stdout)


def _load(clock: Clock) -> None:
    from sensor.daemon import loader  # noqa: PLC0415
    from sensor.daemon.turns import Turns  # noqa: PLC0415
    from sensor.edge import libbpf  # noqa: PLC0415
    from sensor.edge.compiler import Compiled  # noqa: PLC0415
    from sensor.wire.btf import Btf  # noqa: PLC0415
    from sensor.wire.headers import header_tree  # noqa: PLC0415
    from sensor.wire.programs import OBSERVING  # noqa: PLC0415

    clock.lap("import the loader")
    folder = loader.probes()
    btf = loader.kernel_types()
    tree = header_tree((folder / "types.toml").read_text("utf-8"), Btf(btf), where="types.toml")
    clock.lap("types from the kernel's BTF")
    with tempfile.TemporaryDirectory() as headers:
        for name, text in tree.items():
            path = Path(headers, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        import bcc  # noqa: F401, PLC0415

        clock.lap("import bcc")
        flags = (f"-I{folder}", f"-I{headers}/include", "-Wno-address-of-packed-member",
                 "-Wno-unused-function")  # fmt: skip
        compiled = Compiled(loader.source(folder), headers=Path(headers), flags=flags)
    clock.lap("compile")
    turns = Turns(btf)
    for program in (*OBSERVING, *turns.stand_bys):
        libbpf.load_program(
            turns.linked(compiled.code(program.source), program),
            program.hook.program_type,
            program.hook.attach_type or 0,
            name=program.name,
        )
        clock.lap(f"verifier: {program.name}")


def _teach(clock: Clock) -> None:
    from sensor.daemon.catalogues import catalogue  # noqa: PLC0415
    from sensor.wire import marks  # noqa: PLC0415

    known = catalogue()
    clock.lap("read the catalogue")
    marks.words(known, 0)
    marks.names(known)
    clock.lap("hash its marks")


if __name__ == "__main__":
    main()
