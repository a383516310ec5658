# SPDX-License-Identifier: Apache-2.0
"""The kernel tests on this machine's kernel and in the guests, one result a machine."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from support.drivers import built

from vm.code import code_for
from vm.guest import CHECKOUT, LSM, LSM_WITHOUT_BPF, Guest, GuestError
from vm.journal import VARIABLE
from vm.kept import JOURNAL, Kept, digests
from vm.kernels import WANTED, kernel
from vm.mirror import UnavailableError
from vm.report import HERE, Run, cases, features, summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vm.kernels import Kernel

# Tests elsewhere that say what they need of a kernel belong to a guest as well.
KERNEL_TESTS = "tests/kernel/test_*.py"
NEED = "pytest.mark.needs("
ALL_LONG = re.compile(r"^pytestmark = .*\bmark\.long\b", re.MULTILINE)
# The tests that behave otherwise where bpf is no active security module.
LSM_TESTS = "tests/kernel/test_lsm*.py"
SIDE_BY_SIDE = 2
# What does not end is interrupted first, so that it leaves results and nothing else.
# Two guests take 4 minutes on an idle machine; with the long tests one takes more than an hour.
WITHIN_S = 2400
WITHIN_S_EVERYTHING = 3 * 3600
GRACE_S = 30
# pytest.ExitCode: all passed, some failed; none was left to run, where a run goes on.
COMPLETE = (0, 1, 5)
SLOWEST = 20

OWN_CODE = "$results/code"
DOCTOR = "timeout 300 {bin}/agent-sensor doctor --json >$results/doctor.json 2>$results/doctor.err"
TESTS = """\
export PYTHONPATH=tests {variable}=$results/{journal} CACHE_DIRECTORY={code}
exec timeout --signal=INT --kill-after={grace_s} {within_s} {bin}/python -m pytest -m "{kind}" \\
    -p vm.journal -p no:cacheprovider -p no:cov -p no:hypothesispytest --durations={slowest} {tests}
"""


@dataclass(frozen=True, slots=True)
class Suite:
    """What to run: on all kernels or those of CI, with the ``long`` tests or without.

    ``host_junit`` is this machine's run, if it was made. With ``goes_on``, results of
    earlier runs of the same sources count. ``machines`` and ``only``, files of tests,
    are a piece of the whole; the others have what earlier runs have left.
    """

    cache: Path
    everything: bool
    long: bool
    host_junit: str = ""
    goes_on: bool = False
    machines: tuple[str, ...] = ()
    only: tuple[str, ...] = ()

    async def run(self, kernels: list[Kernel]) -> list[Run]:
        """Give every machine's result, this machine's first."""
        slots = asyncio.Semaphore(SIDE_BY_SIDE)
        guests = [self._there(found, found.name, slots) for found in kernels]
        guests.append(self._there(kernels[0], f"{kernels[0].name} without bpf", slots, bpf=False))
        built()  # no guest has to
        here = await self._here()
        return [here, *await asyncio.gather(*guests)]

    def kernels(self) -> tuple[list[Kernel], dict[str, str]]:
        """Find the kernels to test on, and why others are not there.

        Raises:
            UnavailableError: One that is always tested on is neither cached nor on the mirror.

        """
        found, missing = [], {}
        for wanted in WANTED:
            if wanted.always or self.everything:
                try:
                    found.append(kernel(wanted, self.cache / "kernels"))
                except UnavailableError as error:
                    if wanted.always:
                        raise
                    missing[wanted.name] = str(error)
        return found, missing

    @property
    def _within_s(self) -> int:
        return WITHIN_S_EVERYTHING if self.long else WITHIN_S

    def _tests(self, *, bpf: bool = True) -> list[str]:
        """List the files of tests that belong to a machine."""
        return [*files_like(KERNEL_TESTS), *files_with_needs()] if bpf else files_like(LSM_TESTS)

    def _kind(self, name: str) -> str:
        return "kernel" if self.long or name == HERE else "kernel and not long"

    async def _code(self, found: Kernel) -> str:
        """Say where a guest's sensors keep their code; with all kernels, each compiles its own."""
        return OWN_CODE if self.everything else str(await asyncio.to_thread(code_for, found))

    def _task(self, tests: Iterable[str], kind: str, code: str = OWN_CODE) -> str:
        # What a kernel can do is a table of the document, which is of all of them.
        task = f"{DOCTOR}\n{TESTS}" if self.everything else TESTS
        return task.format(
            bin=Path(sys.executable).parent,
            variable=VARIABLE,
            journal=JOURNAL,
            within_s=self._within_s,
            grace_s=GRACE_S,
            code=code,
            kind=kind,
            slowest=SLOWEST,
            tests=" ".join(tests),
        )

    def _kept(self, name: str, release: str, tests: list[str]) -> Kept:
        """Give the folder of a machine's results, with what of it counts still."""
        kept = Kept(self.cache / "vm" / name.replace(" ", "-"))
        goes_on = self.goes_on or not self.is_asked(name)
        kept.prepare(release, digests(CHECKOUT, tests), goes_on=goes_on)
        return kept

    def is_asked(self, name: str) -> bool:
        """Tell whether this run is about a machine."""
        return not self.machines or name in self.machines

    async def _there(
        self, found: Kernel, name: str, slots: asyncio.Semaphore, *, bpf: bool = True
    ) -> Run:
        """Run the tests in a guest, or what is left to run of them."""
        tests, kind = self._tests(bpf=bpf), self._kind(name)
        kept = self._kept(name, found.release, tests)
        trouble, asked = "", [test for test in tests if test in self.only or not self.only]
        if not self.long:
            asked = [test for test in asked if not is_long(test)]
        if self.is_asked(name) and asked and kind not in kept.about.through:
            async with slots:
                guest = Guest(
                    name=name,
                    kernel=found,
                    cache=self.cache,
                    lsm=LSM if bpf else LSM_WITHOUT_BPF,
                    task=self._task(asked, kind, await self._code(found)),
                    results=kept.folder,
                    within_s=self._within_s + 3 * GRACE_S,
                    console=kept.folder / "console.log",
                )
                trouble = await _guest_run(guest, kept, "" if self.only else kind)
        run = _result(name, found.release, kept, trouble)
        is_whole = self.is_asked(name) and not self.only
        return _told(replace(run, is_part=not is_whole and kind not in kept.about.through))

    async def _here(self) -> Run:
        """Run the tests on this machine's own kernel, as ``make test`` runs them."""
        release, tests = os.uname().release, self._tests()
        kept = self._kept(HERE, release, tests)
        asked = [test for test in tests if test in self.only or not self.only]
        if self.host_junit:
            if self.everything:
                doctor = DOCTOR.format(bin=Path(sys.executable).parent)
                await _run_here(f"{doctor}\ntrue", kept.folder)
            run = _result(HERE, release, kept, "")
            return _told(replace(run, cases=tuple(cases(self.host_junit))).about(tests))
        trouble, kind = "", self._kind(HERE)
        if self.is_asked(HERE) and asked and kind not in kept.about.through:
            started = time.monotonic()
            trouble = _trouble(await _run_here(self._task(asked, kind), kept.folder))
            kept.add(time.monotonic() - started, "" if trouble or self.only else kind)
        return _told(_result(HERE, release, kept, trouble))


