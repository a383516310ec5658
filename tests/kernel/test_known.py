# SPDX-License-Identifier: Apache-2.0
"""Tools are known by more than their name: by their package, their run, and what they reach."""

from __future__ import annotations

import json
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.patience import SOON_S
from support.policing import policing
from support.running import AGENT_SENSOR
from support.scope import cgroup2_root

from sensor.core.layers import digest
from sensor.daemon.catalogues import catalogue as read_catalogue
from sensor.daemon.reading import SOCKET
from sensor.edge.hubclient import Connection
from sensor.errors import SensorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.network import Network
    from support.policing import Policing
    from support.running import Event

pytestmark = [pytest.mark.kernel, pytest.mark.long]

RISKY = '[[rule]]\nid = "guarded"\ntools = ["*"]\nrisk = ["unguarded"]\nverdict = "block"\n'
OURS = (
    '[[rule]]\nid = "ours"\ntools = ["unknown-client"]\nendpoints = ["lab"]\ncgroups = ["{}"]\n'
    'verdict = "allow"\n'
)
POLICY = f'mode = "enforce"\n{RISKY}'
LAB = """version = 1
[[endpoint]]
id = "lab"
vendor = "lab"
[[endpoint.facts]]
source = "ran the test"
hosts = ["llm.lab.example"]
ranges = ["192.0.2.0/24"]
"""
CLIENT = """version = 1
[[tool]]
id = "corp-client"
name = "A client of the company's own"
vendor = "corp"
category = "client"
[[tool.facts]]
source = "ran the test"
names = ["corp-client-of-test"]
"""
WAITS = "read -r line; exit 0"
SWITCH = "--dangerously-skip-permissions"


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a catalogue that knows a service of the lab."""
    folder = tmp_path_factory.mktemp("catalog.d")
    (folder / "lab.toml").write_text(LAB)
    return folder


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory, catalog: Path) -> Iterator[Policing]:
    """Give a daemon that refuses dangerous runs, in a scope of its own."""
    with policing(tmp_path_factory.mktemp("known")) as police:
        police.start(POLICY, f"--catalog-dir={catalog}")
        yield police


def installed(folder: Path, name: str, package: str | None) -> Path:
    """Copy a shell under a tool's name, as a program of an npm package or of none."""
    program = copied("bash", folder / "bin", name=name)
    if package:
        manifest = {"name": package, "version": "1.0.0", "bin": {name: f"bin/{name}"}}
        (folder / "package.json").write_text(json.dumps(manifest))
    return program


def run(police: Policing, *argv: str | Path, **environment: str) -> list[Event]:
    """Run a program to its end; give what was told of it when all before the next was told."""
    since = police.seq()
    pid, _ = police.run([*argv], env={"PATH": "/usr/bin:/bin", **environment})
    fence = installed_fence(police)
    fence_pid, _ = police.run([fence, "-c", "exit 0"])
    told = police.daemon.until(
        lambda events: any(
            one["kind"] == "session_end" and one["process"]["pid"] == fence_pid for one in events
        )
    )
    ours = (one for one in told if one["seq"] > since and one["process"])
    return [one for one in ours if one["process"]["pid"] == pid]


def installed_fence(police: Policing) -> Path:
    """Give a tool whose session tells that all before was told: it is looked at too, in turn."""
    folder = police.daemon.run_dir.parent / "fence"
    folder.mkdir(exist_ok=True)
    program = folder / "bin/crush"
    return program if program.exists() else installed(folder, "crush", "@charmland/crush")


def kinds(events: list[Event]) -> list[tuple[str, str | None]]:
    """Say what was told, and of which tool."""
    return [(one["kind"], one["tool"]) for one in events]


@pytest.mark.parametrize(
    ("name", "package", "tool"),
    [
        ("codex", None, "codex"),
        ("codex", "codex-of-somebody-else", None),
        ("crush", None, None),
        ("crush", "crush-css", None),
        ("crush", "@charmland/crush", "crush"),
    ],
)
def test_a_name_is_weighed_with_the_package_that_owns_it(
    police: Policing, tmp_path: Path, name: str, package: str | None, tool: str | None
) -> None:
    """A stranger of the name is none; a name that others bear becomes one by its manifest."""
    told = run(police, installed(tmp_path, name, package), "-c", "exit 0")
    assert {one["tool"] for one in told} == ({tool} if tool else set())
    if tool and package:
        start = told[0]
        assert start["looked"]
        assert start["process"]["package"] == f"npm:{package}"
        assert {"signal": "package", "value": f"npm:{package}"} in start["evidence"]


