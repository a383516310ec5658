# SPDX-License-Identifier: Apache-2.0
"""A server that was there before runs what it is asked to, as nobody's child."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from support.patience import SOON_S
from support.scope import Scope

from sensor.edge import scratch, tmux
from sensor.errors import UnsupportedError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel

SAYS = "import sys; print(sys.stdin.read(), open('/proc/self/cgroup').read())"


@pytest.fixture
def cgroup() -> Iterator[scratch.Cgroup]:
    """Give a cgroup with which the server ends."""
    with Scope() as scope:
        cgroup = scratch.Cgroup(scope.path)
        try:
            yield cgroup
        finally:
            cgroup.remove()


def ask(folder: Path, code: str) -> str:
    """Have the server run Python; give what it says."""
    asking = tmux.asking(folder, [sys.executable, "-c", code], after_s=0)
    done = subprocess.run(
        [*asking, "ignored"], input="it's", capture_output=True, text=True, check=True,
        timeout=SOON_S, env={"PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    return done.stdout


def test_it_runs_what_is_asked_for(tmp_path: Path, cgroup: scratch.Cgroup) -> None:
    """In the server's own place, with what was given to it; once more as well."""
    folder = tmp_path / "it's a folder"
    folder.mkdir()
    tmux.begin(folder, enter=cgroup.join)
    for _ in range(2):
        said, place = ask(folder, SAYS).split(maxsplit=1)
        assert said == "it's"
        assert place.strip().endswith(f"{cgroup.path.parent.name}/{cgroup.path.name}")
    cgroup.clear()
    with pytest.raises(subprocess.CalledProcessError):
        ask(folder, SAYS)


def test_a_host_without_one_lacks_it(
    tmp_path: Path, cgroup: scratch.Cgroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And one on which it does not start, with its own word."""
    long = tmp_path / ("long" * 30)
    long.mkdir()
    with pytest.raises(UnsupportedError, match=r"tmux: .*File name too long"):
        tmux.begin(long, enter=cgroup.join)
    monkeypatch.setattr(tmux, "_ENVIRONMENT", {"PATH": str(tmp_path)})
    with pytest.raises(UnsupportedError, match="no tmux is on this host"):
        tmux.begin(tmp_path, enter=cgroup.join)
