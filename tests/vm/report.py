# SPDX-License-Identifier: Apache-2.0
"""What the runs say together: pure, over the text of their result files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

# The end of a log that is printed where a machine is in trouble.
LOG_LINES = 60
# The machine that is no guest.
HERE = "this machine"


class Outcome(IntEnum):
    """How a test ended; of two, say its call and its teardown, the greater one counts."""

    SKIPPED = 0
    PASSED = 1
    FAILED = 2


@dataclass(frozen=True, slots=True)
class Case:
    """One test on one machine; ``reason`` is the word that it was skipped with."""

    name: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    is_long: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What one machine made of the tests; ``trouble`` says why it could not.

    One that ``is_part`` has what earlier pieces have left, and not all of it is there.
    """

    machine: str
    release: str
    cases: tuple[Case, ...]
    features: Mapping[str, str]
    seconds: float
    trouble: str = ""
    is_part: bool = False
    log: str = ""

    def named(self, outcome: Outcome) -> list[str]:
        """List the tests that ended so."""
        return [case.name for case in self.cases if case.outcome is outcome]

    def about(self, tests: Iterable[str]) -> Run:
        """Leave out what passed and is none of ``tests``, which are files and folders."""
        modules = tuple(test.removesuffix(".py").replace("/", ".") for test in tests)
        kept = [
            case
            for case in self.cases
            if case.outcome is not Outcome.PASSED or case.name.startswith(modules)
        ]
        return replace(self, cases=tuple(kept))

    @property
    def is_good(self) -> bool:
        """Whether tests ran here and none failed; skipped ones are judged over all machines."""
        return not self.trouble and bool(self.cases) and not self.named(Outcome.FAILED)


def cases(junit: str) -> list[Case]:
    """Read every test of a JUnit file as pytest writes it, once each.

    Raises:
        ValueError: It is no such file.

    """
    try:
        # Our own pytest wrote it; nothing from outside is parsed here.
        root = ET.fromstring(junit)  # noqa: S314
    except ET.ParseError as error:
        raise ValueError(f"not a JUnit file: {error}") from error
    found: dict[str, Case] = {}
    for element in root.iter("testcase"):
        case = _case(element)
        if case.name not in found or found[case.name].outcome < case.outcome:
            found[case.name] = case
    return list(found.values())


def _case(element: ET.Element) -> Case:
    name = f"{element.get('classname')}::{element.get('name')}"
    is_long = element.find("properties/property[@name='long']") is not None
    found = Case(name, Outcome.PASSED, "", float(element.get("time", 0)), is_long)
    if element.find("failure") is not None or element.find("error") is not None:
        return replace(found, outcome=Outcome.FAILED)
    skipped = element.find("skipped")
    # An expected failure is written as a skip of another type, and has run.
    if skipped is not None and skipped.get("type") != "pytest.xfail":
        return replace(found, outcome=Outcome.SKIPPED, reason=skipped.get("message", ""))
    return found


def skipped_everywhere(runs: Iterable[Run]) -> dict[str, list[str]]:
    """Each test that no machine ran, with the words that it was skipped with."""
    reasons: dict[str, set[str]] = {}
    ran = set()
    for run in runs:
        for case in run.cases:
            reasons.setdefault(case.name, set()).add(case.reason)
            if case.outcome is not Outcome.SKIPPED:
                ran.add(case.name)
    return {name: sorted(reasons[name]) for name in sorted(reasons) if name not in ran}


def counts(run: Run) -> tuple[int, int, str]:
    """Count tests passed, tests failed, and those skipped by word: ``lsm 2, fentry 1``."""
    words = Counter(case.reason for case in run.cases if case.outcome is Outcome.SKIPPED)
    skipped = ", ".join(f"{word} {count}" for word, count in words.most_common())
    return len(run.named(Outcome.PASSED)), len(run.named(Outcome.FAILED)), skipped


def summary(run: Run) -> str:
    """``6.12 (6.12.117+deb12-amd64): 41 passed, 0 failed, skipped: lsm 2 (93 s)``."""
    passed, failed, skipped = counts(run)
    result = run.trouble or f"{passed} passed, {failed} failed, skipped: {skipped or 'none'}"
    return f"{run.machine} ({run.release}): {result} ({run.seconds:.0f} s)"


def complaints(runs: Sequence[Run]) -> list[str]:
    """List what keeps the whole from being good, each with what is needed to understand it."""
    found = []
    for run in runs:
        if not run.is_good:
            failed = "".join(f"\n  {name}" for name in run.named(Outcome.FAILED))
            log = "\n".join(run.log.splitlines()[-LOG_LINES:])
            found.append(f"--- {run.machine}: end of its log ---\n{log}\n{summary(run)}{failed}")
    for name, words in skipped_everywhere(runs).items():
        found.append(f"no machine ran {name}: skipped everywhere ({', '.join(words)})")
    return found


def features(doctor: str) -> dict[str, str]:
    """Read what ``agent-sensor doctor --json`` says of each feature, if it said anything."""
    try:
        said = json.loads(doctor)
    except ValueError:
        return {}
    return {str(feature["name"]): str(feature["state"]) for feature in said.get("features", ())}


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Lay out a table in Markdown; what would end a cell is escaped."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in line) + " |"
        for line in lines
    )