def test_what_a_tool_starts_while_it_is_looked_at_is_its_own(
    police: Policing, tmp_path: Path
) -> None:
    """It forks at once; all of it is told behind the session's start, in its order."""
    program = installed(tmp_path, "crush", "@charmland/crush")
    told = run(police, program, "-c", "/bin/true; /bin/true; exit 0")
    assert kinds(told)[:2] == [("session_start", "crush"), ("exec", "crush")]
    assert kinds(told)[-1] == ("session_end", "crush")
    assert told[-1]["processes"] == 3


def test_a_dangerous_run_is_ended(police: Policing, tmp_path: Path) -> None:
    """By a rule about risk; the same tool without the option goes on."""
    program = installed(tmp_path, "claude", None)
    since = police.seq()
    process = police.scope.run([program, "-c", WAITS, "claude", SWITCH], stdin=subprocess.PIPE)
    assert process.wait(SOON_S) == -signal.SIGKILL
    (event,) = [e for e in police.told(since, "exec", 1) if e["process"]["pid"] == process.pid]
    assert (event["verdict"], event["enforcement"], event["rule"]) == ("block", "kill", "guarded")
    assert event["risk"] == [{"signal": "unguarded", "value": SWITCH}]
    harmless = run(police, program, "-c", "exit 0")
    assert [one["verdict"] for one in harmless if one["kind"] == "exec"] == ["alert"]


def test_variables_are_told_by_name_alone(police: Policing, tmp_path: Path) -> None:
    """Where requests are sent elsewhere, and who must have started it; no value gets out."""
    program = installed(tmp_path, "claude", None)
    since = police.seq()
    environment = {
        "PATH": "/usr/bin:/bin",
        "ANTHROPIC_BASE_URL": "http://user:hunter2@192.0.2.9/",
        "QWEN_CODE": "hunter2",
    }
    process = police.scope.run([program, "-c", WAITS], stdin=subprocess.PIPE, env=environment)
    (start,) = police.told(since, "session_start", 1)
    process.communicate(b"\n", timeout=SOON_S)
    assert {"signal": "redirected", "value": "ANTHROPIC_BASE_URL"} in start["risk"]
    assert start["lineage"] == "marker"
    assert {"signal": "marker", "value": "qwen-code QWEN_CODE"} in start["evidence"]
    police.told(since, "session_end", 1)
    assert "hunter2" not in json.dumps(police.daemon.past())


def test_a_client_of_no_session_is_told_with_who_started_it(
    police: Policing, network: Network
) -> None:
    """An AI service that the owner's catalogue knows: executable, ancestors, and no tool."""
    since = police.seq()
    (event,) = contact(police, network, since, 1)
    assert (event["tool"], event["verdict"], event["rule"]) == (
        "unknown-client",
        "alert",
        "default",
    )
    assert event["destination"]["endpoint"] == "lab"
    assert {"signal": "endpoint", "value": "lab"} in event["evidence"]
    assert event["looked"]
    assert "python" in event["process"]["exe"]
    assert event["process"]["ancestors"]


def test_a_client_that_the_company_allows_is_not_told(police: Policing, network: Network) -> None:
    """By the cgroup that it runs in: the kernel lets it through by the rule."""
    since = police.seq()
    inside = f"/{police.scope.path.relative_to(cgroup2_root())}"
    police.keep(f"{POLICY}{OURS.format(inside)}")
    assert contact(police, network, since, 0) == []
    police.keep(POLICY)


