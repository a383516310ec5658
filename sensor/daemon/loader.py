# SPDX-License-Identifier: Apache-2.0
"""The loader: compile, load, attach, check, pin. It runs in a process of its own, and ends.

Probes that were loaded from the same sources, for the same kernel and with the
same options are used again, and nothing is compiled.
"""

from __future__ import annotations

import errno
import mmap
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.daemon.instance import Instance, Loaded, fingerprint
from sensor.daemon.kept_code import compiled, forget
from sensor.daemon.state import Slot, State
from sensor.daemon.turns import Turns
from sensor.edge import libbpf
from sensor.errors import NotPermittedError, SensorError, UnsupportedError
from sensor.wire.btf import Btf
from sensor.wire.headers import header_tree
from sensor.wire.programs import MAPS, PROGRAMS, STAND_BYS, UNITS, Hook, Program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sensor.daemon.kept_code import Ready
    from sensor.edge.compiler import Compiled

BTF = Path("/sys/kernel/btf/vmlinux")
_REQUIRED_PINS = (
    *(f"map_{name}" for name in MAPS),
    *(program.pin for program in PROGRAMS if program.required),
)
# include/uapi/linux/bpf.h: BPF_MAP_TYPE_RINGBUF
_RING_BUFFER = 27
_FLAGS = ("-Wno-address-of-packed-member", "-Wno-unused-function")


@dataclass(frozen=True, slots=True)
class Kernel:
    """What to compile for: release, version and machine as uname(2) gives them, types as BTF."""

    release: str
    version: str
    machine: str
    types: bytes

    @classmethod
    def running(cls) -> Kernel:
        """Give this host's. Raises UnsupportedError where it has no type information."""
        host = os.uname()
        return cls(host.release, host.version, host.machine, kernel_types())


