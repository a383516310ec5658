# SPDX-License-Identifier: Apache-2.0
"""A program that refuses the exec of one file for as long as it lives, in a guest and nowhere else.

``python -m support.refusing FILE`` writes ``refusing`` once it does. When its
standard input ends, it writes how often the kernel asked it, and ends; the
kernel then takes the program away.
"""

from __future__ import annotations

import os
import struct
import sys
import tempfile
from pathlib import Path

from sensor.daemon.loader import kernel_types, probes
from sensor.edge.compiler import Compiled
from sensor.edge.libbpf import Map
from sensor.wire.btf import Btf
from sensor.wire.headers import header_tree
from support.guest import in_guest

SOURCE = Path(__file__).parent.parent / "kernel" / "refuse_exec.c"
# linux/kdev_t.h
MINOR_BITS = 20
FIRST = bytes(4)
COUNT_BYTES = 8


def main(path: Path) -> None:
    """Refuse ``path`` until standard input ends."""
    if not in_guest():
        sys.exit("refuses to refuse outside a guest: run `make vm-test`")
    compiled = _compiled()
    file = path.stat()
    dev = os.major(file.st_dev) << MINOR_BITS | os.minor(file.st_dev)
    Map(compiled.map("refused")).update(struct.pack("=QQ", file.st_ino, dev), bytes(COUNT_BYTES))
    sys.stdout.write("refusing\n")
    sys.stdout.flush()
    sys.stdin.read()
    calls = Map(compiled.map("calls")).lookup(FIRST, COUNT_BYTES)
    sys.stdout.write(str(int.from_bytes(calls or b"", "little")))


def _compiled() -> Compiled:
    """Compile, load and attach: BCC attaches what is named as an LSM program by itself."""
    folder = probes()
    tree = header_tree(
        (folder / "types.toml").read_text("utf-8"), Btf(kernel_types()), where="probes/types.toml"
    )
    with tempfile.TemporaryDirectory() as headers:
        for name, text in tree.items():
            (Path(headers) / name).parent.mkdir(parents=True, exist_ok=True)
            (Path(headers) / name).write_text(text, "utf-8")
        flags = (f"-I{folder}", f"-I{headers}/include")
        return Compiled(SOURCE.read_text("utf-8"), headers=Path(headers), flags=flags)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
