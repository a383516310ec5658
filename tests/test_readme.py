# SPDX-License-Identifier: Apache-2.0
"""What the README shows works as it stands there."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

from sensor.core.policy.text import parse
from sensor.daemon.catalogues import shipped

README = Path(__file__).parent.parent / "README.md"


def test_the_policy_of_the_readme_is_one() -> None:
    """With the catalogue that comes with the sensor."""
    text = README.read_text("utf-8")
    start = text.index("    version = 1\n    mode =")
    policy = parse(
        dedent(text[start : text.index("    sudo install", start)]),
        where="README.md",
        catalogue=shipped(),
    )
    assert [rule.id for rule in policy.rules] == [
        "no-external-agents",
        "approved-stays-inside",
        "no-vendor-traffic",
    ]
