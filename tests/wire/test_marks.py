# SPDX-License-Identifier: Apache-2.0
"""The catalogue's words are hashed and flagged as probes/marks.h does."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from sensor.core.catalogue import Catalogue, merge, parse
from sensor.errors import BadInputError
from sensor.wire.marks import (
    COMPONENT_BYTES,
    KEY,
    MARK,
    MarkFlag,
    brokers,
    comm_key,
    hash_component,
    hash_pair,
    names,
    words,
)

ROOT = Path(__file__).parents[2]

SEED = 0x0123456789ABCDEF

GOLDEN = [
    (b"", 0xCAD1D9830D89EECA),
    (b"a", 0x373D531FA1DFD5BF),
    (b"12345678", 0x634A1C86500A30B0),
    (b"123456789", 0xE02A44DC068F1EC6),
]
"""Computed with integers of another language."""

TOOL = """
[[tool]]
id = "{0}"
name = "{0}"
vendor = "{0}"
category = "cli"
[[tool.facts]]
source = "ran 1"
{1}
"""

INTERPRETERS = """
[[interpreter]]
kind = "script"
source = "docs: x"
names = ["node"]
[[interpreter]]
kind = "python"
source = "docs: x"
names = ["python3"]
[[interpreter]]
kind = "loader"
source = "docs: x"
names = ["ld.so"]
"""


def catalogue(*facts: str, rest: str = "") -> Catalogue:
    """Read tools t1, t2, ... with these facts."""
    tools = (TOOL.format(f"t{number}", fact) for number, fact in enumerate(facts, 1))
    return parse("version = 1\n" + "".join(tools) + rest, where="x.toml")


def shown(table: dict[bytes, bytes]) -> dict[bytes, tuple[int, int]]:
    """Unpack the values of a map."""
    return {key: MARK.unpack(value) for key, value in table.items()}


def hashed(name: bytes) -> int:
    """Hash a component by this file's seed."""
    return hash_component(name, SEED)


def word(name: str) -> bytes:
    """Give the key of a name in ``words``."""
    return KEY.pack(hashed(name.encode()))


def pair(parent: str, child: str) -> bytes:
    """Give the key of a pair in ``words``."""
    return KEY.pack(hash_pair(hashed(parent.encode()), hashed(child.encode())))


@pytest.mark.parametrize(("name", "value"), GOLDEN)
def test_a_component_hashes_to_its_golden_value(name: bytes, value: int) -> None:
    """Eight bytes at a time, from the seed on."""
    assert hashed(name) == value


def test_bytes_past_the_bound_do_not_count() -> None:
    """Neither side reads further than COMPONENT_BYTES."""
    name = b"x" * COMPONENT_BYTES
    assert hashed(name + b"y") == hashed(name) != hashed(name[:-1])


def test_case_counts() -> None:
    """Linux file names differ by case."""
    assert hashed(b"Claude") != hashed(b"claude")


def test_a_pair_hashes_to_its_golden_value() -> None:
    """The order of the two components counts."""
    parent, child = hashed(b"@openai"), hashed(b"codex")
    assert hash_pair(parent, child) == 0x9DC95611AB51E964
    assert hash_pair(child, parent) == 0x892F1232D550EF20
    assert hash_pair(0, 2**64 - 1) < 2**64


def test_the_kernel_side_computes_the_same_hashes(tmp_path: Path) -> None:
    """probes/marks.h, compiled here, agrees on every component and pair of the catalogue."""
    lines = [b"@openai codex", b". .", b"a \xff\xfe"]
    lines += [
        mark.value.replace("/", " ").encode() if "/" in mark.value else mark.value.encode() + b" -"
        for tool in shipped().tools
        for mark in tool.marks
    ]
    program = tmp_path / "hash"
    subprocess.run(
        ["cc", "-Wall", "-Werror", "-I", ROOT / "probes", "-x", "c", "-", "-o", program],
        input=PROGRAM,
        check=True,
    )
    given = b"\n".join(lines)
    printed = subprocess.run([program], input=given, check=True, capture_output=True).stdout
    assert printed.decode().split("\n")[:-1] == [
        f"{hashed(parent):x} {hash_pair(hashed(parent), hashed(child)):x}"
        for parent, child in (line.split() for line in lines)
    ]


PROGRAM = b"""
#include <stdio.h>
#include <string.h>
#include "marks.h"

static __u64 hash(const char *name)
{
	__u64 text[MARK_BYTES / 8 + 1] = {0}, hash = HASH_SEED ^ 0x0123456789abcdef;

	strncpy((char *)text, name, MARK_BYTES);
	for (int i = 0; text[i]; i++)
		hash = hash_eight(hash, text[i]);
	return hash;
}

int main(void)
{
	char parent[128], child[128];

	while (scanf("%127s %127s", parent, child) == 2)
		printf("%llx %llx\\n", hash(parent), hash_pair(hash(parent), hash(child)));
}
"""


def test_the_flags_are_those_of_the_kernel_side() -> None:
    """Every MARK_ flag of probes/marks.h has its number here."""
    text = (ROOT / "probes" / "marks.h").read_text()
    for flag in MarkFlag:
        assert flag.name
        bit = flag.bit_length() - 1
        named = f"MARK_{flag.name}_BIT"
        assert (
            f"#define MARK_{flag.name} (1U << {bit})" in text or f"#define {named} {bit}\n" in text
        )
    assert f"#define MARK_BYTES {COMPONENT_BYTES}\n" in text


