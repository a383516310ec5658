# SPDX-License-Identifier: Apache-2.0
"""Mentions are summed up by tool and by what was done."""

from __future__ import annotations

from support.homes import shipped

from sensor.core.audit.commands import Mention
from sensor.core.audit.mentions import Sum
from sensor.core.audit.words import Certainty, Shows, Source

CODEX = shipped().tools[shipped().index_of("codex") - 1]


def test_a_sum_has_how_often_and_from_when_to_when() -> None:
    """Times that are not known do not count."""
    total = Sum()
    for at_ns in (None, 9, 3, 5):
        total.take([Mention(CODEX, Shows.USED)], at_ns)
    total.take([Mention(CODEX, Shows.USED, weak=True)], None)
    sure, weak = total.traces(Source.HISTORY, "/x", certainty=Certainty.LIKELY)
    assert (sure.count, sure.first_ns, sure.last_ns) == (4, 3, 9)
    assert (weak.count, weak.first_ns, weak.certainty) == (1, None, Certainty.WEAK)


def test_what_all_of_it_shows_can_be_said() -> None:
    """A unit that installs something runs something all the same."""
    total = Sum()
    total.take([Mention(CODEX, Shows.WAS_INSTALLED)], 1)
    (one,) = total.traces(
        Source.CRON, "/x", certainty=Certainty.LIKELY, shows=Shows.USED, owner="a"
    )
    assert (one.shows, one.owner) == (Shows.USED, "a")
