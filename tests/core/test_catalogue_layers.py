# SPDX-License-Identifier: Apache-2.0
"""What an owner adds is read like what is shipped, but for what it may leave out."""

from __future__ import annotations

import pytest

from sensor.core.catalogue import parse
from sensor.errors import BadInputError


def test_a_layer_may_add_to_a_tool_without_a_mark() -> None:
    """And say that it stands for itself."""
    text = (
        'version = 1\n[[tool]]\nid = "t"\nname = "T"\nvendor = "v"\ncategory = "client"\n'
        'replaces = true\n[[tool.facts]]\nsource = "ran 1"\nunsafe = ["--x", "--m y", "X_Y"]\n'
        'overrides = ["-u"]\nsettings = ["X"]\n'
    )
    with pytest.raises(BadInputError, match="hold no mark"):
        parse(text, where="x.toml")
    found = parse(text, where="x.toml", is_layer=True)
    (tool,) = found.tools
    assert (tool.unsafe, tool.overrides, tool.settings) == (
        ("--x", "--m y", "X_Y"),
        ("-u",),
        ("X",),
    )
    assert {(one.key, one.value, one.source) for one in tool.sourced} >= {
        ("unsafe", "--x", "ran 1")
    }
    assert found.replacing == {"t"}
    assert not tool.is_hearsay


@pytest.mark.parametrize("word", ["yolo", "--", "--a b c", "- x"])
def test_a_switch_is_an_option_or_a_variable(word: str) -> None:
    """An option can have one value."""
    text = (
        'version = 1\n[[tool]]\nid = "t"\nname = "T"\nvendor = "v"\ncategory = "cli"\n'
        f'[[tool.facts]]\nsource = "ran 1"\nnames = ["t"]\nunsafe = ["{word}"]\n'
    )
    with pytest.raises(BadInputError, match=r"unsafe: .* is not valid; write an option"):
        parse(text, where="x.toml")
