# SPDX-License-Identifier: Apache-2.0
"""Only what looks like a version gets into a trace."""

from __future__ import annotations

import pytest
from support.homes import SECRET
from support.story import CATALOGUE

from sensor.core.audit.leads import Seen
from sensor.core.audit.trace import traced, version_of
from sensor.core.audit.words import Certainty, Shows, Source


@pytest.mark.parametrize("text", ["2.1.330", "1", "v3.0", "0.86.2.dev3+g12ab", "1.0~rc1-2"])
def test_a_version_is_one(text: str) -> None:
    """As npm, PyPI and distributions write them."""
    assert version_of(text) == text


@pytest.mark.parametrize(
    "text", [SECRET, "", "latest", "1.0 and more", "1" * 99, "\x1b[1m", None, 1]
)
def test_all_else_is_none(text: object) -> None:
    """Whoever writes a manifest cannot put a text of his own into a report."""
    assert version_of(text) is None


@pytest.mark.parametrize("shows", [Shows.RUN_ONCE, Shows.HINT])
def test_a_trace_is_dated_by_what_was_seen(shows: Shows) -> None:
    """A run was at the last change; of what merely lies there, nobody knows when it was used."""
    tool, seen = CATALOGUE.tools[0], Seen(path="x", mtime_ns=7)
    found = traced(seen, tool, Source.REPOSITORY, shows, Certainty.WEAK, "1")
    assert (found.tool, found.path, found.version, found.first_ns) == (tool.id, "x", "1", 7)
    assert found.last_ns == (7 if shows is Shows.RUN_ONCE else None)
