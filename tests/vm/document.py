# SPDX-License-Identifier: Apache-2.0
"""docs/kernels.md: the matrix of the last run over everything; pure."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from vm.kernels import WANTED
from vm.report import HERE, Outcome, counts, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vm.report import Case, Run

PAGE = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
# Kernels

Made by `make vm-test ALL=1` on {day}; not written by hand. Debian's own kernel packages, booted in
QEMU (translated, one virtual CPU, no kernel headers), with the kernel tests of `tests/kernel` run
unchanged in each. "without bpf" is the same kernel with `bpf` left out of the active security
modules (`lsm=`): LSM programs load and attach there, and never run.

## Tests

{tests}
{missing}
"long" is how many of the passed ones are marked so. "skipped" has the words of what a kernel did
not offer, and of how many tests. "took" says little: two guests share a machine with whatever
else it does.

Each time, `make vm-test` and CI run {always}, {always_first} without bpf, and the machine's own
kernel. Only `ALL=1` runs the others, {others}: what is above is their last result.
A test that is skipped on every machine fails the run.

In guests the daemon of `test_refuse_*.py` is host-wide; elsewhere it keeps to a cgroup of the
tests' own, as all others do everywhere.

### Long tests

Tests marked `long` start daemons of their own, or ask the kernel what a shorter one has asked:
an emulated one takes hours. They run on the machine's own kernel each time, and in guests with
`ALL=1` alone, unless that is `ARGS=--short` too. {long}

## What each kernel can do

As `agent-sensor doctor --json` says on it.

{features}

## What a test needs

A test in `tests/kernel` runs in every guest as it is. One that needs more of a kernel than the
probes do says so, `@pytest.mark.needs("lsm", "host-wide")`, and is skipped with that word where
the need is not met. Files elsewhere with a test that says so are run in guests too.

| word | it is met where |
|---|---|
| `lsm` | LSM programs load; whether they are called: `tests/kernel/test_lsm.py` |
| `fentry` | programs at functions load |
| `kprobe` | there are kprobes |
| `host-wide` | nobody else is on the machine: in a guest, and nowhere else |

The guest without bpf runs `tests/kernel/test_lsm*.py` alone. The first start of a sensor compiles
the probes, which takes a guest a minute. With `ALL=1` each guest does that; for CI's two this
machine's compiler does, from the types in their kernels, and what comes of it lies beside the
kernel in the cache. Even then a start takes a guest ten seconds, most of them Python's. So share
the `stage`, `beside` for what would disturb it, or `police` for what refuses, and mark a test
`long` where a shorter one hooks the same.

## One command in one guest

    make vm-run KERNEL=6.12 RUN='.venv/bin/python -m pytest tests/kernel/test_lsm.py'
    make vm-run KERNEL=6.1 ARGS=--without-bpf RUN='cat /sys/kernel/security/lsm'

`KERNEL` is one of {names}, 6.12 if it is not given; the column "without bpf" is
`ARGS=--without-bpf`. The guest sees this machine's files and writes into its own memory, has no
network, and ends with the command, or after ten minutes (`ARGS='--within 1200'`: twenty).
`python -m vm run` hands on the command's exit status; make's own is 2 for any that is not 0.
Kernels are kept in `.cache/kernels`; results and consoles of the last `make vm-test` are in
`.cache/vm`.

## A run in pieces

    make vm-test ALL=1 ARGS=--short
    make vm-test ALL=1 ARGS='--short --machine 5.10'
    make vm-test ALL=1 ARGS='--machine 5.10 --only tests/kernel/test_block.py'
    make vm-test ALL=1 ARGS=--resume

The first leaves out the long tests, the second runs on one kernel, the third runs one file there,
the last goes on with a run that was cut off. With `ALL=1` each of them writes this page anew, with
what earlier runs have left of the kernels that it was not asked for.

Each test is written down as it ends, so that a run that is cut off is not lost. A piece, or a run
that resumes, leaves out what has passed before, as long as the test's file and all that every test
depends on (sensor, probes, `tests/support`) are the same; what has failed is run again.
"""


def document(runs: Sequence[Run], missing: Mapping[str, str], day: str) -> str:
    """Write the page of these runs; ``missing`` are kernels that could not be had, and why."""
    absent = "".join(f"\n{name} was not run: {reason}.\n" for name, reason in missing.items())
    return PAGE.format(
        day=day,
        tests=_tests(runs),
        missing=absent,
        always=" and ".join(wanted.name for wanted in WANTED if wanted.always),
        always_first=WANTED[0].name,
        names=", ".join(f"`{wanted.name}`" for wanted in WANTED),
        others=" and ".join(wanted.name for wanted in WANTED if not wanted.always),
        features=_features(runs),
        long=_long([run for run in runs if run.machine != HERE]),
    )


def _tests(runs: Sequence[Run]) -> str:
    rows = []
    for run in runs:
        passed, failed, skipped = counts(run)
        long = sum(case.is_long and case.outcome is Outcome.PASSED for case in run.cases)
        numbers = (str(passed), str(long), str(failed), skipped or "none", f"{run.seconds:.0f} s")
        trouble = run.trouble or ("not all was run" if run.is_part else "")
        rows.append((run.machine, run.release, *numbers, trouble))
    head = ("machine", "kernel", "passed", "long", "failed", "skipped", "took", "trouble")
    return table(head, rows)


def _long(guests: Sequence[Run]) -> str:
    """Say what guests made of the long tests, a row a file; or that none had any."""
    asked = [run for run in guests if any(case.is_long for case in run.cases)]
    if not asked:
        return "**The results above are without them: no guest ran a test marked `long`.**"
    without = ", ".join(run.machine for run in guests if run not in asked) or "None"
    files = sorted({_file(case) for run in asked for case in run.cases if case.is_long})
    rows = [(name, *(_of_file(run, name) for run in asked)) for name in files]
    said = f"**{without} ran none of them above.** What became of them, by file:"
    return f"{said}\n\n{table(('', *(run.machine for run in asked)), rows)}"


def _file(case: Case) -> str:
    return case.name.partition("::")[0].rpartition(".")[2]


def _of_file(run: Run, name: str) -> str:
    """``12 passed, 34 s``, of the long tests in a file."""
    found = [case for case in run.cases if case.is_long and _file(case) == name]
    counted = Counter(case.outcome.name.lower() for case in found)
    said = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
    return f"{said}, {sum(case.seconds for case in found):.0f} s" if found else "not run"


def _features(runs: Sequence[Run]) -> str:
    """Give a row to a feature and a column to a kernel."""
    asked = [run for run in runs if run.features]
    names = dict.fromkeys(name for run in asked for name in run.features)
    rows = ((name, *(run.features.get(name, "not asked") for run in asked)) for name in names)
    return table(("", *(run.machine for run in asked)), rows)
