# SPDX-License-Identifier: Apache-2.0
"""The kernel tests on this machine's kernel and on Debian's, in guests.

``make vm-test`` is ``python -m vm test``; ``python -m vm run 6.12 'uname -r'`` tries something out.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import fcntl
import os
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from vm.document import document
from vm.guest import CHECKOUT, LSM, LSM_WITHOUT_BPF, Guest, GuestError
from vm.kernels import WANTED, kernel
from vm.mirror import UnavailableError
from vm.report import complaints
from vm.suite import Suite

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator

    from vm.report import Run

CACHE = Path(os.environ.get("AGENT_SENSOR_CACHE") or CHECKOUT / ".cache").absolute()
T = TypeVar("T")

NOT_ASKED = "this piece of a run left it out"
# A shell's statuses for what a signal ended.
INTERRUPTED = 130
TERMINATED = 143


def main() -> int:
    """Run the kernel tests in guests, or one command in one guest."""
    chosen = _arguments()
    (CACHE / "kernels").mkdir(parents=True, exist_ok=True)
    # While kernels are fetched; then the event loop takes over.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))
    try:
        return _run(chosen) if chosen.command == "run" else _test(chosen)
    except (UnavailableError, GuestError) as error:
        print(f"vm: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    except asyncio.CancelledError:
        return TERMINATED


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m vm", description=main.__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    test = commands.add_parser("test", help="run the kernel tests")
    test.add_argument("--all", action="store_true", help="on every kernel; write docs/kernels.md")
    test.add_argument("--short", action="store_true", help="with --all: without the `long` tests")
    test.add_argument(
        "--resume", action="store_true", help="what earlier runs of the same sources passed counts"
    )
    test.add_argument(
        "--machine",
        action="append",
        default=[],
        metavar="NAME",
        help="with --all: on this one alone; the others have what earlier runs have left",
    )
    test.add_argument(
        "--only", action="append", default=[], metavar="FILE", help="run this file of tests alone"
    )
    test.add_argument(
        "--host-junit", type=Path, metavar="FILE", help="this machine's results, if it has any yet"
    )
    run = commands.add_parser("run", help="run a shell command in a guest")
    run.add_argument("--without-bpf", action="store_true", help="as an active security module")
    run.add_argument("--within", type=int, default=600, metavar="SECONDS", help="end it then")
    run.add_argument("kernel", choices=[wanted.name for wanted in WANTED])
    run.add_argument("task", help="the command; it runs in the checkout, as root")
    return parser.parse_args()


def _test(chosen: argparse.Namespace) -> int:
    """Run on all machines; 0: every test passed where it ran, and none was skipped everywhere."""
    (CACHE / "vm").mkdir(exist_ok=True)
    with _alone(CACHE / "vm"):
        return _all_machines(chosen)


def _all_machines(chosen: argparse.Namespace) -> int:
    junit = chosen.host_junit.read_text("utf-8") if chosen.host_junit else ""
    long = chosen.all and not chosen.short
    suite = Suite(
        cache=CACHE,
        everything=chosen.all,
        long=long,
        host_junit=junit,
        goes_on=chosen.resume or bool(chosen.machine or chosen.only),
        machines=tuple(chosen.machine),
        only=tuple(chosen.only),
    )
    kernels, missing = suite.kernels()
    for name, reason in missing.items():
        print(f"{name}: not run: {reason}")
    runs = asyncio.run(_until_terminated(suite.run(kernels)))
    missing |= {run.machine: NOT_ASKED for run in runs if not run.cases and _left_out(suite, run)}
    runs = [run for run in runs if run.machine not in missing]
    if chosen.all:
        today = dt.datetime.now(dt.UTC).date().isoformat()
        (CHECKOUT / "docs/kernels.md").write_text(document(runs, missing, today))
    found = complaints(runs)
    print("\n".join(found) or "no test was skipped everywhere")
    return 1 if found else 0


def _left_out(suite: Suite, run: Run) -> bool:
    """Tell whether nobody asked for more than earlier runs have left."""
    return not suite.is_asked(run.machine) or bool(suite.only)


def _run(chosen: argparse.Namespace) -> int:
    """Run one command in one guest; give its exit status."""
    [wanted] = [wanted for wanted in WANTED if wanted.name == chosen.kernel]
    found = kernel(wanted, CACHE / "kernels")
    lsm = LSM_WITHOUT_BPF if chosen.without_bpf else LSM
    with tempfile.TemporaryDirectory(prefix="agent-sensor-vm-") as results:
        guest = Guest(
            name=wanted.name,
            kernel=found,
            cache=CACHE,
            lsm=lsm,
            task=chosen.task,
            results=Path(results),
            within_s=chosen.within,
        )
        return asyncio.run(_until_terminated(guest.run()))


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder of results, which has room for one run."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError as error:
        raise GuestError(f"another `make vm-test` is at work in {folder}") from error
    finally:
        os.close(handle)


async def _until_terminated(work: Coroutine[Any, Any, T]) -> T:
    """End the work in good order at SIGTERM as at Ctrl-C, so that no guest stays."""
    task = asyncio.current_task()
    assert task
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await work


if __name__ == "__main__":
    sys.exit(main())