def contact(police: Policing, network: Network, since: int, count: int) -> list[Event]:
    """Have a script reach the service of the lab, and wait until so much is told of it."""
    script = f"import socket; socket.create_connection(('192.0.2.1', {network.tcp_port})); input()"
    argv = network.entered("/usr/bin/python3", "-c", script)
    process = police.scope.run(argv, stdin=subprocess.PIPE)
    try:
        if count == 0:
            assert process.stdin
            process.stdin.write(b"\n")
            process.stdin.close()
            assert process.wait(SOON_S) == 0
        return police.told(since, "connect", count)
    finally:
        process.kill()
        process.wait(SOON_S)


def test_a_catalogue_is_in_force_without_a_restart(
    police: Policing, tmp_path: Path, catalog: Path
) -> None:
    """What was nobody's is a tool from then on; a bad file changes nothing."""
    program = installed(tmp_path, "corp-client-of-test", None)
    assert run(police, program, "-c", "exit 0") == []
    file = tmp_path / "corp.toml"
    file.write_text(CLIENT)
    assert update(police, file).returncode == 0
    told = run(police, program, "-c", "exit 0")
    assert kinds(told)[0] == ("session_start", "corp-client")
    police.keep(f'{POLICY}[[rule]]\nid = "n"\ntools = ["category:client"]\nverdict = "block"\n')
    (told_of,) = run(police, program, "-c", "exit 0")
    assert (told_of["verdict"], told_of["rule"]) == ("block", "n")
    file.write_text(CLIENT.replace("corp-client-of-test", "claude"))
    done = update(police, file)
    assert (done.returncode, "is taken by" in done.stderr) == (5, True)
    assert (catalog / "corp.toml").read_text() == CLIENT
    police.keep(POLICY)


def test_a_catalogue_goes_where_the_daemon_reads_it(police: Policing, tmp_path: Path) -> None:
    """Whoever names another folder is told so, and nothing is written."""
    file, elsewhere = tmp_path / "corp.toml", tmp_path / "elsewhere"
    file.write_text(CLIENT)
    done = update(police, file, f"--catalog-dir={elsewhere}")
    assert (done.returncode, "goes by" in done.stderr) == (5, True)
    assert not elsewhere.exists()


def test_a_policy_that_names_a_tool_that_is_gone_keeps_the_catalogue(
    police: Policing, tmp_path: Path, catalog: Path
) -> None:
    """A start would refuse it: so does the daemon that runs, until the policy does without."""
    (tmp_path / "corp.toml").write_text(CLIENT)
    assert update(police, tmp_path / "corp.toml").returncode == 0
    police.keep(f'{POLICY}[[rule]]\nid = "n"\ntools = ["corp-client"]\nverdict = "block"\n')
    (catalog / "corp.toml").unlink()
    with Connection(police.daemon.run_dir / SOCKET) as daemon:
        with pytest.raises(SensorError, match="'corp-client' is no tool of the catalogue"):
            daemon.control("catalog_reload")
        police.keep(POLICY)
        before = daemon.status()["catalogue"]
        after = daemon.control("catalog_reload")
    assert after["tools"] == before["tools"] - 1  # type: ignore[index]
    assert after["digest"] == digest(read_catalogue(catalog))


def test_a_catalogue_that_cannot_be_read_again_is_a_problem(
    police: Policing, catalog: Path
) -> None:
    """As a policy is, until it is read."""
    broken = catalog / "broken.toml"
    broken.write_text("version = 7\n")
    said = f"the catalogue cannot be read again: {broken}:1: version: 7 is unknown; write 1"
    with Connection(police.daemon.run_dir / SOCKET) as daemon:
        with pytest.raises(SensorError, match="version: 7"):
            daemon.control("catalog_reload")
        problems = daemon.status()["problems"]
        assert isinstance(problems, list)
        assert [problem.endswith(said) for problem in problems] == [True]
        broken.unlink()
        daemon.control("catalog_reload")
        assert daemon.status()["problems"] == []


def update(police: Policing, file: Path, *places: str) -> subprocess.CompletedProcess[str]:
    """Have a file of a catalogue put in force."""
    places = (*places, f"--run-dir={police.daemon.run_dir}")
    return subprocess.run(
        [AGENT_SENSOR, "catalog", "update", file, *places],
        capture_output=True, text=True, check=False, timeout=SOON_S,
    )  # fmt: skip
