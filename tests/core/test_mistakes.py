# SPDX-License-Identifier: Apache-2.0
"""A reading goes on after a mistake, and tells all of them."""

from __future__ import annotations

import pytest

from sensor.core.mistakes import Mistakes, guess, refuse
from sensor.errors import BadInputError, ExitCode, MistakesError


def bad(*whys: str) -> str:
    """Find mistakes."""
    refuse(whys)
    return "read"


def test_what_is_well_is_read() -> None:
    """Nothing is refused then."""
    mistakes = Mistakes()
    assert mistakes.read("otherwise", bad) == "read"
    mistakes.refuse()


def test_one_mistake_is_said_as_it_is() -> None:
    """Whoever read goes on with another value; twice the same is one."""
    mistakes = Mistakes()
    assert mistakes.read("otherwise", bad, "a; b") == "otherwise"
    assert mistakes.read(None, bad, "a; b") is None
    with pytest.raises(BadInputError, match=r"^a; b$") as caught:
        mistakes.refuse()
    assert not isinstance(caught.value, MistakesError)


def test_several_mistakes_are_told_in_their_order() -> None:
    """Those of a part among those of the whole; one line has the first and how many follow."""
    mistakes = Mistakes()
    for whys in (("a",), ("b", "c"), ("d",)):
        mistakes.read(None, bad, *whys)
    with pytest.raises(MistakesError) as caught:
        mistakes.refuse()
    assert caught.value.mistakes == ["a", "b", "c", "d"]
    assert str(caught.value) == "a (and 3 more)"
    assert caught.value.exit_code is ExitCode.BAD_INPUT


@pytest.mark.parametrize(
    ("word", "before", "said"),
    [
        ("claud-code", "", "did you mean 'claude-code'? Otherwise write one"),
        ("Codex", "", "did you mean 'codex'? Otherwise write one"),
        ("codx", "vendor:", "did you mean 'vendor:codex'? Otherwise write one"),
        ("something-else", "", "write one"),
        ("", "", "write one"),
    ],
)
def test_the_nearest_word_is_offered(word: str, before: str, said: str) -> None:
    """Where one is near; the remedy stands behind it."""
    assert guess(word, ("codex", "claude-code"), "write one", before=before) == said
