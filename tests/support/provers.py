# SPDX-License-Identifier: Apache-2.0
"""Programs of `prove` run by themselves: in mounts and a network that nobody else is in."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_PATIENCE_S = 120


def answered(script: str, spec: Mapping[str, object]) -> dict[str, object]:
    """Give a script what to do, and take its answer."""
    done = subprocess.run(
        ["unshare", "--mount", "--net", sys.executable, "-I", "-S", script],
        input=json.dumps(spec), capture_output=True, text=True, check=True, timeout=_PATIENCE_S,
    )  # fmt: skip
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


def played(story: str) -> object:
    """Run Python there that says one JSON value; give the value."""
    done = subprocess.run(
        ["unshare", "--mount", "--net", sys.executable, "-c", story],
        capture_output=True, text=True, check=False, timeout=_PATIENCE_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
