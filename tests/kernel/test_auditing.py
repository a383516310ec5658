# SPDX-License-Identifier: Apache-2.0
"""An audit follows a detection by the daemon itself: what it finds is told, kept and sealed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support import running as support
from support.homes import npm_package, plant
from support.keeping import REFUSES, Kept
from support.patience import SOON_S
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
POLICY = f"""{REFUSES}
[defaults]
audit_on = "high-risk"
high_risk = ["vendor:anthropic"]
"""
TOOLS = {"codex": "installed", "claude-code": "used"}


def prepared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the daemon see a home for root that has traces in it; returns that."""
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
    monkeypatch.setattr(support, "AGENT_SENSOR", wrapper)
    return home


def check(told: list[support.Event], home: Path) -> None:
    """Check that the home was audited once."""
    found = {one["tool"]: one["inventory"] for one in told if one["kind"] == "inventory"}
    assert {tool: one["state"] for tool, one in found.items()} == TOOLS
    assert {(one["user"], one["uid"], one["home"]) for one in found.values()} == {
        ("root", 0, str(home))
    }


def audited(told: list[support.Event]) -> bool:
    """Tell whether both findings are there."""
    return [one["kind"] for one in told].count("inventory") == len(TOOLS)


@pytest.mark.long
def test_an_audit_follows_the_first_alert(
    tmp_path: Path, drivers: Drivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for a tool and a user, whose whole environment it is about."""
    home = prepared(tmp_path, monkeypatch)
    (tmp_path / "config.toml").write_text(CONFIG, "utf-8")
    with Scope() as scope, support.running(scope, tmp_path) as daemon:
        daemon.start(f"--config={tmp_path / 'config.toml'}")
        for _ in range(2):
            assert scope.run([drivers.tool("nothing")]).wait(SOON_S) == 0
        told = daemon.until(audited)
        assert daemon.stop() == 0
        assert daemon.verify().returncode == 0
    check(told, home)


@pytest.mark.long
def test_an_audit_follows_what_policy_refuses_first(
    tmp_path: Path, drivers: Drivers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Policy says after which; the report has both what was refused and what was found."""
    home, page = prepared(tmp_path, monkeypatch), tmp_path / "report.html"
    with Scope() as scope, support.running(scope, tmp_path) as daemon:
        kept = Kept(daemon, scope, tmp_path, drivers)
        kept.write(POLICY)
        kept.start()
        assert kept.is_refused()
        assert kept.is_refused()
        told = daemon.until(audited)
        assert daemon.command("report", str(page), "--since=0").returncode == 0
        assert daemon.stop() == 0
        assert daemon.verify().returncode == 0
    check(told, home)
    refused = [one for one in told if one["kind"] == "exec"]
    assert [(one["verdict"], one["rule"]) for one in refused] == [("block", "no-claude")] * 2
    assert {one["enforcement"] for one in refused} <= {"lsm", "kill"}
    text = page.read_text("utf-8")
    for part in ("Not on build hosts.", "by no-claude: ", "in force, generation ", str(home)):
        assert part in text, part