def files_with_needs() -> list[str]:
    """List the files outside ``KERNEL_TESTS`` with tests that say what they need of a kernel."""
    names = files_like("tests/**/test_*.py")
    inside = files_like(KERNEL_TESTS)
    return [
        name
        for name in names
        if name not in inside and NEED in (CHECKOUT / name).read_text("utf-8")
    ]


def is_long(name: str) -> bool:
    """Tell whether all tests of a file are ``long``: to import it takes a guest a second."""
    return bool(ALL_LONG.search((CHECKOUT / name).read_text("utf-8")))


def files_like(pattern: str) -> list[str]:
    """List the files of tests that ``pattern`` stands for."""
    return sorted(str(file.relative_to(CHECKOUT)) for file in CHECKOUT.glob(pattern))


def _trouble(status: int) -> str:
    """Say what is wrong with a task that ended so, beside tests that failed."""
    return "" if status in COMPLETE else f"the tests ended early, with status {status}"


async def _run_here(task: str, results: Path) -> int:
    """Run the task, which bounds its own time; give its exit status."""
    with (results / "console.log").open("wb") as console:
        shell = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", task),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            env=os.environ | {"results": str(results)},
            cwd=CHECKOUT,
            start_new_session=True,
        )
        try:
            return await shell.wait()
        finally:
            await _end(shell)


async def _end(shell: asyncio.subprocess.Process) -> None:
    """Interrupts what the shell started, then kills what takes no notice."""
    for signum in (signal.SIGINT, signal.SIGKILL):
        if shell.returncode is None:
            with suppress(ProcessLookupError, TimeoutError):
                os.killpg(shell.pid, signum)
                await asyncio.wait_for(shell.wait(), GRACE_S)


async def _guest_run(guest: Guest, kept: Kept, kind: str) -> str:
    """Run a guest, and keep how long it took; give what was wrong with it."""
    started, trouble = time.monotonic(), "it was not done"
    for said in ("up", "status", "uptime"):  # by the run before
        (guest.results / said).unlink(missing_ok=True)
    try:
        trouble = _trouble(await guest.run())
    except GuestError as error:
        trouble = str(error)
    finally:
        kept.add(time.monotonic() - started, "" if trouble else kind)
    return trouble


def _told(run: Run) -> Run:
    if run.cases or run.trouble:
        print(summary(run), flush=True)
    return run


def _result(name: str, release: str, kept: Kept, trouble: str) -> Run:
    return Run(
        machine=name,
        release=release,
        cases=tuple(kept.cases()),
        features=features(_text(kept.folder / "doctor.json")),
        seconds=kept.about.seconds,
        trouble=trouble,
        log=_text(kept.folder / "console.log"),
    )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "backslashreplace")
    except OSError:
        return ""
