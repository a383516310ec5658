# SPDX-License-Identifier: Apache-2.0
"""The kernel tests on this machine's kernel and in the guests, one result a machine."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from support.drivers import built

from vm.guest import CHECKOUT, LSM, LSM_WITHOUT_BPF, Guest, GuestError
from vm.kernels import WANTED, kernel
from vm.mirror import UnavailableError
from vm.report import Run, cases, features, summary

if TYPE_CHECKING:
    from vm.kernels import Kernel

# Tests elsewhere that say what they need of a kernel belong to a guest as well.
KERNEL_TESTS = "tests/kernel"
NEED = "pytest.mark.needs("
# The tests that behave otherwise where bpf is no active security module.
LSM_TESTS = "tests/kernel/test_lsm*.py"
SIDE_BY_SIDE = 2
# What does not end is interrupted first, so that it leaves results and nothing else.
# Two guests take 3 minutes on an idle machine, 5.10 with the long tests takes 10.
WITHIN_S = 1200
WITHIN_S_EVERYTHING = 3600
GRACE_S = 30
# pytest.ExitCode: all passed, some failed. Others mean that not all were run.
COMPLETE = (0, 1)

DOCTOR = "timeout 300 {bin}/agent-sensor doctor --json >$results/doctor.json 2>$results/doctor.err"
TESTS = """\
exec timeout --signal=INT --kill-after={grace_s} {within_s} {bin}/python -m pytest -m "{kind}" \\
    -p no:cacheprovider -p no:cov -p no:hypothesispytest --junitxml=$results/junit.xml {tests}
"""


@dataclass(frozen=True, slots=True)
class Suite:
    """What to run: on all kernels or those of CI, with the ``long`` tests or without.

    ``host_junit`` is this machine's run, if it was made.
    """

    cache: Path
    everything: bool
    long: bool
    host_junit: str = ""

    async def run(self, kernels: list[Kernel]) -> list[Run]:
        """Give every machine's result, this machine's first."""
        slots = asyncio.Semaphore(SIDE_BY_SIDE)
        guests = [self._guest(found, found.name, LSM, self._tests) for found in kernels]
        without = f"{kernels[0].name} without bpf"
        guests.append(self._guest(kernels[0], without, LSM_WITHOUT_BPF, files_like(LSM_TESTS)))
        built()  # no guest has to
        here = await self._here()
        return [here, *await asyncio.gather(*(_there(guest, slots) for guest in guests))]

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

    @property
    def _tests(self) -> list[str]:
        return [KERNEL_TESTS, *files_with_needs()]

    def _guest(self, found: Kernel, name: str, lsm: str, tests: list[str]) -> Guest:
        results = self._results(name)
        return Guest(
            name=name,
            kernel=found,
            cache=self.cache,
            lsm=lsm,
            task=self._task(tests, "kernel" if self.long else "kernel and not long"),
            results=results,
            within_s=self._within_s + 3 * GRACE_S,
            console=results / "console.log",
        )

    def _task(self, tests: list[str], kind: str) -> str:
        return f"{DOCTOR}\n{TESTS}".format(
            bin=Path(sys.executable).parent,
            within_s=self._within_s,
            grace_s=GRACE_S,
            kind=kind,
            tests=" ".join(tests),
        )

    def _results(self, name: str) -> Path:
        """Give an empty folder for the results of this machine."""
        folder = self.cache / "vm" / name.replace(" ", "-")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        return folder

    async def _here(self) -> Run:
        """Run the tests on this machine's own kernel, as ``make test`` runs them."""
        results = self._results("this machine")
        started = time.monotonic()
        if self.host_junit:
            (results / "junit.xml").write_text(self.host_junit)
            doctor = DOCTOR.format(bin=Path(sys.executable).parent)
            await _run_here(f"{doctor}\ntrue", results)
            status = 0
        else:
            status = await _run_here(self._task(self._tests, "kernel"), results)
        seconds = time.monotonic() - started
        run = _result("this machine", os.uname().release, results, seconds, _trouble(status))
        return _told(run.about(self._tests))


def files_with_needs() -> list[str]:
    """List the files outside ``KERNEL_TESTS`` with tests that say what they need of a kernel."""
    names = files_like("tests/**/test_*.py")
    return [
        name
        for name in names
        if not name.startswith(KERNEL_TESTS) and NEED in (CHECKOUT / name).read_text("utf-8")
    ]


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


async def _there(guest: Guest, slots: asyncio.Semaphore) -> Run:
    """Run the tests in a guest."""
    async with slots:
        started = time.monotonic()
        try:
            trouble = _trouble(await guest.run())
        except GuestError as error:
            trouble = str(error)
        seconds = time.monotonic() - started
    return _told(_result(guest.name, guest.kernel.release, guest.results, seconds, trouble))


def _told(run: Run) -> Run:
    print(summary(run), flush=True)
    return run


def _result(name: str, release: str, results: Path, seconds: float, trouble: str) -> Run:
    found = []
    try:
        found = cases((results / "junit.xml").read_text())
    except (OSError, ValueError) as error:
        trouble = trouble or f"no results: {error}"
    return Run(
        machine=name,
        release=release,
        cases=tuple(found),
        features=features(_text(results / "doctor.json")),
        seconds=seconds,
        trouble=trouble,
        log=_text(results / "console.log"),
    )


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8", "backslashreplace")
    except OSError:
        return ""
