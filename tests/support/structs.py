# SPDX-License-Identifier: Apache-2.0
"""The C structs of probes/*.h as the host's compiler lays them out."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.wire.layout import Layout

PROBES = Path(__file__).resolve().parents[2] / "probes"


def measured(header: str, layouts: Mapping[str, Layout], folder: Path) -> dict[str, int]:
    """Give ``{struct: size, struct.member: offset}`` for every name in ``layouts``.

    A member of an embedded struct is named as C has it, ``head.pid``. Compiles
    with -Wpadded -Werror, so a struct with implicit padding fails here.
    """
    names = _names(layouts)
    places = (name.partition(".")[::2] for name in names)
    lines = [
        f'printf("{struct}.{member} %zu\\n", offsetof(struct {struct}, {member}));'
        for struct, member in places
    ]
    lines += [f'printf("{name} %zu\\n", sizeof(struct {name}));' for name in layouts]
    source = folder / "measure.c"
    source.write_text(
        f'#include <stddef.h>\n#include <stdio.h>\n#include "{header}"\n'
        f"int main(void)\n{{\n{''.join(lines)}\nreturn 0;\n}}\n",
        "utf-8",
    )
    program = folder / "measure"
    subprocess.run(
        ["cc", "-Wall", "-Wpadded", "-Werror", f"-I{PROBES}", source, "-o", program], check=True
    )
    said = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    return {name: int(value) for name, value in (line.split() for line in said.splitlines())}


def checked(header: str, claim: str, folder: Path) -> None:
    """Fail unless a constant expression over ``header`` holds."""
    source = folder / "claim.c"
    source.write_text(f'#include "{header}"\n_Static_assert({claim}, "{claim}");\n', "utf-8")
    subprocess.run(["cc", "-fsyntax-only", f"-I{PROBES}", source], check=True)


def laid_out(layouts: Mapping[str, Layout]) -> dict[str, int]:
    """Give the same of the Python layouts."""
    return _names(layouts) | {name: layout.size for name, layout in layouts.items()}


def _names(layouts: Mapping[str, Layout]) -> dict[str, int]:
    return {
        f"{struct}.{member}": offset
        for struct, layout in layouts.items()
        for member, offset in layout.offsets().items()
    }
