# SPDX-License-Identifier: Apache-2.0
"""Rows: what counts as expected, and what CI is told."""

from __future__ import annotations

import pytest

from sensor.core.proof.technique import Result, Row, exit_code
from sensor.errors import ExitCode


def row(expected: Result, result: Result) -> Row:
    """Give a row."""
    return Row("one", expected, result, "why")


@pytest.mark.parametrize(
    ("expected", "result", "is_expected"),
    [
        (Result.REFUSED, Result.REFUSED, True),
        (Result.REFUSED, Result.DETECTED, False),
        (Result.REFUSED, Result.MISSED, False),
        (Result.REFUSED, Result.FAILED, False),
        (Result.REFUSED, Result.IMPOSSIBLE, True),
        (Result.DETECTED, Result.REFUSED, False),
        (Result.MISSED, Result.MISSED, True),
        (Result.MISSED, Result.REFUSED, False),
        (Result.NOTHING, Result.NOTHING, True),
    ],
)
def test_a_row_is_as_expected(expected: Result, result: Result, *, is_expected: bool) -> None:
    """In shadow a refusal is as wrong as a miss; what cannot be tried proves nothing."""
    assert row(expected, result).is_as_expected is is_expected


def test_a_row_has_four_names() -> None:
    """As `--json` has them."""
    assert row(Result.REFUSED, Result.IMPOSSIBLE).as_dict() == {
        "technique": "one",
        "expected": "refused",
        "result": "not possible on this kernel",
        "detail": "why",
    }


def test_the_exit_code_is_for_ci() -> None:
    """Nothing proved is no success."""
    good, idle = row(Result.REFUSED, Result.REFUSED), row(Result.NOTHING, Result.NOTHING)
    bad = row(Result.REFUSED, Result.MISSED)
    assert exit_code([good, idle]) is ExitCode.OK
    assert exit_code([good, bad]) is ExitCode.DEGRADED
    assert exit_code([idle]) is ExitCode.DEGRADED
