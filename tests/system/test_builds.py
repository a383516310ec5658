# SPDX-License-Identifier: Apache-2.0
"""A machine that builds C for as long as asked, with the whole of it under a policy in force.

``make system-test MINUTES=60`` is the long run; its table is what there is to see.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.tools import CLAUDE_CODE, NODE, QWEN_CODE, installed
from vm import trying
from vm.guest import HERE
from vm.report import table
from vm.trying import START_S, UNIT

if TYPE_CHECKING:
    from support.tools import Package
    from vm.machine import Machine

pytestmark = pytest.mark.vm

# The runtimes of the tools use what the plainest one does not have.
PROCESSOR = "max"
MINUTES = float(os.environ.get("AGENT_SENSOR_BUILD_MINUTES") or 3)
# Of the daemon's own process, and of its whole unit: deputy, searcher, workers.
USED = f"""\
pid=$(systemctl show -P MainPID {UNIT})
grep ctxt /proc/$pid/status | tr -d :
echo "cpu_us $(sed -n 's/usage_usec //p' /sys/fs/cgroup/system.slice/{UNIT}/cpu.stat)"
sed -n 's/^processes/forks/p' /proc/stat
sed -n 's/^VmRSS:/rss_kib/p' /proc/$pid/status
"""


def settle(machine: Machine, package: Package) -> str:
    """Install the real tool in the machine, and give the file that is its program."""
    installed(package)
    folder, command = package.folder.name, f"/usr/local/bin/{package.program}"
    shutil.copytree(package.folder, machine.shared / folder, symlinks=True)
    copied = f"mkdir -p /opt/tools && cp -a /mnt/guest/{folder} /opt/tools/ && sync"
    linked = f"ln -sf /opt/tools/{folder}/bin/{package.program} {command} && readlink -f {command}"
    program = machine.check(f"{copied} && {linked}", within_s=START_S).strip()
    shutil.rmtree(machine.shared / folder)
    return program


def version(machine: Machine, package: Package) -> str:
    """Run the tool for its version, which takes its whole runtime."""
    return machine.check(f"/usr/local/bin/{package.program} --version", within_s=START_S)


def numbers(said: str) -> dict[str, int]:
    """Read lines of a name and a number."""
    words = [line.split() for line in said.splitlines()]
    return {word[0]: int(word[1]) for word in words if len(word) >= 2 and word[1].isdigit()}


def test_builds_go_on_and_the_tool_never_runs(machine: Machine) -> None:
    """Host-wide, Claude Code is refused each time and nothing else ever; nothing is lost."""
    settle(machine, NODE)
    settle(machine, QWEN_CODE)
    program = settle(machine, CLAUDE_CODE)
    assert version(machine, CLAUDE_CODE).startswith(CLAUDE_CODE.version)
    machine.check("agent-sensor install", within_s=START_S)
    trying.write_policy(machine, "claude-code")
    machine.check(f"systemctl enable --now {UNIT}", within_s=START_S)
    trying.proved(machine)
    assert QWEN_CODE.version in version(machine, QWEN_CODE)
    shutil.copy(HERE / "builds.sh", machine.shared)
    before = numbers(machine.check(USED))
    built = numbers(
        machine.check(
            f"sh /mnt/guest/builds.sh {MINUTES * 60:.0f} {trying.TOOL} {trying.MARK}",
            within_s=MINUTES * 60 + START_S,
        )
    )
    after = numbers(machine.check(USED))
    assert QWEN_CODE.version in version(machine, QWEN_CODE)
    found = trying.proved(machine)
    refused = trying.events(machine, "--kind exec --verdict block -n 1000000")
    programs = Counter(event["process"]["exe"] for event in refused)
    rows = [
        ("minutes", f"{MINUTES:g}"),
        ("builds done, failed", f"{built['builds']}, {built['failed']}"),
        ("processes started", f"{after['forks'] - before['forks']}"),
        ("tool tried, refused, ran", f"{built['tried']}, {built['refused']}, {built['ran']}"),
        ("CPU of the unit", f"{(after['cpu_us'] - before['cpu_us']) / 1e6:.1f} s"),
        *(
            (f"daemon's {name} switches", f"{after[key] - before[key]}")
            for name, key in (
                ("voluntary", "voluntary_ctxt_switches"),
                ("involuntary", "nonvoluntary_ctxt_switches"),
            )
        ),
        ("resident memory, before and after", f"{before['rss_kib']}, {after['rss_kib']} KiB"),
        ("records lost", f"{found['lost']}"),
        ("refused, by program", ", ".join(f"{name} {times}" for name, times in programs.items())),
        ("status", f"{found['proved']}; problems: {found['problems'] or 'none'}"),
    ]
    print("\n" + table(("what", "figure"), rows))  # noqa: T201  # the figures
    assert built["builds"] > 0
    assert built["failed"] == 0
    assert built["ran"] == 0
    assert built["refused"] == built["tried"]
    assert found["lost"] == 0
    assert found["problems"] == []
    assert programs == {program: built["tried"]}
    assert trying.restarts(machine) == 0
