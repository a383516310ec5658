# SPDX-License-Identifier: Apache-2.0
"""Stories for the core: a small catalogue, a host, facts in few words, and ``play``."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from sensor.core.actions import Destroy, Follow, Kill, Learn, Notify, Record, Release
from sensor.core.catalogue import Catalogue
from sensor.core.enforced import Enforced
from sensor.core.facts import (
    Address,
    Close,
    Connect,
    Exec,
    Exit,
    File,
    Fork,
    Hello,
    Process,
    Resolved,
    Ruled,
    Signal,
    Transport,
)
from sensor.core.host import Host
from sensor.core.policy.model import Accounts, settled
from sensor.core.policy.text import parse
from sensor.core.tools import (
    Category,
    Endpoint,
    Interpreter,
    InterpreterKind,
    Mark,
    MarkKind,
    Tool,
)
from sensor.core.words import Enforcement, NameSource, Verdict

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.core.engine import Engine
    from sensor.core.event import Event
    from sensor.core.facts import Fact
    from sensor.core.policy.model import Policy, Rule

SOURCE = "ran 1.0"
SECOND = 1_000_000_000
RESOLVER = ip_address("192.0.2.53")
LOCAL = ip_address("192.0.2.200")


def tool(tool_id: str, vendor: str, *marks: Mark) -> Tool:
    """Return a tool with these marks."""
    return Tool(id=tool_id, name=tool_id, vendor=vendor, category=Category.CLI, marks=marks)


def name(value: str, *, weak: bool = False) -> Mark:
    """Return the mark of a file's name."""
    return Mark(MarkKind.NAME, value, weak, SOURCE)


def path(value: str, *, weak: bool = False) -> Mark:
    """Return the mark of two components of a path."""
    return Mark(MarkKind.PATH, value, weak, SOURCE)


def module(value: str) -> Mark:
    """Return the mark of a Python module."""
    return Mark(MarkKind.MODULE, value, weak=False, source=SOURCE)


CATALOGUE = Catalogue(
    1,
    (
        tool("claude-code", "anthropic", name("claude"), path("@anthropic-ai/claude-code")),
        tool("codex", "openai", name("codex"), path("@openai/codex")),
        tool("aider", "aider-ai", name("aider"), module("aider")),
        tool("goose", "block", name("goose", weak=True), path("block/goose", weak=True)),
    ),
    (
        Endpoint(
            id="anthropic",
            vendor="anthropic",
            hosts=("anthropic.com",),
            ranges=(ip_network("198.51.100.0/24"), ip_network("2001:db8:a::/48")),
            source="docs: a list of addresses",
        ),
    ),
    (
        Interpreter("node", InterpreterKind.SCRIPT),
        Interpreter("bun", InterpreterKind.SCRIPT),
        Interpreter("deno", InterpreterKind.SCRIPT),
        Interpreter("python3.11", InterpreterKind.PYTHON),
        Interpreter("ld-linux-x86-64.so.2", InterpreterKind.LOADER),
    ),
)


class StoryHost(Host):
    """A host on which only root and alice live."""

    boot_id = "6f1f2ec9-0c6a-4c36-8f0b-0a3d7a1f4b11"
    name = "build-7"
    wall_offset_ns = 1_795_442_400 * SECOND  # 2026-11-23T14:00:00Z

    def user(self, uid: int) -> str | None:
        """Name root and alice."""
        return {0: "root", 1000: "alice"}.get(uid)

    def cgroup(self, cgroup_id: int) -> str | None:
        """Know the one cgroup of all stories."""
        return "/user.slice" if cgroup_id == 7 else None

    def in_container(self, process: Process) -> bool:
        """Have those in containers whose pids are so high."""
        return process.pid >= 1000


def at(pid: int) -> Process:
    """Return the process that is born ``pid`` seconds after boot."""
    return Process(pid, pid * SECOND)


SHELL = at(1)
"""Whoever starts the tools; the kernel does not follow it."""

