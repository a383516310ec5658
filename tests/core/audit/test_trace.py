# SPDX-License-Identifier: Apache-2.0
"""Only what looks like a version gets into a trace."""

from __future__ import annotations

import pytest
from support.homes import SECRET

from sensor.core.audit.trace import version_of


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
