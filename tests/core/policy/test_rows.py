# SPDX-License-Identifier: Apache-2.0
"""Rows of the kernel's tables. Their numbers are compared in tests/wire/test_rulings.py."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sensor.core.policy.rows import RULE_CANARY, Entry, EntryFlag, TableVerdict
from sensor.core.words import Verdict

PLAIN = Entry(rule=1, verdict=TableVerdict.BLOCK, order=4)


@pytest.mark.parametrize("verdict", Verdict)
def test_verdicts_have_numbers(verdict: Verdict) -> None:
    """Each is the verdict it came from."""
    assert TableVerdict.of(verdict).word is verdict


@pytest.mark.parametrize("verdict", [TableVerdict.NONE, TableVerdict.SKIP])
def test_some_numbers_are_no_verdict(verdict: TableVerdict) -> None:
    """They are never told."""
    assert verdict.word is None


@pytest.mark.parametrize(
    ("entry", "is_final"),
    [
        (PLAIN, True),
        (replace(PLAIN, flags=EntryFlag.CONFINES), True),
        (replace(PLAIN, flags=EntryFlag.TRUSTED), False),
        (replace(PLAIN, conditions=1), False),
        (replace(PLAIN, end_ns=1), False),
        (replace(PLAIN, port=443), False),
        (replace(PLAIN, rule=RULE_CANARY), False),
    ],
)
def test_what_always_holds_is_the_end_of_a_list(entry: Entry, *, is_final: bool) -> None:
    """Whatever might not hold lets the next one have its say."""
    assert entry.is_final is is_final
