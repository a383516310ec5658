# SPDX-License-Identifier: Apache-2.0
"""Whatever a host lacks or a file gets wrong: one sentence, its exit code, and nothing attached."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.bpf import only_one_program
from support.footprint import footprint
from support.host import BPFFS, CHECKOUT, ROOT_WITHOUT_RIGHTS, UNPRIVILEGED, Host
from support.scope import Scope, cgroup2_root

from sensor.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.kernel

BTF = Path("/sys/kernel/btf/vmlinux")
PROBES = CHECKOUT / "probes"
CATALOGUE = CHECKOUT / "sensor/catalogue"
LIBRARY = "libbpf.so.1"


def nothing(_host: Host) -> None:
    """Leave the host as it is."""


def library() -> Path:
    """Find the file that libbpf is loaded from."""
    said = subprocess.run(["ldconfig", "-p"], check=True, capture_output=True, text=True).stdout
    return next(Path(line.split()[-1]) for line in said.splitlines() if LIBRARY in line)


@dataclass(frozen=True)
class Case:
    """What is wrong, and what the user gets for it from ``command``."""

    name: str
    command: str
    wrong: Callable[[Host], None]
    code: ExitCode
    says: str
    by: tuple[str, ...] = ()
    scope: str = ""

    def __str__(self) -> str:
        return f"{self.command} with {self.name}"


BOTH = ("watch", "load")
CASES = [
    *(
        Case("no root", command, nothing, ExitCode.NOT_PERMITTED, "run it as root", UNPRIVILEGED)
        for command in BOTH
    ),
    *(
        Case("no rights", command, nothing, ExitCode.NOT_PERMITTED, "CAP_", ROOT_WITHOUT_RIGHTS)
        for command in BOTH
    ),
    *(
        Case(
            "no BTF",
            command,
            lambda host: host.hide(BTF.parent),
            ExitCode.UNSUPPORTED,
            f"{BTF}: No such file or directory; .*CONFIG_DEBUG_INFO_BTF=y",
        )
        for command in BOTH
    ),
    Case(
        "cut BTF",
        "watch",
        lambda host: host.replace(BTF, BTF.read_bytes()[:100_000]),
        ExitCode.BAD_INPUT,
        str(BTF),
    ),
    *(
        Case(
            "no cgroup2",
            command,
            lambda host: host.unmount(cgroup2_root()),
            ExitCode.UNSUPPORTED,
            "mount -t cgroup2",
        )
        for command in BOTH
    ),
    *(
        Case(
            "no bpffs",
            command,
            lambda host: host.unmount(BPFFS),
            ExitCode.UNSUPPORTED,
            f"mount -t bpf bpf {BPFFS}",
        )
        for command in ("load", "unload")
    ),
    Case(
        "a catalogue that is no TOML",
        "watch",
        lambda host: host.replace(CATALOGUE / "openai.toml", b"[[tool]\n"),
        ExitCode.BAD_INPUT,
        "openai.toml: .*line 1.*correct",
    ),
    Case(
        "a catalogue that is no text",
        "watch",
        lambda host: host.replace(CATALOGUE / "openai.toml", b"\xff\xfe"),
        ExitCode.BAD_INPUT,
        "openai.toml: .*write it in UTF-8",
    ),
    Case(
        "a catalogue with a broken entry",
        "watch",
        lambda host: host.edit(CATALOGUE / "openai.toml", 'id = "codex"', 'id = "Codex!"'),
        ExitCode.BAD_INPUT,
        r"openai.toml:\d+: .*Codex!",
    ),
    Case(
        "no catalogue",
        "watch",
        lambda host: host.hide(CATALOGUE),
        ExitCode.FAILED,
        "install agent-sensor again",
    ),
    Case(
        "a member that this kernel lacks",
        "watch",
        lambda host: host.edit(PROBES / "types.toml", 'tgid = "tgid"', 'tgid = "no_tgid"'),
        ExitCode.UNSUPPORTED,
        "no_tgid",
    ),
    Case(
        "a scope that is no cgroup",
        "watch",
        nothing,
        ExitCode.BAD_INPUT,
        "--scope /proc: no cgroup below",
        scope="/proc",
    ),
    Case(
        "no BCC",
        "watch",
        lambda host: host.hide(Path("/usr/lib/python3/dist-packages/bcc")),
        ExitCode.UNSUPPORTED,
        "apt install python3-bpfcc",
    ),
    Case(
        "no libbpf",
        "watch",
        lambda host: host.replace(library(), b""),
        ExitCode.UNSUPPORTED,
        "libbpf1",
    ),
    *(
        Case(
            "a required hook that the kernel refuses",
            command,
            lambda host: host.edit(
                CHECKOUT / "sensor/wire/programs.py", '"sched_process_exit"', '"sched_process_none"'
            ),
            ExitCode.FAILED,
            "cannot attach sched_process_none: No such file or directory",
        )
        for command in BOTH
    ),
]


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host that may be broken."""
    with Host() as host:
        yield host


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_user_gets_one_sentence_and_nothing_stays(host: Host, case: Case) -> None:
    """The sentence names the place and the remedy; the kernel has no program of ours at the end."""
    case.wrong(host)
    with Scope() as scope:
        arguments = ["--for=0"] if case.command == "watch" else []
        said = host.sensor(
            case.command, f"--scope={case.scope or scope.path}", *arguments, by=case.by
        )
        left = footprint(scope)
    assert (said.status, said.out) == (case.code, ""), said.err
    assert [line.partition(":")[0] for line in said.remarks] == ["agent-sensor"], said.err
    assert re.search(case.says, said.err), said.err
    assert not left
    assert list(host.seen(BPFFS).rglob("link_*")) == []


def test_a_refused_hook_is_named_by_what_is_not_seen(host: Host) -> None:
    """An optional one does not keep the sensor from watching: it says what it does not see."""
    with Scope() as scope, only_one_program(scope):
        said = host.sensor("watch", f"--scope={scope.path}", "--for=0")
    assert said.status == ExitCode.OK
    [line] = [line for line in said.err.splitlines() if line.startswith("not seen: ")]
    assert line.startswith("not seen: connections over IPv4 (")
    assert "Operation not permitted" in line
