# SPDX-License-Identifier: Apache-2.0
"""``python tests/fuzz SECONDS``: libFuzzer on each target of this folder, so long each.

What it learns is kept in .cache/fuzz and is where the next run begins; what it
finds lies there too, and its last lines say how to see it again.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

# A folder that is run is its own first path; the tests' packages lie one above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from support.seeds import SEEDS  # noqa: E402  # not found before the line above
from support.structs import PROBES  # noqa: E402

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "fuzz"
# Beyond what the kernel looks at, and no more.
LONGEST_BYTES = 4500
_CC = (
    "clang", "-g", "-O1", "-Wall", "-Wextra", "-Wno-sign-compare", "-Werror",
    "-fsanitize=fuzzer,address,undefined", "-fno-sanitize-recover=all",
)  # fmt: skip


def fuzz(target: str, seconds: int) -> int:
    """Build a target, write its seeds, and run it; gives its exit code."""
    folder = CACHE / target
    (folder / "corpus").mkdir(parents=True, exist_ok=True)
    (folder / "seeds").mkdir(exist_ok=True)
    for number, seed in enumerate(SEEDS[target]):
        (folder / "seeds" / str(number)).write_bytes(seed)
    program = folder / target
    source = HERE / f"fuzz_{target}.c"
    subprocess.run([*_CC, f"-I{PROBES}", f"-I{HERE}", source, "-o", program], check=True)
    options = (
        f"-max_total_time={seconds}", f"-max_len={LONGEST_BYTES}", "-print_final_stats=1",
        "-verbosity=0", f"-artifact_prefix={folder}/",
    )  # fmt: skip
    sys.stdout.write(f"fuzz: {target} for {seconds} s\n")
    sys.stdout.flush()
    return subprocess.run(
        [program, *options, folder / "corpus", folder / "seeds"], check=False
    ).returncode


if __name__ == "__main__":
    sys.exit(max(fuzz(target, int(sys.argv[1])) for target in SEEDS))
