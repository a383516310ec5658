# SPDX-License-Identifier: Apache-2.0
"""Numbers in the kernel's rulings are rules by the policy that was in force then."""

from __future__ import annotations

import pytest
from support.story import enforced, ruling

from sensor.core.facts import RULE_CANARY, RULE_DEFAULT, RULE_FULL, RULE_QUIC
from sensor.core.former import noted
from sensor.core.judgment import (
    GENERATIONS,
    LEFT_ALONE,
    RAN_ALREADY,
    SAYS_KILL,
    WAS_OVER,
    Judgment,
    Rulebook,
    is_canary,
    parted,
    too_late,
)
from sensor.core.words import Enforcement, Verdict

RULE = '[[rule]]\nid = "{}"\ntools = ["*"]\nverdict = "block"\nmessage = "Ask first."\n'


@pytest.fixture
def book() -> Rulebook:
    """Return a book that has the policy of generation 1 with the rule ``first``."""
    book = Rulebook()
    book.enter(enforced(f'mode = "enforce"\n{RULE.format("first")}'))
    return book


def test_a_ruling_is_told_with_its_rule_and_what_that_says(book: Rulebook) -> None:
    """How it was carried out is the kernel's word."""
    assert book.said(ruling(Verdict.BLOCK, Enforcement.LSM)) == Judgment(
        verdict=Verdict.BLOCK, rule="first", enforcement=Enforcement.LSM, reason="Ask first."
    )


def test_what_is_allowed_needs_no_reason(book: Rulebook) -> None:
    """A rule's message is for whoever is refused."""
    assert book.said(ruling(Verdict.ALLOW)) == Judgment(verdict=Verdict.ALLOW, rule="first")


def test_where_the_kernel_said_nothing_there_is_no_judgment(book: Rulebook) -> None:
    """Neither without a policy nor where nothing in it is about the attempt."""
    assert book.said(None) is None
    assert book.said(ruling(None)) is None


@pytest.mark.parametrize(
    ("number", "rule"),
    [(RULE_DEFAULT, "default"), (RULE_QUIC, "quic"), (RULE_FULL, "full"), (RULE_CANARY, "canary")],
)
def test_what_is_no_rule_of_the_text_has_a_word_all_the_same(number: int, rule: str) -> None:
    """Also where its policy is not known any more."""
    said = Rulebook().said(ruling(rule=number, policy=9))
    assert said
    assert said.rule == rule


def test_the_policy_before_is_still_known(book: Rulebook) -> None:
    """Records that it judged may come after the new one is in force."""
    book.enter(enforced(RULE.format("second"), generation=2))
    rules = [book.said(ruling(policy=policy)) for policy in (1, 2)]
    assert [said and said.rule for said in rules] == ["first", "second"]


def test_the_policy_of_a_run_before_is_known_by_what_it_noted(book: Rulebook) -> None:
    """It is not in force here."""
    before = enforced(RULE.format("earlier"), generation=7, domains={5: "x.test"})
    book.remember(noted(before, 1))
    said = book.said(ruling(policy=7))
    assert said
    assert (said.rule, said.reason) == ("earlier", "Ask first.")
    assert book.domain(ruling(policy=7), 5) == "x.test"
    assert book.in_force
    assert book.in_force.generation == 1


def test_older_ones_are_forgotten_and_this_is_said(book: Rulebook) -> None:
    """The book does not grow with every reload."""
    for generation in range(2, 2 + GENERATIONS):
        book.enter(enforced(RULE.format("later"), generation=generation))
    said = book.said(ruling())
    assert said
    assert (said.rule, said.reason) == (
        None, "policy 1 said so, which is not known any more",
    )  # fmt: skip


def test_a_number_of_no_rule_is_told_as_that(book: Rulebook) -> None:
    """Rather than another rule's name."""
    said = book.said(ruling(rule=5))
    assert said
    assert (said.rule, said.reason) == (None, "policy 1 has no rule of number 5")


def test_a_policy_that_was_removed_is_not_in_force_and_still_known(book: Rulebook) -> None:
    """What it refused last may be told yet."""
    book.enter(None)
    assert book.in_force is None
    said = book.said(ruling())
    assert said
    assert said.rule == "first"


def test_a_hash_is_the_name_of_its_policy() -> None:
    """A name of another policy may have the same number of no meaning."""
    book = Rulebook()
    book.enter(enforced("", domains={77: "a.test"}))
    assert book.domain(ruling(), 77) == "a.test"
    assert book.domain(ruling(), 78) is None
    assert book.domain(ruling(policy=2), 77) is None
    assert book.domain(None, 77) is None


@pytest.mark.parametrize(
    ("verdict", "how", "refused"),
    [
        (Verdict.BLOCK, Enforcement.KILL, True),
        (Verdict.BLOCK, Enforcement.NONE, False),
        (Verdict.WOULD_BLOCK, Enforcement.NONE, False),
    ],
)
def test_only_what_was_carried_out_is_refused(
    verdict: Verdict, how: Enforcement, *, refused: bool
) -> None:
    """A verdict that could not be carried out is none of a refusal."""
    assert Judgment(verdict=verdict, enforcement=how).is_refused is refused


def test_the_sensor_s_own_proof_is_known_by_its_number() -> None:
    """It is refused like anybody, and is no event."""
    assert is_canary(ruling(rule=RULE_CANARY))
    assert not is_canary(ruling())
    assert not is_canary(None)


@pytest.mark.parametrize(
    ("reason", "told"), [(None, WAS_OVER), ("Ask first.", f"Ask first.; {WAS_OVER}")]
)
def test_what_comes_too_late_is_not_said_to_be_done(reason: str | None, told: str) -> None:
    """Verdict and rule stay, and what the rule says to people."""
    said = Judgment(verdict=Verdict.BLOCK, rule="no", enforcement=Enforcement.KILL, reason=reason)
    late = too_late(said)
    assert late == Judgment(verdict=Verdict.BLOCK, rule="no", reason=told)
    assert not late.is_refused


@pytest.mark.parametrize(
    ("rule", "reason", "message", "why"),
    [
        ("r", None, None, None),
        ("r", "Ask first.", "Ask first.", None),
        ("r", f"Ask; wait; {WAS_OVER}", "Ask; wait", WAS_OVER),
        ("r", WAS_OVER, None, WAS_OVER),
        ("r", RAN_ALREADY, None, RAN_ALREADY),
        ("r", f"event 7{SAYS_KILL}it had ended", None, f"event 7{SAYS_KILL}it had ended"),
        ("default", LEFT_ALONE, None, LEFT_ALONE),
        ("quic", "names are judged", None, "names are judged"),
        (None, "policy 7 said so", None, "policy 7 said so"),
    ],
)
def test_what_a_rule_says_is_told_from_what_the_sensor_adds(
    rule: str | None, reason: str | None, message: str | None, why: str | None
) -> None:
    """Only the former is an owner's, who may be asked about it."""
    assert parted(rule, reason) == (message, why)
