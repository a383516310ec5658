# SPDX-License-Identifier: Apache-2.0
"""The tables of rights agree with each other, and with what people read."""

from __future__ import annotations

from pathlib import Path

from sensor.core.rights import DEPUTY, RUNNING, STARTING, Capability

DOCUMENT = Path(__file__).resolve().parents[2] / "docs/threat-model.md"


def test_a_capability_has_the_name_that_manuals_give_it() -> None:
    """The unit and the messages write it like capabilities(7)."""
    assert str(Capability.SYS_PTRACE) == "CAP_SYS_PTRACE"


def test_nothing_is_kept_that_was_not_there_at_the_start() -> None:
    """Each has its reason, and the same one at both times."""
    assert RUNNING.items() <= STARTING.items()
    assert set(STARTING) == set(Capability)
    assert set(DEPUTY) <= set(STARTING)


def test_the_threat_model_says_which_and_why() -> None:
    """A right that is added without a word to its readers is caught here."""
    text = DOCUMENT.read_text("utf-8")
    for capability, why in STARTING.items():
        when = "always" if capability in RUNNING else "until it runs"
        assert f"| {capability} | {when} | {why} |" in text
    for capability, why in DEPUTY.items():
        assert f"| {capability} | always | {why} |" in text
