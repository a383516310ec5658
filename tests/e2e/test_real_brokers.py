# SPDX-License-Identifier: Apache-2.0
"""Debian's own atd, in mounts of its own: what a tool has it run later is in the tool's session."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.scope import Scope
from support.stage import end_of
from support.watching import Watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.watching import Event

pytestmark = [pytest.mark.e2e, pytest.mark.kernel]

# at(1) has these places compiled in. Its session modules want a host that runs them.
HOST = """set -e
mount -t tmpfs none /run
mount -t tmpfs none /var/spool
mkdir -p /var/spool/cron/atjobs /var/spool/cron/atspool
touch /var/spool/cron/atjobs/.SEQ
chown -R daemon:daemon /var/spool/cron
chmod 1770 /var/spool/cron/atjobs /var/spool/cron/atspool
chmod 600 /var/spool/cron/atjobs/.SEQ
cp -a /etc/pam.d /run/pam.d
for kind in auth account session; do echo "$kind required pam_permit.so"; done >/run/pam.d/atd
mount --bind /run/pam.d /etc/pam.d
echo ready
exec "$1" -f
"""
MINUTE_S = 100


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack the package; installing it would leave a daemon on the host."""
    folder = tmp_path_factory.mktemp("at")
    subprocess.run(["apt-get", "download", "-qq", "at"], cwd=folder, check=True)
    (package,) = folder.glob("at_*.deb")
    subprocess.run(["dpkg", "-x", package, folder / "root"], check=True)
    return folder / "root"


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Give a scope."""
    with Scope() as scope:
        yield scope


@pytest.mark.parametrize(
    ("when", "signals"),
    [("now", ["marker", "client"]), ("now + 1 minute", ["marker"])],
)
def test_a_job_is_in_the_session_of_the_tool_that_left_it(
    at: Path, scope: Scope, tmp_path: Path, when: str, signals: list[str]
) -> None:
    """At once by the client that is there, too; later by what the job itself sets."""
    claude = copied("bash", tmp_path / "tool")
    atd = scope.run(
        ["unshare", "-m", "sh", "-c", HOST, "sh", at / "usr/sbin/atd"], stdout=subprocess.PIPE
    )
    assert atd.stdout
    assert atd.stdout.readline() == b"ready\n"
    leaves = f"export CLAUDECODE=1; echo sleep 3 | {at}/usr/bin/at {when}; read -r _; exit 0"
    with Watching(scope, "--all-children") as watching:
        process = scope.run(
            ["nsenter", f"--mount=/proc/{atd.pid}/ns/mnt", claude, "-c", leaves],
            stdin=subprocess.PIPE, env={"PATH": "/usr/bin:/bin"},
        )  # fmt: skip

        def jobs(events: list[Event]) -> list[Event]:
            return [e for e in events if e["kind"] == "exec" and e["lineage"]]

        told = watching.until(lambda events: bool(jobs(events)), MINUTE_S)
        assert process.stdin
        process.stdin.close()
        assert end_of(process) == 0
        watching.until(lambda events: any(e["kind"] == "session_end" for e in events))
    (start,) = (event for event in told if event["kind"] == "session_start")
    job = jobs(told)[0]
    assert (job["session"], job["lineage"]) == (start["session"], "marker")
    assert [one["signal"] for one in job["evidence"]] == signals
    assert "sleep" in [Path(e["process"]["exe"]).name for e in watching.events("exec")]
    atd.kill()
    atd.wait()
