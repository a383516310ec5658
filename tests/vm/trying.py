# SPDX-License-Identifier: Apache-2.0
"""What is tried in a machine with the sensor installed, and how what comes of it is read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vm.machine import Machine

TOOL = "/usr/local/bin/claude"
# Known by a name that no other software bears too: that alone is enough to be refused.
OTHER_TOOL = "/usr/local/bin/aider"
ALLOWED = "/usr/local/bin/qwen"
MARK = "/root/mark"
# Of the documentation range (RFC 5737): nobody is there, and it is refused.
REFUSED_ADDRESS = "192.0.2.77"
OPEN_ADDRESS = "192.0.2.200"
PINS = "/sys/fs/bpf/agent-sensor"
UNIT = "agent-sensor.service"
# What a shell says of a program that the kernel refuses (EPERM), and its status then.
REFUSED, KILLED = 126, 137
EPERM = "Operation not permitted"
# Under translation, on a machine that others use too.
START_S = 1200
SLOW_S = 300

POLICY = f"""\
version = 1
mode = "enforce"

[[rule]]
id = "no-agents"
tools = [{{tools}}]
verdict = "block"
message = "Not approved on build hosts."

[[rule]]
id = "approved"
tools = ["qwen-code"]
verdict = "allow"

[[rule]]
id = "nobody-there"
endpoints = ["{REFUSED_ADDRESS}"]
verdict = "block"
"""

# In the shell of the machine: tries the tool once a second until the unit is active with
# another main process than $1, and counts how often it was tried and refused.
UNTIL_ANOTHER = """\
tried=0 refused=0
while :; do
	tried=$((tried + 1))
	{tool} -c 'echo ran >>{mark}' 2>/dev/null
	[ $? = {status} ] && refused=$((refused + 1))
	[ $tried -gt {most} ] && break
	# In one look: between two of them the old one may end.
	shown=$(systemctl show -p ActiveState -p MainPID {unit})
	case $shown in
	*ActiveState=active*)
		main=$(echo "$shown" | sed -n s/MainPID=//p)
		[ "$main" != 0 ] && [ "$main" != {pid} ] && break ;;
	esac
	sleep 1
done
echo "$tried $refused"
"""


@dataclass(frozen=True, slots=True)
class Try:
    """What came of running a program once: its status, what was said, and whether it left a mark.

    The mark is its own first instruction's work, as far as a shell has such.
    """

    status: int
    said: str
    marked: bool


def settle_tools(machine: Machine) -> None:
    """Put copies of a shell there, under the names of a tool that is refused and one that is not.

    A tool is known by its name among other things, so a copy is one for the sensor.
    """
    copies = " && ".join(f"cp /bin/bash {path}" for path in (TOOL, OTHER_TOOL, ALLOWED))
    machine.check(copies)


def write_policy(machine: Machine, *tools: str) -> None:
    """Put the policy in place that refuses these tools."""
    text = POLICY.format(tools=", ".join(f'"{tool}"' for tool in tools))
    (machine.shared / "policy.toml").write_text(text)
    machine.check("install -m 600 /mnt/guest/policy.toml /etc/agent-sensor/policy.toml")


def attempt(machine: Machine, program: str = TOOL) -> Try:
    """Run the program once, by its path, from a shell that says what it was told."""
    script = f"rm -f {MARK}; {program} -c 'echo ran >{MARK}'; echo $?; cat {MARK} 2>/dev/null; true"
    lines = machine.check(script).splitlines()
    marked = lines[-1] == "ran"
    status = int(lines[-2] if marked else lines[-1])
    return Try(status, "\n".join(lines[: -2 if marked else -1]), marked)


def is_refused(machine: Machine, program: str = TOOL) -> None:
    """See that the program is refused by the LSM, and that the allowed one runs."""
    tried = attempt(machine, program)
    assert (tried.status, tried.marked) == (REFUSED, False), tried
    assert EPERM in tried.said
    assert attempt(machine, ALLOWED) == Try(0, "", marked=True)


def is_free(machine: Machine) -> None:
    """See that the tool runs."""
    assert attempt(machine) == Try(0, "", marked=True)


def is_unreachable(machine: Machine) -> None:
    """See that the address is refused to whoever connects, and its neighbour is just not there."""
    said = {
        address: machine.run(f"bash -c 'echo >/dev/tcp/{address}/443'").said
        for address in (REFUSED_ADDRESS, OPEN_ADDRESS)
    }
    assert EPERM in said[REFUSED_ADDRESS]
    assert "Network is unreachable" in said[OPEN_ADDRESS]


def main_pid(machine: Machine) -> int:
    """Give the process of the daemon."""
    return int(machine.check(f"systemctl show -P MainPID {UNIT}"))


def restarts(machine: Machine) -> int:
    """Give how often systemd has restarted it by itself."""
    return int(machine.check(f"systemctl show -P NRestarts {UNIT}"))


def refused_until_another(machine: Machine, deed: str, *, within_s: int = START_S) -> None:
    """Do the deed to the daemon, and see the tool refused until there is another one."""
    loop = UNTIL_ANOTHER.format(
        tool=TOOL, mark=MARK, status=REFUSED, most=within_s, unit=UNIT, pid=main_pid(machine)
    )
    said = machine.check(f"rm -f {MARK}; {deed}\n{loop}test ! -e {MARK}", within_s=within_s)
    tried, refused = map(int, said.split()[-2:])
    assert tried == refused, said
    print(f"refused {refused} of {tried} times meanwhile")  # a figure for the docs


def has_ended_by_itself(machine: Machine) -> None:
    """See that no stop since the boot took so long that systemd had to end the daemon.

    One that hangs, and is ended by the watchdog, is something else.
    """
    said = machine.check(f"journalctl --no-pager -b -u {UNIT}")
    assert "'stop-sigterm' timed out" not in said, said
    assert "'final-sig" not in said, said


def status(machine: Machine) -> dict[str, Any]:
    """Give what `agent-sensor status --json` says."""
    done = machine.run("agent-sensor status --json", within_s=SLOW_S)
    found = json.loads(done.said)
    assert isinstance(found, dict)
    return found


def proved(machine: Machine) -> dict[str, Any]:
    """Give the status as soon as the canary was refused, which the start does not wait for."""
    script = f"""\
for second in $(seq {SLOW_S}); do
	agent-sensor status --json >/root/status; grep -q '"proved": "enforcing' /root/status && break
	sleep 1
done; cat /root/status"""
    found = json.loads(machine.check(script, within_s=SLOW_S))
    assert isinstance(found, dict)
    assert found["proved"].startswith("enforcing"), found["proved"]
    return found


def events(machine: Machine, options: str) -> list[dict[str, Any]]:
    """Give the events that `agent-sensor query` finds with these options."""
    said = machine.check(f"agent-sensor query --since 0 --json {options}", within_s=SLOW_S)
    return [json.loads(line) for line in said.splitlines() if line.startswith("{")]
