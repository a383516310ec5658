# SPDX-License-Identifier: Apache-2.0
"""The kernel reads the words before a script as the grammars of the interpreters have them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from support.structs import checked

from sensor.wire.marks import KEY, MarkFlag, OptionFlag, hash_text, options

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS_ROOM = 256
"""Of the map `options` (``probes/scripts.c``)."""


def test_options_are_those_of_their_interpreters() -> None:
    """One word can be of two kinds; a cluster of Python's is read letter by letter instead."""
    table = options(7)

    def meant(word: str) -> int:
        (value,) = struct.unpack("=I", table.get(KEY.pack(hash_text(word.encode(), 7)), bytes(4)))
        return int(value)

    assert meant("--require") == OptionFlag.VALUED | MarkFlag.SCRIPT
    assert meant("-X") == OptionFlag.VALUED | MarkFlag.PYTHON
    assert meant("run") == OptionFlag.VERB | MarkFlag.SCRIPT
    assert meant("--help") == OptionFlag.FINAL | MarkFlag.SCRIPT | MarkFlag.PYTHON
    assert meant("--no-warnings") == 0
    assert len(table) <= OPTIONS_ROOM


@pytest.mark.parametrize("seed", [0, 1, 0x8000_0000_0000_0000, 0x9E37_79B9_7F4A_7C15])
def test_bits_that_products_pass_on_unchanged_make_no_two_words_alike(seed: int) -> None:
    """The top bit of a factor is the product's: one could be undone in the next eight bytes."""
    assert hash_text(b"1234567a123a567a", seed) != hash_text(b"1234567\xe1123\xe1567\xe1", seed)


def test_the_options_are_numbered_as_in_the_header(tmp_path: Path) -> None:
    """What the kernel reads is what is written."""
    checked(
        "tables.h",
        f"OPTION_VALUED == {OptionFlag.VALUED:d} && OPTION_FINAL == {OptionFlag.FINAL:d}"
        f" && OPTION_VERB == {OptionFlag.VERB:d}",
        tmp_path,
    )
