# SPDX-License-Identifier: Apache-2.0
"""The rights that the daemon keeps are enough for its work, and those of its start for that."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from support.scope import Scope

ROOT = Path(__file__).resolve().parents[2]
# Loads with the rights of the start, then does with the kept ones what a daemon does.
DAEMON = f"""
import json, os, subprocess, sys
from contextlib import suppress
from pathlib import Path
sys.path.insert(0, {str(ROOT)!r})
from sensor.core.rights import RUNNING, STARTING
from sensor.daemon.instance import Instance, Pins
from sensor.daemon.probing import command, run_loader
from sensor.edge import capabilities, libbpf, mounts, proc
from sensor.edge.libbpf_ring import Ring
from sensor.edge.host import LocalHost

scope, other = Path(sys.argv[1]), int(sys.argv[2])
bpffs = mounts.private_bpffs()
capabilities.keep(frozenset(STARTING))
loaded = run_loader(bpffs=bpffs, run_dir=Path("/rights"), scope=scope)
opened, top = Pins(loaded.pins), mounts.cgroup2()
ring, host = Ring(opened.map("records"), lambda record: None), LocalHost(top)
members, key = opened.map("members"), (1).to_bytes(4, sys.byteorder)
before = subprocess.run(command("sockets", str(other)), check=False, capture_output=True)
capabilities.keep(frozenset(RUNNING))
members.update(key, bytes(24))
done = {{
    "missing": loaded.missing,
    "sockets": before.returncode,
    "entry": members.lookup(key, 24) == bytes(24),
    "walked": len(list(members.items(4, 24))),
    "deleted": members.delete(key),
    "consumed": ring.consume(),
    "cgroup": host.cgroup(scope.stat().st_ino) == "/" + scope.name,
    "cwd": os.readlink(f"/proc/{{other}}/cwd"),
    "image": proc.image(proc.entry(other), proc.entry(other).process) is not None,
    "sockets of": len(list(proc.sockets(other))),
}}
with suppress(PermissionError):
    os.chown("/proc/self/fd/0", 1, 1)
    done["more"] = "owners can be changed"
done["removed"] = Instance(bpffs=bpffs, run_dir=Path("/rights"), scope=scope).remove()
print(json.dumps(done))
"""
# As another user, with a socket, and with an environment that says when it is there.
OTHER = "import socket, sys; s = socket.socket(); print(flush=True); sys.stdin.read()"


@pytest.mark.kernel
@pytest.mark.long
def test_the_daemon_does_its_work_with_what_it_keeps(tmp_path: Path) -> None:
    """Maps, ring, cgroup names, /proc of others, and taking everything away at the end."""
    strange = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--no-new-privs"]
    with (
        Scope() as scope,
        (tmp_path / "input").open("w+b") as file,
        subprocess.Popen(
            [*strange, sys.executable, "-I", "-c", OTHER],
            cwd="/", stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        ) as other,
    ):  # fmt: skip
        assert other.stdout
        other.stdout.readline()
        done = subprocess.run(
            [sys.executable, "-I", "-c", DAEMON, scope.path, str(other.pid)],
            stdin=file, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not done.returncode, done.stderr
        told = json.loads(done.stdout)
        other.communicate()
    refused = [why for why in told.pop("missing").values() if "not permitted" in why]
    assert told == {
        "sockets": 0, "entry": True, "walked": 1, "deleted": True, "consumed": 0, "cgroup": True,
        "cwd": "/", "image": True, "sockets of": 1, "removed": True,
    }  # fmt: skip
    assert not refused