CLAUDE = ("/opt/bin/claude", "-p", "fix it")
CODEX = ("/opt/bin/codex",)
GIT = ("/usr/bin/git", "status")
GOOSE = ("/usr/bin/goose", "up")
START = ["session_start claude-code", "exec claude-code 0"]
END = ["exit claude-code 0", "session_end claude-code"]


def exec_(
    pid: int,
    *argv: str,
    exe: str | None = None,
    typed: str | None = None,
    interpreter: str | None = None,
    parent: Process = SHELL,
    root: int | None = None,
    after_ns: int = 1000,
    late: bool = False,
    cwd: str | None = "/home/alice/src",
    cgroup_id: int | None = 7,
    tty: str | None = "pts/3",
    tool: int = 0,
    tools: tuple[int, ...] | None = None,
    unsure: bool = False,
    refused: bool = False,
    ruled: Ruled | None = None,
) -> Exec:
    """Say that a process runs ``argv``; ``exe`` is its first word unless told otherwise."""
    return Exec(
        at_ns=at(pid).started_ns + after_ns,
        process=at(pid),
        parent=parent,
        root=at(pid if root is None else root),
        signals=Signal.NAME,
        exe=exe or argv[0],
        name_typed=typed or exe or argv[0],
        interpreter=interpreter,
        argv=argv,
        cwd=cwd,
        uid=1000,
        loginuid=1000,
        tty=tty,
        cgroup_id=cgroup_id,
        file=File(dev=8 << 20 | 1, ino=4711, ctime_ns=5, size_bytes=6),
        fileless=False,
        late=late,
        tool=tool,
        tools=tools,
        unsure=unsure,
        refused=refused,
        ruled=ruled,
    )


def fork(
    parent: int, child: int, *, root: int | None = None, tools: tuple[int, ...] | None = None
) -> Fork:
    """Say that a process has a child."""
    return Fork(
        at_ns=at(child).started_ns,
        process=at(child),
        parent=at(parent),
        root=at(parent if root is None else root),
        uid=1000,
        tools=tools,
    )


def exit_(pid: int, *, status: int = 0, root: int | None = None, after_s: int = 3) -> Exit:
    """Say that a process ends some seconds after its birth."""
    return Exit(
        at_ns=at(pid).started_ns + after_s * SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        status=status,
    )


def connect(
    pid: int,
    to: str,
    *,
    cookie: int = 1,
    port: int = 443,
    root: int | None = None,
    uid: int = 1000,
    transport: Transport = Transport.TCP,
    late: bool = False,
    domain: int = 0,
    image: Exec | None = None,
    ruled: Ruled | None = None,
) -> Connect:
    """Say that a process connects."""
    return Connect(
        at_ns=at(pid).started_ns + SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        uid=uid,
        cookie=cookie,
        address=ip_address(to),
        port=port,
        transport=transport,
        late=late,
        domain=domain,
        comm="curl",
        image=image,
        ruled=ruled,
    )


def hello(
    pid: int,
    to: str,
    host: str | None,
    *,
    cookie: int = 1,
    root: int | None = None,
    source: NameSource | None = NameSource.SNI,
    port: int = 443,
    domain: int = 0,
    ruled: Ruled | None = None,
) -> Hello:
    """Say that a connection named its far end; one to a proxy goes to port 3128 of it."""
    return Hello(
        at_ns=at(pid).started_ns + SECOND + 1000,
        process=at(pid),
        root=at(pid if root is None else root),
        uid=1000,
        cookie=cookie,
        remote=ip_address(to),
        remote_port=3128 if source is NameSource.PROXY else port,
        local=LOCAL,
        local_port=40_000,
        target_port=port,
        name=host,
        source=source,
        domain=domain,
        ruled=ruled,
    )


def close(
    pid: int,
    to: str,
    *,
    cookie: int = 1,
    root: int | None = None,
    error: int = 0,
    established: bool = True,
) -> Close:
    """Say that a connection is over, a second after it was opened."""
    opened_ns = at(pid).started_ns + SECOND
    return Close(
        at_ns=opened_ns + SECOND,
        process=at(pid),
        root=at(pid if root is None else root),
        cookie=cookie,
        address=ip_address(to),
        port=443,
        opened_ns=opened_ns,
        established_ns=opened_ns + 1000 if established else None,
        sent_bytes=12_595,
        received_bytes=4_198,
        error=error,
    )


