# SPDX-License-Identifier: Apache-2.0
"""Exit codes are a contract with scripts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor import errors
from sensor.errors import BadWordError, ExitCode, MistakesError, SensorError

README = Path(__file__).parent.parent / "README.md"
ERRORS = [each for each in vars(errors).values() if isinstance(each, type) and each is not ExitCode]


def test_the_readme_has_every_exit_code() -> None:
    """One table, one enum."""
    rows = re.findall(r"^\| `?(\d+)`? \|", README.read_text("utf-8"), re.MULTILINE)
    assert [int(row) for row in rows] == [code.value for code in ExitCode]


@pytest.mark.parametrize("error", [each for each in ERRORS if issubclass(each, SensorError)])
def test_every_error_has_a_code_and_keeps_its_sentence(error: type[SensorError]) -> None:
    """An error is never a success."""
    assert error.exit_code in set(ExitCode) - {ExitCode.OK}
    if error not in {BadWordError, MistakesError}:
        assert str(error("what, where, what to do")) == "what, where, what to do"


def test_a_bad_word_is_why_and_what_to_write() -> None:
    """Whoever reads it adds the place."""
    error = BadWordError("it names nothing", "name something")
    assert str(error) == "it names nothing; name something"
    assert (error.why, error.remedy) == ("it names nothing", "name something")


def test_several_mistakes_are_the_first_and_how_many_more() -> None:
    """For a log, which has one line for them."""
    error = MistakesError(["one", "two", "three"])
    assert str(error) == "one (and 2 more)"
    assert error.mistakes == ["one", "two", "three"]


def test_success_is_zero_and_wrong_usage_two() -> None:
    """As shells and click have it."""
    assert (ExitCode.OK, ExitCode.FAILED, ExitCode.USAGE) == (0, 1, 2)
