# SPDX-License-Identifier: Apache-2.0
"""A measure has the first and the last time, and counts session logs apart."""

from __future__ import annotations

from sensor.core.audit.leads import Measure


def test_files_are_counted_with_their_times() -> None:
    """In any order."""
    measure = Measure()
    assert (measure.files, measure.first_ns, measure.last_ns) == (0, None, None)
    for at_ns, is_session in ((5, True), (3, False), (9, True)):
        measure.add(at_ns, is_session=is_session)
    assert (measure.files, measure.sessions) == (3, 2)
    assert (measure.first_ns, measure.last_ns) == (3, 9)
