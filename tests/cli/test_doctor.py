# SPDX-License-Identifier: Apache-2.0
"""The command ``doctor``, as people and programs run it, on hosts that lack this and that.

What a host lacks is taken from it in a mount namespace, which ends with the command.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from sensor.edge import mounts
from sensor.errors import ExitCode

DOCTOR = (sys.executable, "-I", "-m", "sensor", "doctor")
NOBODY = ("setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")
WITHIN_S = 60


def run(*command: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        command, env=env, capture_output=True, text=True, check=False, timeout=WITHIN_S
    )


def without(change: str) -> tuple[int, dict[str, str], str]:
    """Give the exit code, the states and the summary after a change to the mounts."""
    script = f'{change} && exec "$@"'
    done = run("unshare", "-m", "sh", "-c", script, "-", *DOCTOR, "--json")
    said = json.loads(done.stdout)
    states = {feature["id"]: feature["state"] for feature in said["features"]}
    return done.returncode, states, said["summary"]


def test_the_lines_and_the_json_say_the_same() -> None:
    """Both come from one checkup; stderr has nothing to add."""
    lines, as_json = run(*DOCTOR), run(*DOCTOR, "--json")
    said = json.loads(as_json.stdout)
    told = lines.stdout.splitlines()
    assert told[0] == f"kernel {os.uname().release} {os.uname().machine}"
    assert told[-1] == said["summary"]
    for line, feature in zip(told[1:-1], said["features"], strict=True):
        assert line.split()[0] == {"unknown": "?"}.get(feature["state"], feature["state"])
        assert feature["name"] in line
    assert lines.stderr == as_json.stderr == ""
    assert lines.returncode == as_json.returncode


def test_nothing_of_the_environment_is_needed() -> None:
    """No program is looked for in PATH, and no locale is assumed."""
    bare = run(*DOCTOR, env={"PATH": "/nonexistent", "LC_ALL": "C"})
    assert bare.stdout == run(*DOCTOR).stdout
    assert bare.stderr == ""


def test_the_help_keeps_its_examples_on_lines_of_their_own() -> None:
    """They can be copied."""
    assert "\n    sudo agent-sensor doctor\n" in run(*DOCTOR, "--help").stdout


@pytest.mark.kernel
def test_without_root_it_says_what_it_did_not_look_at() -> None:
    """Not to know is no failure, and no claim."""
    done = run(*NOBODY, *DOCTOR, "--json")
    said = json.loads(done.stdout)
    states = {feature["id"]: feature for feature in said["features"]}
    assert done.returncode == ExitCode.OK
    assert said["verdict"] == "unsure"
    assert states["btf"]["state"] == states["cgroup2"]["state"] == "yes"
    assert states["ringbuf"]["state"] == states["rights"]["state"] == "unknown"
    assert states["ringbuf"]["detail"] == "needs root"
    assert states["ringbuf"]["remedy"] == "run sudo agent-sensor doctor"


@pytest.mark.kernel
def test_without_cgroup2_watch_is_unsupported() -> None:
    """The last line names what is missing."""
    code, states, summary = without(f"umount -l '{mounts.cgroup2()}'")
    assert code == ExitCode.UNSUPPORTED
    assert states["cgroup2"] == "no"
    assert summary == "unsupported: watch cannot run here without cgroup2"


@pytest.mark.kernel
def test_without_btf_the_rest_is_still_asked() -> None:
    """What depends on it is unknown; what does not is answered."""
    code, states, summary = without("mount -t tmpfs none /sys/kernel/btf")
    assert code == ExitCode.UNSUPPORTED
    assert summary == "unsupported: watch cannot run here without BTF"
    assert states["btf_members"] == states["sock_state"] == "unknown"
    assert states["ringbuf"] == "yes"


@pytest.mark.kernel
def test_a_damaged_btf_is_no_crash() -> None:
    """The bytes of a program are no types."""
    code, states, _ = without("mount --bind /bin/sh /sys/kernel/btf/vmlinux")
    assert code == ExitCode.UNSUPPORTED
    assert states["btf_members"] == "unknown"


@pytest.mark.kernel
def test_where_an_optional_thing_is_missing_watch_is_degraded() -> None:
    """Watch runs there, and the exit code says that something is missing."""
    code, states, summary = without(
        "mount -t tmpfs none /mnt && echo 0 >/mnt/0"
        " && mount --bind /mnt/0 /proc/sys/net/core/bpf_jit_enable"
    )
    assert code == ExitCode.DEGRADED
    assert states["jit"] == "no"
    # A host of tests need not have a bpffs, which is said behind that.
    assert str(summary).split(";")[0] == "degraded: watch can run here, without BPF JIT"
