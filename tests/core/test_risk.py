# SPDX-License-Identifier: Apache-2.0
"""What makes a run dangerous is found in its arguments and in the names of its variables."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support.made_up import CATALOGUE

from sensor.core.event import Evidence
from sensor.core.risk import risks, words_of

TOOL = replace(
    CATALOGUE.tools[0],
    unsafe=("--yolo", "-y", "--mode yolo", "ALLOW_ALL"),
    overrides=("--base-url", "BASE_URL"),
)


@pytest.mark.parametrize(
    ("line", "variables", "found"),
    [
        ("claude -p hello", (), []),
        ("claude --yolo", (), [("unguarded", "--yolo")]),
        ("claude --yolo=true", (), [("unguarded", "--yolo")]),
        ("claude -y -p x", (), [("unguarded", "-y")]),
        ("claude --mode yolo", (), [("unguarded", "--mode yolo")]),
        ("claude --mode=yolo", (), [("unguarded", "--mode yolo")]),
        ("claude --mode plan", (), []),
        ("claude --mode", (), []),
        ("claude -- --yolo", (), []),
        ("claude yolo", (), []),
        ("--yolo", (), []),
        ("claude", ("ALLOW_ALL",), [("unguarded", "ALLOW_ALL")]),
        ("claude --base-url http://x/", (), [("redirected", "--base-url")]),
        ("claude", ("BASE_URL", "OTHER"), [("redirected", "BASE_URL")]),
        ("claude", ("https_proxy",), [("proxied", "https_proxy")]),
    ],
)
def test_a_run_is_as_dangerous_as_it_is_asked_to_be(
    line: str, variables: tuple[str, ...], found: list[tuple[str, str]]
) -> None:
    """An option, one with its value however it is given, a variable; nothing behind ``--``."""
    told = risks(TOOL, line.split(), variables)
    assert [(one.signal, one.value) for one in told] == found


def test_words_are_given_once() -> None:
    """Policy asks for the words alone."""
    assert words_of((Evidence("unguarded", "-y"), Evidence("unguarded", "-z"))) == {"unguarded"}
