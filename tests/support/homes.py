# SPDX-License-Identifier: Apache-2.0
"""Homes for the audit: small trees as tools and package managers leave them, recorded by hand.

Each was seen in a home in which the tool was really installed, used or removed
(``tests/e2e/test_real_audit.py`` does that again); here is what is left to read.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.audit.atlas import Atlas
from sensor.core.catalogue import Catalogue, merge, parse
from sensor.daemon.audit import Audit, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.audit.findings import Finding

_SHIPPED = Path(__file__).parents[2] / "sensor" / "catalogue"

SECRET = "sk-ant-api03-THIS-IS-NO-KEY-0123456789"  # noqa: S105 - as it says
"""Stands in what tools and shells keep; it is to appear in no output."""

GLOBAL = ".npm-global/lib/node_modules"
CLAUDE = f"{GLOBAL}/@anthropic-ai/claude-code/package.json"

NOON_NS = 1_795_608_000_000_000_000
"""2026-11-25, 12:00 UTC."""


def shipped() -> Catalogue:
    """Read the catalogue of this repository."""
    return merge(parse(path.read_text(), where=path.name) for path in sorted(_SHIPPED.iterdir()))


def plant(home: Path, files: Mapping[str, str | bytes | None]) -> Path:
    """Write files below a home; None is an empty folder. All are of noon."""
    home.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = home / name
        if text is None:
            path.mkdir(parents=True, exist_ok=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        os.utime(path, ns=(NOON_NS, NOON_NS))
    return home


def npm_package(name: str, version: str = "1.2.3", **more: object) -> str:
    """Write a ``package.json``."""
    return json.dumps({"name": name, "version": version, **more})


def python_package(folder: str, name: str, version: str, *commands: str) -> dict[str, str]:
    """Write a distribution's folder."""
    scripts = "".join(f"{command} = it:main\n" for command in commands)
    dist = f"{folder}/{name.replace('-', '_')}-{version}.dist-info"
    return {
        f"{dist}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\nText.\n",
        f"{dist}/entry_points.txt": f"[console_scripts]\n{scripts}\n[other]\nnone = it:none\n",
    }


def npm_log(*words: str) -> str:
    """Write the head of npm's debug log."""
    quoted = " ".join(json.dumps(word) for word in words)
    return f"0 verbose cli /usr/bin/node /usr/bin/npm\n7 verbose argv {quoted}\n8 verbose x\n"


def npm_index(name: str, version: str) -> str:
    """Write a bucket of npm's cache index: metadata, and the tarball."""
    last = name.rpartition("/")[2]
    base = "make-fetch-happen:request-cache:https://registry.example/"
    keys = (base + name.replace("/", "%2f"), f"{base}{name}/-/{last}-{version}.tgz")
    return "".join(f"\nabc\t{json.dumps({'key': key, 'time': NOON_NS // 10**6})}" for key in keys)


def audited(*homes: Path, **wanted: object) -> Audit:
    """Audit homes, or what else is wanted."""
    audit = Audit(Atlas(shipped()))
    audit.run(Wanted(homes=tuple(map(str, homes)), **wanted))  # type: ignore[arg-type]
    return audit


def found(*homes: Path, **wanted: object) -> dict[str, Finding]:
    """Audit homes; return what was found by tool."""
    return {one.tool: one for one in audited(*homes, **wanted).ledger.findings()}


def states(*homes: Path) -> dict[str, str]:
    """Audit homes; return the state of each tool."""
    return {tool: one.state.value for tool, one in found(*homes).items()}
