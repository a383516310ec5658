# SPDX-License-Identifier: Apache-2.0
"""From install to uninstall on a machine of its own, under real systemd, as one walk-through.

Each step tries a tool that policy refuses and one that it allows. The steps are
in their order, and each stands on those before it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from vm import trying
from vm.guest import LSM_WITHOUT_BPF
from vm.trying import OTHER_TOOL, PINS, START_S, UNIT

if TYPE_CHECKING:
    from vm.machine import Machine

pytestmark = pytest.mark.vm

HYBRID = "systemd.unified_cgroup_hierarchy=0"
WHEELS = "/usr/src/wheels"
# What no uninstall leaves behind.
TRACES = f"""\
ls -d /etc/systemd/system/{UNIT} /etc/systemd/system/*.wants/{UNIT} /etc/systemd/system/{UNIT}.d \\
	/etc/sysusers.d/agent-sensor.conf /etc/tmpfiles.d/agent-sensor.conf /etc/agent-sensor \\
	/var/lib/agent-sensor /var/cache/agent-sensor /run/agent-sensor {PINS} 2>/dev/null
find /sys/fs/cgroup -name '*agent-sensor*'
getent group agent-sensor
bpftool prog list | grep -E 'seen_|judge_|learn_names'
systemctl list-units --all --no-legend 'agent-sensor*'
true
"""
# Runs where the unit's ordering says: after it, and before anybody can log in.
EARLY = f"""\
[Unit]
After={UNIT}
Before=systemd-user-sessions.service
[Service]
Type=oneshot
ExecStart=/bin/sh -c '{trying.TOOL} -c "echo ran >/root/early-mark"; echo $? >/root/early'
[Install]
WantedBy=multi-user.target
"""


def test_install_puts_a_unit_there_and_starts_nothing(machine: Machine) -> None:
    """Nothing is refused yet."""
    machine.check("agent-sensor install", within_s=START_S)
    assert machine.run(f"systemctl is-enabled {UNIT}").said.strip() == "disabled"
    assert machine.run(f"systemctl is-active {UNIT}").said.strip() == "inactive"
    assert "agent-sensor" in machine.check("getent group agent-sensor")
    trying.is_free(machine)


def test_enabled_it_refuses_by_the_lsm_and_has_proved_it(machine: Machine) -> None:
    """The parent sees EPERM, the image never ran, and the event says how."""
    trying.write_policy(machine, "claude-code")
    machine.check(f"systemctl enable --now {UNIT}", within_s=START_S)
    trying.is_refused(machine)
    trying.is_unreachable(machine)
    found = trying.proved(machine)
    assert found["problems"] == []
    assert found["enforcement"]["exec"] == "lsm"
    assert found["enforcement"]["connect"] == "cgroup"
    assert found["scope"] == "/sys/fs/cgroup"
    assert "judge_exec" in machine.check("bpftool prog list")
    assert "link_" in machine.check(f"find {PINS}")
    [event] = trying.events(machine, "--kind exec --verdict block")
    assert (event["enforcement"], event["rule"], event["tool"]) == (
        *("lsm", "no-agents", "claude-code"),
    )
    assert event["process"]["exe"] == trying.TOOL


def test_the_unit_is_closed_as_far_as_the_docs_say(machine: Machine) -> None:
    """The measure that systemd has of what the unit could still do, of 10."""
    said = machine.check(f"systemd-analyze security --no-pager {UNIT}")
    overall = next(line for line in said.splitlines() if "Overall exposure" in line)
    print(overall)  # noqa: T201  # the figure for the docs
    assert float(overall.split(":")[1].split()[0]) <= 3.5


def test_a_process_in_a_container_is_refused_and_told_as_one(machine: Machine) -> None:
    """systemd-nspawn with a root, pids and a name of its own."""
    container = "systemd-nspawn -q -D / --volatile=yes -M box --pipe"
    script = rf"{trying.TOOL} -c 'echo ran'; echo \$?; {trying.ALLOWED} -c 'echo allowed'"
    said = machine.check(f'{container} /bin/sh -c "{script}" 2>&1', within_s=trying.SLOW_S)
    assert said.split("\n")[-3:-1] == [str(trying.REFUSED), "allowed"], said
    told = trying.events(machine, "--kind exec --tool claude-code --verdict block")[-1]
    assert told["process"]["cgroup"].startswith("/machine.slice/machine-box.scope")
    assert told["process"]["container"] == "box"


def test_what_a_tool_has_systemd_start_is_in_its_session(machine: Machine) -> None:
    """It is no child of the tool; by who asked and the name of its unit it is known."""
    wait, leave = (f"systemd-run -q {how} /usr/bin/sleep 2" for how in ("--wait", "--no-block"))
    machine.check(f"{trying.ALLOWED} -c '{wait}; {leave}; /usr/bin/sleep 3'")
    told = trying.events(machine, "--kind exec --tool qwen-code")
    started = [one for one in told if one["process"]["argv"] == ["/usr/bin/sleep", "2"]]
    assert [(one["lineage"], one["process"]["ppid"]) for one in started] == [("cgroup", 1)] * 2
    assert all(one["process"]["cgroup"].startswith("/system.slice/run-") for one in started)
    asked = [one for one in told if one["process"]["exe"] == "/usr/bin/systemd-run"]
    assert len({one["session"] for one in (*asked, *started)}) == 1


def test_killed_it_leaves_no_gap_and_comes_back(machine: Machine) -> None:
    """What is pinned refuses; systemd starts it again, and the time between is told."""
    before = trying.restarts(machine)
    trying.refused_until_another(machine, f"systemctl kill -s KILL {UNIT}")
    assert trying.restarts(machine) == before + 1
    assert trying.events(machine, "--kind gap")
    trying.proved(machine)


def test_a_daemon_that_hangs_is_replaced(machine: Machine) -> None:
    """The watchdog ends what gives no sign of life."""
    before = trying.restarts(machine)
    trying.refused_until_another(machine, f"kill -STOP {trying.main_pid(machine)}")
    assert trying.restarts(machine) == before + 1
    assert "watchdog" in machine.check(f"journalctl --no-pager -u {UNIT}").lower()


def test_a_reload_puts_a_changed_policy_in_force(machine: Machine) -> None:
    """The same daemon refuses one tool more."""
    pid = trying.main_pid(machine)
    assert trying.attempt(machine, OTHER_TOOL).marked
    trying.write_policy(machine, "claude-code", "aider")
    machine.check(f"systemctl reload {UNIT}", within_s=trying.SLOW_S)
    trying.is_refused(machine, OTHER_TOOL)
    trying.is_refused(machine)
    assert trying.main_pid(machine) == pid


def test_an_upgrade_leaves_no_gap_and_keeps_store_and_configuration(machine: Machine) -> None:
    """Other probes take the place of those in force, which refuse until then."""
    machine.check("echo '# ours' >>/etc/agent-sensor/config.toml")
    seen = len(trying.events(machine, "--kind exec --verdict block"))
    install = f"/opt/agent-sensor/bin/pip install -q --no-index --upgrade --find-links={WHEELS}"
    machine.check(f"{install} agent-sensor && agent-sensor install", within_s=START_S)
    old = machine.check(f"find {PINS} -mindepth 2 -maxdepth 2")
    trying.refused_until_another(machine, f"systemctl restart --no-block {UNIT}")
    trying.has_ended_by_itself(machine)
    assert machine.check(f"find {PINS} -mindepth 2 -maxdepth 2") != old
    assert "0.0.9" not in machine.check("agent-sensor --version", within_s=trying.SLOW_S)
    assert "# ours" in machine.check("cat /etc/agent-sensor/config.toml")
    assert len(trying.events(machine, "--kind exec --verdict block")) > seen
    trying.proved(machine)


def test_stopped_nothing_is_attached_and_the_tool_runs(machine: Machine) -> None:
    """A stop is one for the kernel too, and the daemon's own doing."""
    machine.check(f"systemctl stop {UNIT}", within_s=trying.SLOW_S)
    trying.has_ended_by_itself(machine)
    assert machine.run(f"find {PINS}").said.count("\n") <= 1
    programs = machine.check("bpftool prog list")
    assert "seen_" not in programs
    assert "judge_" not in programs
    assert machine.check("find /sys/fs/cgroup -name '*canary*'") == ""
    trying.is_free(machine)


def test_started_again_it_refuses_and_tells_of_the_time_between(machine: Machine) -> None:
    """What was stopped is as good as new."""
    gaps = len(trying.events(machine, "--kind gap"))
    machine.check(f"systemctl start {UNIT}", within_s=START_S)
    trying.is_refused(machine)
    trying.is_unreachable(machine)
    trying.proved(machine)
    assert len(trying.events(machine, "--kind gap")) == gaps + 1


def test_after_a_reboot_policy_holds_before_anybody_can_log_in(machine: Machine) -> None:
    """Also where cgroup v1 controllers are mounted beside cgroup2."""
    (machine.shared / "early.service").write_text(EARLY)
    machine.check("cp /mnt/guest/early.service /etc/systemd/system && systemctl enable early")
    machine.reboot(HYBRID)
    machine.check("systemctl is-system-running --wait; true", within_s=START_S)
    assert machine.check("cat /root/early").strip() == str(trying.REFUSED)
    assert machine.run("test -e /root/early-mark").status == 1
    ready, sessions = (
        int(machine.check(f"systemctl show -P {name} {unit}"))
        for unit, name in (
            (UNIT, "ActiveEnterTimestampMonotonic"),
            ("systemd-user-sessions.service", "InactiveExitTimestampMonotonic"),
        )
    )
    assert ready < sessions
    begun = int(machine.check(f"systemctl show -P ExecMainStartTimestampMonotonic {UNIT}"))
    print(f"ready {(ready - begun) / 1e6:.1f} s after its start")  # noqa: T201  # as above
    assert "cgroup2" not in machine.check("findmnt -no FSTYPE /sys/fs/cgroup")
    trying.is_refused(machine)
    trying.is_unreachable(machine)
    found = trying.proved(machine)
    assert found["scope"] == "/sys/fs/cgroup/unified"
    assert found["enforcement"]["exec"] == "lsm"


def test_where_bpf_is_no_security_module_the_tool_is_killed(machine: Machine) -> None:
    """Before its first instruction; status says so."""
    machine.lsm = LSM_WITHOUT_BPF
    machine.reboot("")
    machine.check("systemctl is-system-running --wait; true", within_s=START_S)
    tried = trying.attempt(machine)
    assert (tried.status, tried.marked) == (trying.KILLED, False), tried
    assert trying.attempt(machine, trying.ALLOWED).marked
    trying.is_unreachable(machine)
    assert trying.proved(machine)["enforcement"]["exec"] == "kill"
    told = trying.events(machine, "--kind exec --tool claude-code --verdict block")[-1]
    assert told["enforcement"] == "kill"


def test_uninstalled_nothing_is_left(machine: Machine) -> None:
    """Neither files nor folders, pins, programs, cgroups or the group; the tool runs."""
    machine.check("systemctl disable early && rm /etc/systemd/system/early.service")
    assert machine.check(TRACES) != ""
    machine.check("agent-sensor uninstall --purge", within_s=START_S)
    assert machine.check(TRACES) == ""
    trying.is_free(machine)
