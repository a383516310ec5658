# SPDX-License-Identifier: Apache-2.0
"""Packages are found by their folder, and told by their manifest and where they lie.

``tests/daemon/test_audit_states.py`` has what each manager leaves; here is what names decide.
"""

from __future__ import annotations

from typing import Any

import pytest
from support.homes import npm_index, npm_package, shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.leads import How, Seen
from sensor.core.audit.packages import Finder

FINDER = Finder(Atlas(shipped()))
NODE = "lib/node_modules"
LLM = ("Name: llm\nVersion: 0.36\n", "[console_scripts]\nllm = llm.cli:cli\n")


@pytest.mark.parametrize(
    ("folder", "name", "how"),
    [
        (NODE, "cline", How.TEXT),
        (f"{NODE}/@openai", "codex", How.TEXT),
        ("@openai", "codex", None),
        (f"{NODE}/x", "cline", None),
        (NODE, "left-pad", None),
        ("x/site-packages", "llm-0.36.dist-info", How.TEXT),
        ("x/site-packages", "llm-0.36.egg-info", How.TEXT),
        ("x/site-packages", "numpy-2.0.dist-info", None),
        ("x/site-packages", "bad.dist-info", None),
        (".vscode/extensions", "openai.chatgpt-1.2.3", How.TEXT),
        (".vscode/extensions", "ms-python.python-1.2.3", None),
        (".vscode/extensions", ".obsolete", How.TEXT),
        ("/home/linuxbrew/.linuxbrew/Caskroom", "codex", How.ENTRY),
        ("Cellar", "cowsay", None),
        ("conda-meta", "llm-0.36-py_0.json", How.ENTRY),
        ("conda-meta", "history", None),
        (".cache/uv/wheels-v5/index/abc", "llm", How.ENTRY),
        (".cache/uv/wheels-v5/pypi", "numpy", None),
        (".cache/pip/http/a/b", "abcdef", How.TAIL),
        (".cache/pip/wheels/a", "numpy-1.0-py3-none-any.whl", None),
        (".cache/yarn/v6", "npm-cline-3.0-x", How.ENTRY),
        (".cache/yarn/v6", "npm-left-pad-1.0", None),
        (".bun/install/cache", "cline@3.0@@@1", How.ENTRY),
        (".bun/install/cache/@openai", "codex@0.1@@@1", How.ENTRY),
        (".npm/_logs", "x.log", How.LINES),
        (".local/pipx/logs", "x.log", How.LINES),
        (".npm/_cacache/index-v5/aa/bb", "cc", How.LINES),
        ("src", "main.c", None),
    ],
)
def test_a_name_in_its_folder_is_a_lead(folder: str, name: str, how: How | None) -> None:
    """And the same name elsewhere is none."""
    lead = FINDER.lead(folder, name)
    assert (lead.how if lead else None) is how


@pytest.mark.parametrize("text", ["", "{}", npm_package("other"), None])
def test_a_manifest_that_is_another_tells_nothing(text: str | None) -> None:
    """The folder's name is not enough."""
    lead = FINDER.lead(NODE, "cline")
    assert lead
    texts = () if text is None else (text,)
    assert not list(lead.tell(Seen(path=f"/{NODE}/cline", mtime_ns=1, texts=texts)))


def test_a_distribution_that_is_another_tells_nothing() -> None:
    """Nor is the name of a dist-info folder; one that lies anywhere is a hint."""
    lead = FINDER.lead("x", "llm-0.36.dist-info")
    assert lead
    seen = Seen(path="/x/llm-0.36.dist-info", mtime_ns=1)
    assert not list(lead.tell(seen))
    good = Seen(
        path="/x/llm-0.36.dist-info",
        mtime_ns=1,
        texts=("Name: llm\nVersion: 0.36\n", "[console_scripts]\nllm = llm.cli:cli\n"),
    )
    (one,) = lead.tell(good)
    assert one.shows.value == "hint"


WHEEL = b"..llm-0.36.dist-info/METADATA.."
LOG = ('7 verbose argv "i" "-g" "codebuff"',)


@pytest.mark.parametrize(
    ("folder", "name", "seen", "told"),
    [
        (NODE, "cline", {"texts": (npm_package("cline", bin={"cline": "x"}),)},
         [("cline", "npm", "installed", "1.2.3")]),
        (NODE, "cline", {"texts": (npm_package("cline", bin={"x": "x"}),)},
         [("cline", "npm", "hint", "1.2.3")]),
        (".npm/_npx/1/node_modules/@openai", "codex", {"texts": (npm_package("@openai/codex"),)},
         [("codex", "npx", "run without installing", "1.2.3")]),
        ("Cellar", "codex", {}, [("codex", "brew", "installed", None)]),
        ("conda-meta", "llm-0.36-py_0.json", {}, [("llm", "conda", "installed", "0.36")]),
        (".cache/pip/wheels/a", "llm-0.36-py3-none-any.whl", {},
         [("llm", "pip-cache", "downloaded", "0.36")]),
        (".cache/pip/http-v2/a", "x", {"tail": WHEEL},
         [("llm", "pip-cache", "downloaded", "0.36")]),
        (".vscode/extensions", "openai.chatgpt-1.2.3",
         {"texts": ('{"publisher": "OpenAI", "name": "chatgpt"}',)},
         [("codex", "extension", "installed", "1.2.3")]),
        (".vscode/extensions", "openai.chatgpt-1.2.3", {"texts": ("{}",)}, []),
        (".vscode/extensions", ".obsolete",
         {"texts": ('{"openai.chatgpt-1.2.3": true, "x": true, "a.b-1.0.0": true}',)},
         [("codex", "extension", "removed", None)]),
        (".npm/_logs", "x.log", {"lines": LOG}, [("codebuff", "npm-log", "was installed", None)]),
        (".npm/_cacache/index-v5/a/b", "c", {"lines": npm_index("cline", "3.0").splitlines()},
         [("cline", "npm-cache", "downloaded", "3.0")]),
        (".npm/_cacache/index-v5/a/b", "c", {"lines": npm_index("other", "3.0").splitlines()}, []),
        ("pipx/venvs/llm/site-packages", "llm-0.36.dist-info", {"texts": LLM},
         [("llm", "pipx", "installed", "0.36")]),
        (".cache/uv/archive-v0/ab", "llm-0.36.dist-info", {"texts": LLM},
         [("llm", "uv-cache", "downloaded", "0.36")]),
    ],
)  # fmt: skip
def test_a_lead_tells_by_where_it_lies(
    folder: str, name: str, seen: dict[str, Any], told: list[tuple[str, str, str, str | None]]
) -> None:
    """Which tool, how it is known, what that shows, and the version."""
    lead = FINDER.lead(folder, name)
    assert lead
    traces = lead.tell(Seen(path=f"/home/a/{folder}/{name}", mtime_ns=1, **seen))
    assert [
        (one.tool, one.source.value, one.shows.value, one.version) for one in traces
    ] == told  # fmt: skip


def test_an_extension_without_a_manifest_tells_nothing() -> None:
    """Neither does an index of pip that holds no wheel."""
    lead = FINDER.lead("extensions", "openai.chatgpt-1.2.3")
    assert lead
    assert not list(lead.tell(Seen(path="/x", mtime_ns=1)))
    lead = FINDER.lead(".cache/pip/http/a", "x")
    assert lead
    assert not list(lead.tell(Seen(path="/x", mtime_ns=1, tail=b"HTTP")))