def probes() -> Path:
    """Find the sources: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "probes", package.parent / "probes"):
        if folder.is_dir():
            return folder
    raise SensorError(f"{package}/probes is missing: install agent-sensor again")


def catalogue_folder() -> Path:
    """Find the catalogue that comes with the sensor."""
    return Path(__file__).resolve().parent.parent / "catalogue"


def source(folder: Path) -> str:
    """Join the units into the one text that BCC compiles; errors still name the right file."""
    units = ((name, (folder / name).read_text("utf-8")) for name in UNITS)
    return "\n".join(f'#line 1 "probes/{name}"\n{text}' for name, text in units)


def kernel_types() -> bytes:
    """Read the running kernel's type information.

    Raises UnsupportedError where the kernel has none.
    """
    try:
        return BTF.read_bytes()
    except OSError as problem:
        raise UnsupportedError(
            f"{BTF}: {problem.strerror}; the probes take their types from there:"
            " run a kernel with CONFIG_DEBUG_INFO_BTF=y (Debian, Ubuntu and Fedora have it)"
        ) from problem


def version(folder: Path, scope: Path, programs: Sequence[Program] = PROGRAMS) -> str:
    """Name what a load would give: sources, options, kernel, and which cgroup ``scope`` is now.

    A cgroup that was removed and made again has the same path, but no program
    is attached to it.
    """
    host = os.uname()
    texts = (host.release, host.version, str(scope.stat().st_ino), repr(programs))
    package = Path(__file__).parent.parent
    makers = (package / "wire/code.py", package / "wire/programs.py", package / "daemon/turns.py")
    made = (path.read_bytes() for path in makers)
    return fingerprint(*_sources(folder), *map(str.encode, texts), *made)


def code_version(folder: Path, kernel: Kernel) -> str:
    """Name what a compile would give. It outlives a boot, so it is held against the types too.

    Kernels that are built to be reproducible share release and version, and differ all the same.
    """
    package = Path(__file__).parent.parent
    makers = (package / "wire/headers.py", package / "wire/code.py", package / "edge/compiler.py")
    made = (path.read_bytes() for path in makers)
    texts = (kernel.release, kernel.version, kernel.machine)
    return fingerprint(*_sources(folder), *map(str.encode, texts), kernel.types, *made)


def _sources(folder: Path) -> list[bytes]:
    files = sorted(path for path in folder.iterdir() if path.suffix in {".c", ".h", ".toml"})
    # What is in the tables is by a tool's number: with other tools it means something else.
    files += sorted(catalogue_folder().glob("*.toml"))
    options = repr((UNITS, PROGRAMS, STAND_BYS, MAPS, _FLAGS))
    return [options.encode(), *(path.read_bytes() for path in files)]


def load(
    instance: Instance,
    scope: Path,
    programs: Sequence[Program] = PROGRAMS,
    *,
    say: Callable[[str], None],
) -> Loaded:
    """Have the probes attached and pinned, looking at ``scope``; ``say`` is told of a compile.

    Probes of another version stay in force beside them, until the caller has them
    retired. Raises SensorError where a required program cannot be had; nothing new
    stays attached then. Optional programs that the kernel refuses are in ``missing``.
    """
    folder = probes()
    wanted = version(folder, scope, programs)
    with instance.locked():
        pins = instance.loaded(wanted, _REQUIRED_PINS)
        if pins:
            turns = Turns(kernel_types())
            turns.take_away_alone(pins)
            return Loaded(pins, reused=True, missing=_not_pinned(pins, turns))
        fresh = instance.begin()
        try:
            missing = _build(folder, fresh, scope, programs, say)
        except BaseException:
            instance.abandon()
            raise
        return Loaded(instance.commit(fresh, wanted), reused=False, missing=missing)


def _not_pinned(pins: Path, turns: Turns) -> dict[str, str]:
    wanted = [program for program in PROGRAMS if not program.on_demand]
    absent = [p.name for p in (*wanted, *turns.stand_bys) if not (pins / p.pin).exists()]
    return turns.missing | dict.fromkeys(absent, "the kernel refused it when it was loaded")


def _build(
    folder: Path, pins: Path, scope: Path, programs: Sequence[Program], say: Callable[[str], None]
) -> dict[str, str]:
    _ask_for_maps()
    kernel = Kernel.running()
    ready = ready_for(kernel, folder, say=say)
    try:
        _compare(set(ready.programs()), {program.source for program in PROGRAMS})
        return _attach_all(ready, pins, scope, programs, Turns(kernel.types))
    except SensorError:
        forget(code_version(folder, kernel))  # if it was that, the next start compiles
        raise


def ready_for(kernel: Kernel, folder: Path, *, say: Callable[[str], None]) -> Compiled | Ready:
    """Take what was compiled for a kernel from where it is kept, or else compile and keep it."""
    return compiled(code_version(folder, kernel), lambda: _compiled(kernel, folder), say=say)


def _compiled(kernel: Kernel, folder: Path) -> Compiled:
    from sensor.edge.compiler import Compiled  # noqa: PLC0415  # bcc: only where it compiles

    tree = header_tree((folder / "types.toml").read_text("utf-8"), Btf(kernel.types),
                       where="probes/types.toml")  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="agent-sensor-") as headers:
        for name, text in tree.items():
            path = Path(headers, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        flags = (f"-I{folder}", f"-I{headers}/include", *_FLAGS)
        return Compiled(source(folder), headers=Path(headers), flags=flags)


def _compare(found: set[str], expected: set[str]) -> None:
    """Hold what was compiled against what is attached: BCC makes no program of what it misreads."""
    differences = [
        f"{word} {', '.join(sorted(names))}"
        for word, names in (("without", expected - found), ("with an unknown", found - expected))
        if names
    ]
    if differences:
        raise SensorError(
            f"the probes compiled {' and '.join(differences)}; install agent-sensor again"
        )


def _ask_for_maps() -> None:
    """Make a ring buffer and let it go: BCC does not tell why it gets no map."""
    refused = libbpf.try_map(_RING_BUFFER, mmap.PAGESIZE)
    if refused in {errno.EPERM, errno.EACCES}:
        raise NotPermittedError(
            f"cannot make BPF maps: {os.strerror(refused)}; run it as root"
            " (CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN)"
        )
    if refused:
        raise UnsupportedError(
            f"cannot make a BPF ring buffer: {os.strerror(refused)}; run Linux 5.8 or later"
        )


def _attach_all(
    ready: Compiled | Ready,
    pins: Path,
    scope: Path,
    programs: Sequence[Program],
    turns: Turns,
) -> dict[str, str]:
    """Pin all maps, then attach or pin program by program. Returns those that were refused."""
    missing = dict(turns.missing)
    with ExitStack() as stack:
        cgroup = os.open(scope, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        stack.callback(os.close, cgroup)
        for name in MAPS:
            libbpf.pin(ready.map(name), str(pins / f"map_{name}"))
        slot = libbpf.Map(ready.map("scope"))
        slot.update(bytes(4), cgroup.to_bytes(4, "little"))
        State(libbpf.Map(ready.map("state")))[Slot.SEED] = int.from_bytes(os.urandom(8), "little")
        # The verifier takes half a second of CPU for all: side by side, while the first attach.
        pool = stack.enter_context(ThreadPoolExecutor())
        # Stand-bys last: what is attached to a tracepoint runs in that order (func_add of
        # kernel/tracepoint.c).
        wanted = (*programs, *turns.stand_bys)
        loads = {program: pool.submit(_load, ready, program, turns) for program in wanted}
        for program, load in loads.items():
            try:
                _attach(load.result(), program, cgroup, pins)
            except SensorError as problem:
                if program.required:
                    raise
                if not program.on_demand:  # told when a policy asks for it
                    missing[program.name] = str(problem)
        alone = turns.take_away_alone(pins)
        missing |= dict.fromkeys(alone - missing.keys(), "what it stands behind is missing")
    return missing


def _load(ready: Compiled | Ready, program: Program, turns: Turns) -> int:
    return libbpf.load_program(
        turns.linked(ready.code(program.source), program),
        program.hook.program_type,
        program.hook.attach_type or 0,
        name=program.name,
        function=program.function if program.hook is Hook.LSM else "",
    )


def _attach(fd: int, program: Program, cgroup: int, pins: Path) -> None:
    with _closing(fd):
        if program.on_demand:
            libbpf.pin(fd, str(pins / program.pin))
            return
        if program.hook is Hook.RAW_TRACEPOINT:
            link = libbpf.attach_raw_tracepoint(fd, program.function)
        else:
            link = libbpf.attach_cgroup(fd, cgroup, program.hook.attach_type or 0)
        with _closing(link):
            if not libbpf.program_of(link):
                raise SensorError(f"{program.name} attached, but the kernel does not list it")
            libbpf.pin(link, str(pins / program.pin))


@contextmanager
def _closing(fd: int) -> Iterator[None]:
    """Close a descriptor at the end of the ``with``."""
    try:
        yield
    finally:
        os.close(fd)
