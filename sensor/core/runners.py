# SPDX-License-Identifier: Apache-2.0
"""Runners: what runs builds and tests. A client that one of them started is a library at work.

An AI service that a test suite asks is reached by no tool that somebody types at,
and people want to tell the two apart.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from sensor.core.event import Evidence
from sensor.core.invocation import invocation
from sensor.core.weights import Sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sensor.core.facts import Exec
    from sensor.core.tools import InterpreterKind

_TESTS = (
    "pytest", "py.test", "tox", "nox", "unittest", "jest", "vitest", "mocha", "ava", "karma",
    "phpunit", "rspec", "ctest", "gotestsum", "bats",
)  # fmt: skip
_BUILDS = (
    "make", "gmake", "ninja", "cmake", "meson", "scons", "bazel", "bazelisk", "buck2", "gradle",
    "gradlew", "mvn", "mvnw", "ant", "sbt", "cargo", "go", "rake", "dpkg-buildpackage", "debuild",
    "rpmbuild", "makepkg", "buildah", "buildkitd",
)  # fmt: skip
RUNNERS = frozenset((*_TESTS, *_BUILDS))
"""Names of programs, scripts and modules, as each is installed by its own project."""


def runner(ancestors: Sequence[Exec], kinds: Mapping[str, InterpreterKind]) -> Evidence | None:
    """Give the nearest runner among those that started a process, None where there is none."""
    names = (name for image in ancestors for name in _names(image, kinds))
    return next((Evidence(Sign.RUNNER.value, name) for name in names if name in RUNNERS), None)


def _names(image: Exec, kinds: Mapping[str, InterpreterKind]) -> Iterator[str]:
    asked = invocation(image, kinds)
    for path in (image.exe, asked.script, asked.program):
        if path:
            yield posixpath.basename(path)
    if asked.module:
        yield asked.module.partition(".")[0]
