# SPDX-License-Identifier: Apache-2.0
"""What a user sees of `load` and `unload`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.host import BPFFS, Host
from support.scope import Scope

from sensor.daemon.instance import Pins
from sensor.edge.system import lock
from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.kernel

POLICY, GENERATION = (3).to_bytes(4, "little"), (7).to_bytes(8, "little")


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host that nothing is loaded on."""
    with Host() as host:
        yield host


def test_loading_and_unloading_say_what_they_did(host: Host) -> None:
    """One line each, with the place; nothing is missing, so stderr has nothing to say of it."""
    with Scope() as scope:
        said = [
            host.sensor(command, f"--scope={scope.path}")
            for command in ("unload", "load", "load", "unload", "unload")
        ]
    assert [(each.status, each.remarks) for each in said] == [(0, [])] * 5
    assert [each.out.split()[0] for each in said] == [
        "nothing", "loaded", "reused", "removed", "nothing",
    ]  # fmt: skip
    assert all(str(BPFFS) in each.out for each in said)
    assert all(len(each.out.splitlines()) == 1 for each in said)


def test_json_says_the_same(host: Host) -> None:
    """One object, with the pins, whether they are old, and what is missing."""
    with Scope() as scope:
        said = host.sensor("load", "--json", f"--scope={scope.path}")
    answer = json.loads(said.out)
    assert set(answer) == {"pins", "reused", "missing"}
    assert (answer["reused"], answer["missing"]) == (False, {})
    assert list(host.seen(BPFFS).glob(f"{answer['pins'].removeprefix(f'{BPFFS}/')}/map_*"))


def test_pins_go_where_they_are_wanted(host: Host, tmp_path: Path) -> None:
    """Another bpffs does as well, and the usual one is left alone."""
    host.mount("-t", "bpf", "bpf", tmp_path)
    with Scope() as scope:
        options = (f"--scope={scope.path}", f"--bpffs={tmp_path}")
        loaded = host.sensor("load", *options)
        unloaded = host.sensor("unload", *options)
    assert loaded.out.startswith(f"loaded {tmp_path}/")
    assert unloaded.out.startswith(f"removed {tmp_path}/")
    assert not (host.seen(BPFFS) / "agent-sensor").exists()


def test_probes_stay_while_a_daemon_has_their_run_directory(host: Host, tmp_path: Path) -> None:
    """Whoever wants to unload them is told which process that is; by force they go."""
    run_dir = tmp_path / "run"
    with Scope() as scope:
        options = (f"--scope={scope.path}", f"--run-dir={run_dir}")
        pins = host.seen(Path(json.loads(host.sensor("load", "--json", *options).out)["pins"]))
        with lock(run_dir, tmp_path / "state"):
            said = host.sensor("unload", *options)
            assert (said.status, said.out) == (ExitCode.FAILED, "")
            assert f"process {os.getpid()}" in said.err
            assert pins.exists()
            assert host.sensor("unload", "--force", *options).out.startswith("removed")
        assert not pins.exists()


def test_what_is_pinned_elsewhere_is_not_passed_over(host: Host, tmp_path: Path) -> None:
    """Nothing is where it was looked for: what there is is named, as it is unloaded."""
    with Scope() as scope, Scope() as other:
        run_dir = f"--run-dir={tmp_path}"
        loaded = json.loads(host.sensor("load", "--json", run_dir, f"--scope={scope.path}").out)
        pins = Path(loaded["pins"])
        said = host.sensor("unload", run_dir, f"--scope={other.path}")
        assert (said.status, said.out) == (ExitCode.FAILED, "")
        assert f"--run-dir {tmp_path} --scope {scope.path})" in said.err
        assert str(pins.parent) in said.err
        said = host.sensor("unload", f"--run-dir={tmp_path / 'another'}", f"--scope={other.path}")
        assert said.status == ExitCode.FAILED
        assert "rm -r takes it away" in said.err
        assert host.seen(pins).exists()
        assert host.sensor("unload", run_dir, f"--scope={scope.path}").out.startswith("removed")
        assert host.sensor("unload", run_dir, f"--scope={other.path}").status == 0


def test_the_scope_is_the_configuration_s(host: Host, tmp_path: Path) -> None:
    """As `run` takes it, and so does `load`; one that is named goes before it."""
    config = tmp_path / "config.toml"
    with Scope() as scope, Scope() as other:
        config.write_text(f'scope = "{scope.path}"\n', "utf-8")
        options = (f"--config={config}", f"--run-dir={tmp_path}")
        loaded = json.loads(host.sensor("load", "--json", *options).out)
        assert host.sensor("load", f"--run-dir={tmp_path}", f"--scope={scope.path}").out == (
            f"reused {loaded['pins']}\n"
        )
        assert host.sensor("unload", *options, f"--scope={other.path}").status == ExitCode.FAILED
        assert host.sensor("unload", *options).out.startswith("removed")


def loaded_before(host: Host, *options: str) -> Path:
    """Load, and make that another version; give the folder of its pins."""
    told = json.loads(host.sensor("load", "--json", *options).out)
    pins = host.seen(Path(told["pins"]))
    return pins.rename(pins.with_name("another-version"))


def test_what_a_killed_sensor_refuses_is_not_retired(host: Host, tmp_path: Path) -> None:
    """It stays in force until somebody unloads it, or a daemon takes it over."""
    with Scope() as scope:
        options = (f"--scope={scope.path}", f"--run-dir={tmp_path}")
        before = loaded_before(host, *options)
        Pins(before).map("state").update(POLICY, GENERATION)
        held = sorted(pin.name for pin in before.iterdir())
        said = host.sensor("load", *options)
        assert (said.status, said.out) == (ExitCode.FAILED, "")
        assert "another-version: what a sensor of another version refuses is in force" in said.err
        assert [one.name for one in before.parent.iterdir()] == [before.name]
        assert sorted(pin.name for pin in before.iterdir()) == held
        assert host.sensor("unload", *options).out.startswith("removed")
        assert host.sensor("load", *options).out.startswith("loaded")


def test_probes_under_a_daemon_that_runs_are_not_retired(host: Host, tmp_path: Path) -> None:
    """Without one, what refuses nothing is replaced."""
    run_dir = tmp_path / "run"
    with Scope() as scope:
        options = (f"--scope={scope.path}", f"--run-dir={run_dir}")
        before = loaded_before(host, *options)
        with lock(run_dir, tmp_path / "state"):
            assert "restart it instead" in host.sensor("load", *options).err
            assert before.exists()
        assert host.sensor("load", *options).out.startswith("loaded")
        assert not before.exists()
