# SPDX-License-Identifier: Apache-2.0
"""The loader, from a host's point of view: what is pinned, what is attached, what it says."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.bpf import only_one_program
from support.footprint import alive, footprint
from support.host import AGENT_SENSOR, BPFFS, CHECKOUT, Host
from support.loading import observing
from support.scope import Scope

from sensor.daemon import loader
from sensor.daemon.instance import Instance
from sensor.wire.programs import PROGRAMS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.loading import Loaded

PROBES = CHECKOUT / "probes"
GONE_S = 10
LOADED_S = 60


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host that nothing is loaded on."""
    with Host() as host:
        yield host


@pytest.fixture
def scope() -> Iterator[Scope]:
    """Give a scope of the test's own."""
    with Scope() as scope:
        yield scope


def load(host: Host, scope: Scope, *options: str) -> dict[str, object]:
    """Load, and give what the loader answers."""
    said = host.sensor("load", "--json", f"--scope={scope.path}", *options)
    assert said.status == 0, said.err
    answer = json.loads(said.out)
    assert isinstance(answer, dict)
    return answer


def folders(host: Host) -> list[Path]:
    """Give all folders with pins."""
    return sorted({pin.parent for pin in host.seen(BPFFS).glob("*/*/*/*")})


def vanish(objects: set[tuple[str, int]]) -> None:
    """Wait until the kernel has none of these."""
    deadline = time.monotonic() + GONE_S
    while left := alive(objects):
        assert time.monotonic() < deadline, f"the kernel still has {left}"
        time.sleep(0.01)


@pytest.mark.kernel
def test_all_programs_are_attached_and_pinned(loaded: Loaded) -> None:
    """Nothing is missing, and the pins hold it all; what is for policy waits to be asked for."""
    assert load(loaded.host, loaded.scope)["missing"] == {}
    assert {f"link_{name}" for name in loaded.pins.attached()} == observing()
    waiting = {path.name for path in loaded.folder.glob("prog_*")}
    assert {"prog_learn_names", "prog_judge_hello"} <= waiting
    assert waiting <= {one.pin for one in PROGRAMS if one.on_demand}


@pytest.mark.kernel
def test_who_only_observes_loads_nothing_that_policy_alone_asks_for(
    host: Host, scope: Scope
) -> None:
    """It is another set of programs: whoever takes a policy does not take it for the whole."""
    seen = load(host, scope, "--observes")
    pins = host.seen(Path(str(seen["pins"])))
    assert list(pins.glob("prog_*")) == []
    assert {path.name for path in pins.glob("link_*")} == observing()
    assert load(host, scope, "--observes")["reused"]
    whole = load(host, scope)
    assert not whole["reused"]
    assert list(host.seen(Path(str(whole["pins"]))).glob("prog_*"))


@pytest.mark.kernel
def test_what_fits_is_used_again_without_a_compile(host: Host, scope: Scope) -> None:
    """A host without a compiler can do it."""
    first = load(host, scope)
    host.hide(Path("/usr/lib/python3/dist-packages/bcc"))
    second = load(host, scope)
    assert (first["reused"], second["reused"]) == (False, True)
    assert first["pins"] == second["pins"]


@pytest.mark.kernel
def test_another_version_takes_the_place_of_an_old_one(host: Host, scope: Scope) -> None:
    """One set of pins is there before and after, and the old programs leave the kernel."""
    load(host, scope)
    [old] = folders(host)
    before = footprint(scope)
    host.edit(PROBES / "members.c", "#define MEMBERS 32768", "#define MEMBERS 16384")
    answer = load(host, scope)
    [new] = folders(host)
    assert not answer["reused"]
    assert old != new
    vanish(before)
    assert len(footprint(scope)) == len(before)


@pytest.mark.kernel
def test_a_cgroup_made_anew_is_another(host: Host) -> None:
    """What was attached to the one of the same name before is gone with it."""
    with Scope() as scope:
        load(host, scope)
        path = scope.path
    again = Scope()
    again.path = path
    with again:
        answer = load(host, again)
        attached = {kind for kind, _ in footprint(again)}
    assert not answer["reused"]
    assert attached == {"link", "prog", "map"}


@pytest.mark.kernel
def test_pins_of_a_cgroup_that_is_gone_can_be_removed(host: Host) -> None:
    """The path still names the instance."""
    with Scope() as scope:
        load(host, scope)
    said = host.sensor("unload", f"--scope={scope.path}")
    assert said.status == 0
    assert said.out.startswith("removed ")
    assert folders(host) == []


@pytest.mark.kernel
def test_instances_are_side_by_side(host: Host, scope: Scope) -> None:
    """Each has its own, and unloading one leaves the other's in the kernel."""
    load(host, scope, "--run-dir=/run/one")
    first = footprint(scope)
    load(host, scope, "--run-dir=/run/two")
    second = footprint(scope) - first
    assert len(folders(host)) == 2
    assert len(first) == len(second)
    assert host.sensor("unload", f"--scope={scope.path}", "--run-dir=/run/one").status == 0
    vanish(first)
    assert alive(second) == second
    assert host.sensor("unload", f"--scope={scope.path}", "--run-dir=/run/two").status == 0
    vanish(second)
    assert not (host.seen(BPFFS) / "agent-sensor").exists()