@pytest.mark.parametrize(
    ("name", "key"),
    [
        (b"claude", b"claude" + bytes(10)),
        (b"copilot-language-server", b"copilot-languag\0"),
        (b"fifteen-bytes-x", b"fifteen-bytes-x\0"),
    ],
)
def test_a_command_name_is_cut_as_the_kernel_cuts_it(name: bytes, key: bytes) -> None:
    """15 bytes and a NUL."""
    assert comm_key(name) == key


def test_a_word_of_each_kind_has_its_flag() -> None:
    """Tools are numbered from 1; interpreters have 0."""
    facts = 'names = ["t"]\nweak_names = ["u"]\npaths = ["@t/t"]\nmodules = ["m"]'
    assert shown(words(catalogue('names = ["first"]', facts, rest=INTERPRETERS), SEED)) == {
        word("first"): (1, MarkFlag.NAME | MarkFlag.STRONG),
        word("t"): (2, MarkFlag.NAME | MarkFlag.STRONG),
        word("u"): (2, MarkFlag.NAME | MarkFlag.WEAK),
        pair("@t", "t"): (2, MarkFlag.PAIR | MarkFlag.STRONG),
        word("m"): (2, MarkFlag.MODULE | MarkFlag.STRONG),
        word("node"): (0, MarkFlag.SCRIPT),
        word("python3"): (0, MarkFlag.PYTHON),
        word("ld.so"): (0, MarkFlag.LOADER),
    }


def test_a_name_that_is_a_module_too_has_both_flags() -> None:
    """``aider`` and ``python -m aider`` are one entry."""
    assert shown(words(catalogue('names = ["aider"]\nmodules = ["aider"]'), SEED)) == {
        word("aider"): (1, MarkFlag.NAME | MarkFlag.MODULE | MarkFlag.STRONG)
    }


def test_a_name_of_two_tools_goes_to_the_first_with_the_flags_of_both() -> None:
    """User space tells them apart; the kernel finds a candidate."""
    table = catalogue('weak_names = ["kimi"]', 'weak_names = ["kimi"]\nmodules = ["kimi"]')
    assert shown(words(table, SEED)) == {
        word("kimi"): (1, MarkFlag.NAME | MarkFlag.WEAK | MarkFlag.MODULE)
    }


def test_only_names_are_command_names() -> None:
    """Pairs and modules are no file's name; an interpreter's file has to be looked at."""
    facts = 'names = ["t"]\nweak_names = ["u"]\npaths = ["@t/t"]\nmodules = ["m"]'
    assert shown(names(catalogue(facts, rest=INTERPRETERS))) == {
        comm_key(b"t"): (1, MarkFlag.NAME | MarkFlag.STRONG),
        comm_key(b"u"): (1, MarkFlag.NAME | MarkFlag.WEAK),
    }


def test_a_name_that_is_cut_is_not_enough_to_refuse_by() -> None:
    """Other software may begin alike."""
    (value,) = shown(names(catalogue('names = ["sixteen-bytes-xx"]'))).values()
    assert value == (1, MarkFlag.NAME)


def test_names_that_are_cut_alike_share_a_command_name() -> None:
    """The first tool's number stands, with the flags of both."""
    table = catalogue('names = ["fifteen-bytes-x1"]', 'weak_names = ["fifteen-bytes-x2"]')
    assert shown(names(table)) == {comm_key(b"fifteen-bytes-x"): (1, MarkFlag.NAME | MarkFlag.WEAK)}


def test_two_words_with_one_hash_are_refused() -> None:
    """Silence would make one tool of two."""
    long = "x" * COMPONENT_BYTES
    with pytest.raises(BadInputError, match=f"'{long}b' and '{long}a' have one hash; remove one"):
        words(catalogue(f'names = ["{long}a"]', f'names = ["{long}b"]'), SEED)


def shipped() -> Catalogue:
    """Read and join the catalogue of this repository."""
    folder = ROOT / "sensor" / "catalogue"
    return merge(parse(path.read_text(), where=path.name) for path in sorted(folder.iterdir()))


def test_every_component_of_the_shipped_catalogue_is_hashed_whole() -> None:
    """None is longer than what either side reads, and no two collide."""
    catalogue = shipped()
    parts = [
        part for tool in catalogue.tools for mark in tool.marks for part in mark.value.split("/")
    ]
    assert [part for part in parts if len(part.encode()) > COMPONENT_BYTES] == []
    assert words(catalogue, SEED)
    assert names(catalogue)


def test_a_name_of_a_known_stranger_is_not_enough_to_refuse_by() -> None:
    """Whose the program is, a look has to say."""
    assert shown(names(catalogue('shared_names = ["codex"]'))) == {
        comm_key(b"codex"): (1, MarkFlag.NAME | MarkFlag.WEAK)
    }


def test_marks_from_documentation_alone_are_weak_to_the_kernel() -> None:
    """It refuses nothing by itself for what nobody has seen."""

    def strong(source: str) -> bool:
        text = TOOL.format("x", 'names = ["x"]')
        seen = parse(f"version = 1\n{text}".replace("ran 1", source), where="t")
        (value,) = names(seen).values()
        return bool(MARK.unpack(value)[1] & MarkFlag.STRONG)

    assert strong("ran 1")
    assert not strong("docs: a page")


def test_brokers_are_looked_up_by_their_command_names() -> None:
    """Cut as the kernel cuts them; what is there says enough."""
    table = brokers()
    assert {comm_key(b"atd"), comm_key(b"tmux: server"), comm_key(b"systemd")} <= table.keys()
    assert {len(value) for value in table.values()} == {4}
