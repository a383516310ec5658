# SPDX-License-Identifier: Apache-2.0
"""What runs builds and tests is known among those who started a process."""

from __future__ import annotations

import pytest
from support.story import exec_

from sensor.core.runners import RUNNERS, runner
from sensor.core.tools import InterpreterKind

KINDS = {
    "python3.11": InterpreterKind.PYTHON,
    "node": InterpreterKind.SCRIPT,
    "ld.so": InterpreterKind.LOADER,
}


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        ([], None),
        (["/bin/bash -l"], None),
        (["/usr/bin/make all"], "make"),
        (["/bin/sh -c x", "/usr/bin/make all"], "make"),
        (["/usr/bin/python3.11 -m pytest tests"], "pytest"),
        (["/usr/bin/python3.11 -m pytest.__main__"], "pytest"),
        (["/usr/bin/python3.11 /venv/bin/pytest"], "pytest"),
        (["/usr/bin/python3.11 -m http.server"], None),
        (["/usr/bin/node /x/node_modules/.bin/jest"], "jest"),
        (["/lib/ld.so /usr/bin/ninja"], "ninja"),
        (["/usr/bin/vim make"], None),
    ],
)
def test_the_nearest_runner_is_named(lines: list[str], found: str | None) -> None:
    """By its program, by the script or the module that it is; arguments mean nothing."""
    images = [exec_(9, *line.split(), exe=line.split()[0]) for line in lines]
    told = runner(images, KINDS)
    assert (told.value if told else None) == found


def test_shells_and_installers_are_no_runners() -> None:
    """People type at them, and npx starts tools."""
    assert not RUNNERS & {"bash", "sh", "npm", "npx", "node", "python", "ssh", "tmux"}
