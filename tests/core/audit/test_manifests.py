# SPDX-License-Identifier: Apache-2.0
"""A manifest says who it is; what is none says nothing, and never raises."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sensor.core.audit import manifests
from sensor.core.audit.manifests import Package


@pytest.mark.parametrize(
    ("text", "package"),
    [
        ('{"name": "cline", "version": "3.0", "bin": {"cline": "x"}}',
         Package("cline", "3.0", frozenset({"cline"}))),
        ('{"name": "@a/b", "bin": "x.js"}', Package("@a/b", None, frozenset({"b"}))),
        ('{"name": "a", "version": {"x": 1}, "bin": ["x"]}', Package("a", None)),
        ('{"name": 1}', None), ("[]", None), ("{", None), ("[" * 100_000, None),
    ],
)  # fmt: skip
def test_npms_is_json(text: str, package: Package | None) -> None:
    """A program without a name has the package's own."""
    assert manifests.npm(text) == package


def test_pythons_is_a_mail_with_a_table_beside() -> None:
    """What follows the head is a description, and other entry points are no commands."""
    metadata = "Metadata-Version: 2.1\nName: Aider.Chat\nVersion: 0.86.2\n\nName: other\n"
    entries = "[gui_scripts]\nx = a:b\n[console_scripts]\naider = aider.main:main\n\n[y]\nz = a:b\n"
    assert manifests.distribution(metadata, entries) == Package(
        "aider-chat", "0.86.2", frozenset({"aider"})
    )
    assert manifests.distribution("Version: 1\n", "") is None


@pytest.mark.parametrize(
    ("read", "name", "package"),
    [
        (manifests.dist_folder, "aider_chat-0.86.2.dist-info", Package("aider-chat", "0.86.2")),
        (manifests.dist_folder, "a.b-1.0.egg-info", Package("a-b", "1.0")),
        (manifests.dist_folder, "x.dist-info", None),
        (manifests.wheel, "mini_swe_agent-1.0-py3-none-any", Package("mini-swe-agent", "1.0")),
        (manifests.wheel, "nothing", None),
        (manifests.conda, "aider-chat-0.86.2-py311_0.json", Package("aider-chat", "0.86.2")),
        (manifests.conda, "history", None),
        (manifests.extension, "Anthropic.claude-code-2.1.9-linux-x64",
         Package("anthropic.claude-code", "2.1.9")),
        (manifests.extension, "extensions.json", None),
    ],
)  # fmt: skip
def test_some_names_say_all(read: object, name: str, package: Package | None) -> None:
    """Where a package manager makes them of name and version."""
    assert callable(read)
    assert read(name) == package


def test_a_wheel_is_known_by_its_last_bytes() -> None:
    """That is where a zip lists its members."""
    tail = b"\x00x/y.pyPK\x01\x02llm-0.36.dist-info/METADATAPK"
    assert manifests.wheel_members(tail) == Package("llm", "0.36")
    assert manifests.wheel_members(b"PK") is None


@settings(deadline=None)  # a busy machine fails no test
@given(st.text(max_size=80))
def test_no_text_breaks_a_reader(text: str) -> None:
    """Whoever owns a home writes what he likes."""
    for read in (manifests.npm, manifests.dist_folder, manifests.wheel, manifests.conda,
                 manifests.extension):  # fmt: skip
        read(text)
    manifests.distribution(text, text)
    manifests.wheel_members(text.encode())
