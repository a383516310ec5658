# SPDX-License-Identifier: Apache-2.0
"""Compiles the probes and says as JSON which helpers each program calls, by their numbers."""

from __future__ import annotations

import json
import struct
import tempfile
from pathlib import Path

from sensor.daemon.loader import kernel_types, probes, source
from sensor.edge.compiler import Compiled
from sensor.wire.btf import Btf
from sensor.wire.headers import header_tree

# include/uapi/linux/bpf.h: struct bpf_insn; BPF_JMP | BPF_CALL, whose source register is 0
# where it calls a helper.
INSTRUCTION = struct.Struct("=BBhi")
CALL = 0x85


def helpers(code: bytes) -> list[int]:
    """Give the numbers of the helpers that these instructions call."""
    return sorted(
        {
            number
            for operation, registers, _, number in INSTRUCTION.iter_unpack(code)
            if operation == CALL and registers >> 4 == 0
        }
    )


def main() -> None:
    """Compile as the loader does."""
    folder = probes()
    types = (folder / "types.toml").read_text("utf-8")
    with tempfile.TemporaryDirectory() as headers:
        for name, text in header_tree(types, Btf(kernel_types()), where="types.toml").items():
            path = Path(headers, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        flags = (f"-I{folder}", f"-I{headers}/include", "-Wno-address-of-packed-member")
        compiled = Compiled(source(folder), headers=Path(headers), flags=flags)
    print(json.dumps({name: helpers(compiled.code(name)) for name in compiled.programs()}))  # noqa: T201  # its answer


if __name__ == "__main__":
    main()
