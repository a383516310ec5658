# SPDX-License-Identifier: Apache-2.0
"""What the probes write into records is read as what it means."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from support.structs import checked

from sensor.core import facts
from sensor.core.facts import Ruled
from sensor.core.words import Enforcement, Verdict
from sensor.errors import DamagedRecordError
from sensor.wire import values

if TYPE_CHECKING:
    from pathlib import Path


def test_an_address_that_maps_ipv4_is_ipv4() -> None:
    """Both families come in one form."""
    raw = bytes.fromhex("00000000000000000000ffffc0000201")
    assert values.address(raw) == IPv4Address("192.0.2.1")


@pytest.mark.parametrize(("cut", "front"), [(False, "/"), (True, "…/")])
def test_a_path_is_turned_round(*, cut: bool, front: str) -> None:
    """The kernel walks from the leaf to the root."""
    assert values.path(b"leaf\0opt\0", cut=cut) == f"{front}opt/leaf".encode()


def test_a_terminal_is_named_as_below_dev() -> None:
    """No terminal has no name."""
    assert [values.terminal(one) for one in ("pts3", "tty1", "")] == ["pts/3", "tty1", None]


def test_without_a_policy_there_is_no_ruling() -> None:
    """Generation 0 is none."""
    assert values.ruled(0, 5, 4, 1) is None
    assert values.ruled(3, 5, 0, 0) == Ruled(3, 5, None, Enforcement.NONE)


@pytest.mark.parametrize(("verdict", "enforcement"), [(5, 0), (0, 6), (255, 255)])
def test_a_word_that_the_probes_do_not_have_is_damage(verdict: int, enforcement: int) -> None:
    """The error names both."""
    with pytest.raises(DamagedRecordError, match=f"verdict {verdict}, enforcement {enforcement}"):
        values.ruled(1, 0, verdict, enforcement)


VERDICTS = {
    None: "NONE",
    Verdict.ALLOW: "ALLOW",
    Verdict.ALERT: "ALERT",
    Verdict.WOULD_BLOCK: "WOULD_BLOCK",
    Verdict.BLOCK: "BLOCK",
}
ENFORCEMENTS = {
    Enforcement.NONE: "NOT",
    Enforcement.LSM: "LSM",
    Enforcement.KILL: "KILL",
    Enforcement.CGROUP: "CGROUP",
    Enforcement.TLS: "TLS",
    Enforcement.PROXY: "PROXY",
}


def test_the_words_are_those_of_the_header(tmp_path: Path) -> None:
    """Each number of the probes is the word of its name."""
    claims = [
        f"VERDICT_{VERDICTS[word]} == {number}" for number, word in enumerate(values.VERDICTS)
    ]
    claims += [
        f"ENFORCED_{ENFORCEMENTS[word]} == {number}"
        for number, word in enumerate(values.ENFORCEMENTS)
    ]
    checked("events.h", " && ".join(claims), tmp_path)


def test_the_rules_of_no_text_have_the_header_s_numbers(tmp_path: Path) -> None:
    """They stand in the place of a rule's index."""
    names = ("RULE_DEFAULT", "RULE_QUIC", "RULE_CANARY", "RULE_FULL")
    claims = [f"{name} == {getattr(facts, name)}" for name in names]
    checked("events.h", " && ".join(claims), tmp_path)


def test_a_chain_ends_at_the_first_empty_place() -> None:
    """The kernel fills it from the outermost on."""
    assert values.chain((5, 3, 0, 0)) == (5, 3)
