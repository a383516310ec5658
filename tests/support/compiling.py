# SPDX-License-Identifier: Apache-2.0
"""Compiles C from standard input as the probes are, loads it, and prints what came of it as JSON.

A process of its own, as in the sensor: BCC stays in memory. Nothing is attached.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from sensor.daemon.loader import kernel_types, probes
from sensor.edge.compiler import Compiled
from sensor.edge.libbpf import load_program
from sensor.errors import SensorError
from sensor.wire.btf import Btf
from sensor.wire.headers import header_tree
from sensor.wire.programs import Hook


def main(text: str) -> None:
    """Print the programs in their order, each with the kernel's refusal or null."""
    types = (probes() / "types.toml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as headers:
        for name, header in header_tree(types, Btf(kernel_types()), where="types.toml").items():
            path = Path(headers, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(header, "utf-8")
        compiled = Compiled(text, headers=Path(headers), flags=())
    loaded = {name: refusal(compiled, name) for name in compiled.programs()}
    sys.stdout.write(json.dumps({"programs": loaded, "map": compiled.map("table") > 0}))


def refusal(compiled: Compiled, name: str) -> str | None:
    """Load a program; gives the error if there is one."""
    try:
        kind = Hook.RAW_TRACEPOINT.program_type
        return None if load_program(compiled.code(name), kind, 0, name=name) > 0 else "fd 0"
    except SensorError as problem:
        return str(problem)


if __name__ == "__main__":
    try:
        main(sys.stdin.read())
    except SensorError as problem:
        sys.exit(f"{type(problem).__name__}: {problem}")
