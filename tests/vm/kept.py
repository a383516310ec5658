# SPDX-License-Identifier: Apache-2.0
"""What a machine's runs have left: results that add up as long as what was tested is the same.

In the machine's folder, ``journal.jsonl`` has a line a test (``vm.journal``), and
``about.json`` what it is about. A test's result counts as long as its own file, and
all that every test depends on, is what it was.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from vm.report import Case, Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

JOURNAL, ABOUT = "journal.jsonl", "about.json"
# Beside the test's own file.
SHARED = ("pyproject.toml", "probes/*", "sensor/**/*", "tests/**/conftest.py", "tests/support/**/*")
MORE_SHARED = "tests/kernel/*.c"
COMPILED = ".pyc"


@dataclass(slots=True)
class About:
    """Whose results these are: of which kernel, of which files, and whether all were through."""

    release: str = ""
    files: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    through: list[str] = field(default_factory=list)


def digests(checkout: Path, tests: Iterable[str]) -> dict[str, str]:
    """Sum each file of tests up, together with all that every test depends on."""
    shared = hashlib.blake2b(digest_size=16)
    for pattern in (*SHARED, MORE_SHARED):
        for path in sorted(checkout.glob(pattern)):
            if path.is_file() and path.suffix != COMPILED:
                shared.update(str(path.relative_to(checkout)).encode() + b"\0" + path.read_bytes())
    found = {}
    for name in tests:
        own = shared.copy()
        own.update((checkout / name).read_bytes())
        found[name] = own.hexdigest()
    return found


class Kept:
    """The folder of a machine's results."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about = About()

    def prepare(self, release: str, files: dict[str, str], *, goes_on: bool) -> None:
        """Keep what still counts if the run ``goes_on``; else empty the folder."""
        lines = self._still_true(release, files) if goes_on else []
        if not lines:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder.mkdir(parents=True)
            self.about = About(release)
        if self.about.files != files:
            self.about.files, self.about.through = files, []
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        (self.folder / JOURNAL).write_text(text, "utf-8")
        self._save()

    def add(self, seconds: float, through: str) -> None:
        """Note that a run took so long, and what it was through with, unless a test failed."""
        self.about.seconds += seconds
        if through and not any(case.outcome is Outcome.FAILED for case in self.cases()):
            self.about.through.append(through)
        self._save()

    def cases(self) -> list[Case]:
        """Give each test once, with its last result."""
        found = {}
        for line in self._lines():
            outcome = Outcome[line["outcome"].upper()]
            case = Case(line["name"], outcome, line["reason"], line["seconds"], line["long"])
            found[case.name] = case
        return list(found.values())

    def _still_true(self, release: str, files: dict[str, str]) -> list[dict[str, Any]]:
        """Give the lines of tests that are what they were, on a kernel that is."""
        try:
            self.about = About(**json.loads((self.folder / ABOUT).read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return []
        if self.about.release != release:
            return []
        same = {
            name.removesuffix(".py").replace("/", ".")
            for name, digest in files.items()
            if self.about.files.get(name) == digest
        }
        return [line for line in self._lines() if line["name"].partition("::")[0] in same]

    def _lines(self) -> list[dict[str, Any]]:
        """Read the journal; a last line that was cut short is none."""
        try:
            text = (self.folder / JOURNAL).read_text("utf-8")
        except OSError:
            return []
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def _save(self) -> None:
        (self.folder / ABOUT).write_text(json.dumps(asdict(self.about)), "utf-8")