@pytest.mark.kernel
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_loader_that_was_stopped_leaves_nothing_in_force(
    host: Host, scope: Scope, how: signal.Signals
) -> None:
    """What it was asked to stop it takes away itself; after a crash the next one does."""
    instance = Instance(bpffs=BPFFS, run_dir=Path("/run/agent-sensor"), scope=scope.path)
    fresh = host.seen(instance.folder / "new")
    # Who started the tests may have them ignore SIGINT, which children inherit.
    argv = host.entered("env", "--default-signal=INT", AGENT_SENSOR, "load", "--scope", scope.path)
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + LOADED_S
        # From here on the verifier takes its time: the pins are half made.
        while not (fresh / "map_records").exists():
            assert time.monotonic() < deadline
            time.sleep(0.001)
        process.send_signal(how)
        assert process.wait(GONE_S)
    left = footprint(scope)
    if how is signal.SIGKILL:
        answer = load(host, scope)
        assert not answer["reused"]
        assert [str(folder.name) for folder in folders(host)] != ["new"]
        vanish(left)
        assert host.sensor("unload", f"--scope={scope.path}").status == 0
    else:
        vanish(left)
    assert folders(host) == []


@pytest.mark.kernel
def test_loaders_at_the_same_time_load_once(host: Host, scope: Scope) -> None:
    """The second waits for the first, and uses what that has loaded."""
    argv = host.entered(AGENT_SENSOR, "load", "--json", "--scope", scope.path)
    both = [subprocess.Popen(argv, stdout=subprocess.PIPE) for _ in range(2)]
    answers = [json.loads(process.communicate(timeout=60)[0]) for process in both]
    assert sorted(answer["reused"] for answer in answers) == [False, True]
    assert len(folders(host)) == 1


@pytest.mark.kernel
def test_an_optional_program_that_is_refused_is_told(host: Host, scope: Scope) -> None:
    """It is told why at first, and afterwards that it is still missing."""
    with only_one_program(scope):
        first = load(host, scope)
        second = load(host, scope)
    for answer in (first, second):
        assert isinstance(answer["missing"], dict)
        assert list(answer["missing"]) == ["seen_connect4"]
    assert "Operation not permitted" in str(first["missing"])
    said = host.sensor("load", f"--scope={scope.path}")
    assert said.out.startswith("reused ")
    assert said.remarks[0].startswith("missing seen_connect4: ")


@pytest.mark.kernel
@pytest.mark.parametrize(
    ("unit", "edit", "says"),
    [
        (
            "lineage.c",
            ("int seen_exit(struct", "int seen_end(struct"),
            "without seen_exit and with an unknown seen_end; install",
        ),
        ("answers.c", ("int seen_answer(s", "static int seen_answer(s"), "seen_answer"),
        ("exec.c", ("int seen_exec(struct", "int seen_exec(nothing"), "did not compile"),
    ],
)
def test_other_programs_than_expected_are_refused(
    host: Host, scope: Scope, unit: str, edit: tuple[str, str], says: str
) -> None:
    """A program that is missing, unknown or broken is named, and none is attached."""
    host.edit(PROBES / unit, *edit)
    said = host.sensor("load", f"--scope={scope.path}")
    assert (said.status, said.out) == (1, "")
    assert says in said.err
    assert "Traceback" not in said.err
    assert folders(host) == []
    assert not footprint(scope)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a copy of the sources."""
    return Path(shutil.copytree(PROBES, tmp_path / "probes"))


def test_a_version_is_the_same_for_the_same(copy: Path, tmp_path: Path) -> None:
    """Wherever the sources lie, and whatever else lies beside them."""
    (copy / "notes.txt").touch()
    assert loader.version(copy, tmp_path) == loader.version(PROBES, tmp_path)


@pytest.mark.parametrize("name", ["exec.c", "events.h", "types.toml"])
def test_a_version_changes_with_every_source(copy: Path, tmp_path: Path, name: str) -> None:
    """One byte is enough."""
    before = loader.version(copy, tmp_path)
    with (copy / name).open("ab") as source:
        source.write(b"\n")
    assert loader.version(copy, tmp_path) != before


def test_a_version_changes_with_the_scope(tmp_path: Path) -> None:
    """It is the directory that counts, not its name."""
    one, two = tmp_path / "one", tmp_path / "two"
    one.mkdir()
    two.mkdir()
    before = loader.version(PROBES, one)
    assert loader.version(PROBES, two) != before
    assert loader.version(PROBES, one.rename(tmp_path / "three")) == before


def test_what_is_compiled_is_held_against_the_types(copy: Path) -> None:
    """A kernel of the same name may have other ones; and a source may have changed."""
    kernel = loader.Kernel.running()
    before = loader.code_version(copy, kernel)
    others = (
        replace(kernel, types=kernel.types + b"\0"),
        replace(kernel, version=f"{kernel.version} again"),
        replace(kernel, release=f"{kernel.release}-more"),
        replace(kernel, machine=f"{kernel.machine}el"),
    )
    assert len({before, *(loader.code_version(copy, other) for other in others)}) == 5
    assert loader.code_version(copy, loader.Kernel.running()) == before
    (copy / "exec.c").write_text("")
    assert loader.code_version(copy, kernel) != before


def test_the_source_keeps_the_names_of_its_units() -> None:
    """What clang blames is a file that exists."""
    text = loader.source(PROBES)
    named = [line.split('"')[1] for line in text.splitlines() if line.startswith('#line 1 "')]
    assert named == [f"probes/{path.name}" for path in (CHECKOUT / name for name in named)]
    assert all((CHECKOUT / name).is_file() for name in named)