def resolved(
    pid: int,
    host: str,
    *addresses: str,
    root: int | None = None,
    rcode: int = 0,
    tcp: bool = False,
    cut: bool = False,
) -> Resolved:
    """Say that a process was told the addresses of a host."""
    given: tuple[Address, ...] = tuple(ip_address(one) for one in addresses)
    return Resolved(
        at_ns=at(pid).started_ns + SECOND // 2,
        process=at(pid),
        root=at(pid if root is None else root),
        name=host,
        addresses=given,
        rcode=rcode,
        resolver=RESOLVER,
        tcp=tcp,
        cut=cut,
    )


def ruling(
    verdict: Verdict | None = Verdict.BLOCK,
    enforcement: Enforcement = Enforcement.NONE,
    *,
    rule: int = 0,
    policy: int = 1,
) -> Ruled:
    """Say what the kernel said, by the first rule of the first policy unless told otherwise."""
    return Ruled(policy, rule, verdict, enforcement)


@dataclass(frozen=True, slots=True)
class Numbers:
    """A policy of which the kernel numbers the rules as they stand."""

    policy: Policy

    def rule_at(self, index: int) -> Rule | None:
        """Count from the first."""
        return self.policy.rules[index] if index < len(self.policy.rules) else None


def enforced(text: str, *, generation: int = 1, domains: dict[int, str] | None = None) -> Enforced:
    """Return a policy in force, enforced unless it begins with another mode.

    The resolver of all stories is one that the host trusts.
    """
    mode = "" if text.startswith("mode") else 'mode = "enforce"'
    policy = parse(f"version = 1\n{mode}\n{text}", where="policy.toml", catalogue=CATALOGUE)
    return Enforced(
        generation=generation,
        source="policy.toml",
        tables=Numbers(settled(policy, Accounts({"alice": 1000}, {}), [RESOLVER])),
        domains=domains or {},
    )


def brief(action: Action) -> str:
    """Say in a few words what is to be done: ``exec codex 0``, ``release 12``."""
    match action:
        case Release(process):
            words = f"release {process.pid}"
        case Follow(process, root):
            words = f"follow {process.pid} of {root.pid}"
        case Kill(process, rule):
            words = f"kill {process.pid} {rule}"
        case Destroy(cookie=cookie, remote=(ip, port)):
            words = f"destroy {cookie} {ip}:{port}"
        case Notify(process=process, tty=tty):
            words = f"notify {process.pid} {tty}"
        case Learn(name=name, trusted=trusted):
            words = f"learn {name} {'trusted' if trusted else 'untrusted'}"
        case Record(event):
            words = _brief(event)
    return words


def _brief(event: Event) -> str:
    if event.loss:
        return f"{event.kind.value} {event.loss[1]} {event.loss[0]}"
    if event.policy:
        return f"policy {event.policy.standing} {event.policy.generation}"
    depth = "" if event.kind.value.startswith("session") else f" {event.depth}"
    return f"{event.kind.value} {event.tool}{depth}{verdict_of(event)}"


def verdict_of(event: Event) -> str:
    """Say a verdict that is more than the default, and how it was carried out."""
    if event.verdict is None or event.rule == "default":
        return ""
    how = f" {event.enforcement.value}" if event.is_refused and event.enforcement else ""
    return f" {event.verdict.value}{how} {event.rule}"


def play(engine: Engine, *story: Fact | list[str]) -> None:
    """Give the engine each fact; what follows it in the story is what the engine does."""
    done: list[str] = []
    for step in story:
        if isinstance(step, list):
            assert done == step
            done = []
        else:
            assert not done, f"untold: {done}"
            done = [brief(action) for action in engine.see(step)]
    assert not done, f"untold: {done}"


def events(engine: Engine, *facts: Fact) -> list[Event]:
    """Give the engine facts and return what it puts on the stream."""
    return [
        action.event for fact in facts for action in engine.see(fact) if isinstance(action, Record)
    ]
