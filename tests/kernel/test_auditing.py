# SPDX-License-Identifier: Apache-2.0
"""An audit follows a detection by the daemon itself: what it finds is told, kept and sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import running as support
from support.homes import npm_package, plant
from support.scope import Scope

if TYPE_CHECKING:
    from support.drivers import Drivers

pytestmark = pytest.mark.kernel

# The daemon sees another passwd: root's home is the test's own.
WRAPPER = """\
#!/bin/sh
exec unshare --mount --propagation=private sh -c \\
    'mount --bind "$0" /etc/passwd && exec "$@"' {passwd} {command} "$@"
"""
CONFIG = '[audit]\non = "high-risk"\nhigh_risk = ["claude-code"]\n'
WAIT_S = 120


@pytest.mark.long
def test_an_audit_follows_the_first_alert(
    tmp_path: Path, drivers: Drivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for a tool and a user, whose whole environment it is about."""
    home = plant(tmp_path / "home", {
        ".npm-global/lib/node_modules/@openai/codex/package.json":
            npm_package("@openai/codex", "0.169.0"),
        ".claude/projects/x.jsonl": "{}",
    })  # fmt: skip
    passwd = tmp_path / "passwd"
    lines = Path("/etc/passwd").read_text("utf-8").splitlines()
    mine = [f"root:x:0:0:root:{home}:/bin/sh" if one.startswith("root:") else one for one in lines]
    passwd.write_text("\n".join([*mine, ""]), "utf-8")
    wrapper = tmp_path / "agent-sensor"
    wrapper.write_text(WRAPPER.format(passwd=passwd, command=support.AGENT_SENSOR), "utf-8")
    wrapper.chmod(0o755)
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    monkeypatch.setattr(support, "AGENT_SENSOR", wrapper)
    with Scope() as scope, support.running(scope, tmp_path) as daemon:
        daemon.start(f"--config={tmp_path / 'config.toml'}")
        for _ in range(2):
            assert scope.run([drivers.tool("nothing")]).wait(30) == 0
        told = daemon.until(
            lambda events: sum(one["kind"] == "inventory" for one in events) == 2, WAIT_S
        )
        assert daemon.stop() == 0
        assert daemon.verify().returncode == 0
    found = {one["tool"]: one["inventory"] for one in told if one["kind"] == "inventory"}
    assert {tool: one["state"] for tool, one in found.items()} == {
        "codex": "installed", "claude-code": "used",
    }  # fmt: skip
    assert {(one["user"], one["uid"], one["home"]) for one in found.values()} == {
        ("root", 0, str(home))
    }
