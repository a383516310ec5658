# SPDX-License-Identifier: Apache-2.0
"""Tables of a policy become the bytes that the probes read."""

from __future__ import annotations

import subprocess
from ipaddress import IPv6Network, ip_address
from pathlib import Path

import pytest
from support.policies import BOOT_NS, RESOLVER, compiled, known, read
from support.structs import PROBES, checked, laid_out, measured

from sensor.core.policy import rows
from sensor.core.policy.rows import ENTRIES_OF_BANK, EntryFlag, PolicyFlag, TableVerdict
from sensor.core.policy.tables import PATHS
from sensor.core.policy.targets import SUFFIXES
from sensor.errors import BadInputError
from sensor.wire import rulings

LAYOUTS = {
    "policy": rulings.POLICY,
    "tool_rules": rulings.TOOL_RULES,
    "domain_rules": rulings.DOMAIN_RULES,
    "span": rulings.SPAN,
    "range_key": rulings.RANGE_KEY,
    "banked_key": rulings.BANKED_KEY,
    "entry": rulings.ENTRY,
}
VECTORS = [
    line.split(" ")
    for line in (Path(__file__).parent / "hashes.txt").read_text("utf-8").splitlines()
]
"""Kind, text and hash; what hashes in C is held to the same."""

BODY = """
[[rule]]
id = "inside"
tools = ["some-cli"]
verdict = "allow"
egress_only = ["llm.corp.example:443", "198.51.100.0/24:8443"]
users = ["alice"]
paths = ["/opt/corp"]
[[rule]]
id = "outside"
endpoints = ["x.test"]
cgroups = ["/build.slice", "/gone.slice"]
verdict = "block"
[[exception]]
rule = "outside"
users = ["bob"]
expires = 2027-01-15T13:00:00Z
ticket = "T-1"
"""


def written(generation: int = 4, body: str = BODY) -> dict[str, dict[bytes, bytes]]:
    """Give the maps after a policy was written into them."""
    maps: dict[str, dict[bytes, bytes]] = {}
    tables = compiled(read(body))
    ids = {"/build.slice": 77}
    bits = rulings.path_bits(tables.paths, {"/opt/corp": 5})
    for write in rulings.writes(tables, generation, cgroup_ids=ids, bits=bits, seed=0):
        assert write.key not in maps.setdefault(write.map, {}), "written twice"
        maps[write.map][write.key] = write.value
    return maps


def test_the_layouts_are_those_of_the_header(tmp_path: Path) -> None:
    """Every member lies where the compiler of probes/policy.h puts it."""
    assert measured("policy.h", LAYOUTS, tmp_path) == laid_out(LAYOUTS)


@pytest.mark.parametrize(
    "claim",
    [
        f"ENTRIES_OF_LIST == {rows.ENTRIES_OF_LIST}",
        f"SUFFIXES == {SUFFIXES}",
        f"PLACES == {PATHS}",
        f"RULES == {rows.RULES}",
        *(f"{name} == {getattr(rows, name)}" for name in ("RULE_DEFAULT", "RULE_QUIC")),
        *(f"{name} == {getattr(rows, name)}" for name in ("RULE_CANARY", "RULE_FULL")),
        *(f"VERDICT_{verdict.name} == {verdict}" for verdict in TableVerdict),
        *(f"ENTRY_{flag.name} == {flag}" for flag in EntryFlag),
        *(f"POLICY_{flag.name} == {flag}" for flag in PolicyFlag),
    ],
)
def test_numbers_are_those_of_the_header(claim: str, tmp_path: Path) -> None:
    """The compiler agrees."""
    checked("policy.h", claim, tmp_path)


@pytest.mark.parametrize(("kind", "text", "value"), VECTORS)
def test_a_hash_is_the_one_agreed_on(kind: str, text: str, value: str) -> None:
    """Of a suffix in any case, and of a folder by what counts of each name."""
    hashed = rulings.hash_suffix(text, 0) if kind == "suffix" else rulings.hash_folder(text, 0)
    assert f"{hashed:016x}" == value


def test_a_seed_makes_other_hashes() -> None:
    """Nobody who does not know it can look for a name that has the hash of another."""
    assert rulings.hash_suffix("example.com", 7) != rulings.hash_suffix("example.com", 0)


def test_c_hashes_alike(tmp_path: Path) -> None:
    """With the functions of probes/marks.h."""
    source, program = Path(__file__).parent / "hashes.c", tmp_path / "hashes"
    subprocess.run(["cc", f"-I{PROBES}", source, "-o", program], check=True)
    words = [word for kind, text, _ in VECTORS for word in (kind, text)]
    said = subprocess.run([program, *words], check=True, capture_output=True, text=True).stdout
    assert said.split() == [value for *_, value in VECTORS]


def test_a_policy_says_what_holds_for_whom_no_table_names() -> None:
    """The masks, the generation and what needs a look."""
    (row,) = written()["policies"].items()
    tables = compiled(read(BODY))
    masks = tables.masks
    assert row[0] == b"\0\0\0\0"
    assert rulings.POLICY.unpack(row[1]) == (
        masks.any_user, masks.any_cgroup, masks.any_path, masks.outside, masks.inside,
        masks.closed, masks.named, 4, tables.flags,
    )  # fmt: skip


@pytest.mark.parametrize("generation", [4, 5])
def test_every_key_is_in_its_bank(generation: int) -> None:
    """Even generations are in the first, odd ones in the second."""
    bank = rulings.bank_for(generation)
    maps = written(generation)
    assert {rulings.bank_of(name, key) for name in rulings.HASHES for key in maps[name]} == {bank}
    assert maps["policies"].keys() == {bank.to_bytes(4, "little")}
    for name in ("tools", "path_conditions"):
        assert {int.from_bytes(key, "little") % 2 for key in maps[name]} == {bank}
    first = bank * ENTRIES_OF_BANK
    numbers = sorted(int.from_bytes(key, "little") for key in maps["entries"])
    assert numbers == list(range(first, first + len(numbers)))
    starts = [rulings.TOOL_RULES.unpack(value)[1] for value in maps["tools"].values()]
    assert all(start >= first for start in starts)


def test_an_entry_has_its_port_in_network_order() -> None:
    """As the packet has it."""
    entries = [rulings.ENTRY.unpack(value) for value in written()["entries"].values()]
    names = rulings.ENTRY.names
    rows_ = [dict(zip(names, entry, strict=True)) for entry in entries]
    at = rulings.ENTRY.offsets()["port_be"]
    ports = {value[at : at + 2] for value in written()["entries"].values()}
    assert ports == {b"\0\0", b"\x01\xbb", b"\x20\xfb"}
    assert {row["port_mask"] for row in rows_ if row["port_be"]} == {0xFFFF}
    assert {row["port_mask"] for row in rows_ if not row["port_be"]} == {0}
    (skip,) = [row for row in rows_ if row["choice"] >> 8 & 0xFF == TableVerdict.SKIP]
    assert skip["end_ns"] == BOOT_NS + 3_600_000_000_000
    flags = {row["choice"] & 0xFF for row in rows_}
    assert flags == {0, EntryFlag.CONFINES, EntryFlag.TRUSTED}


def test_a_name_is_found_by_its_hash() -> None:
    """With the lists of itself and of what is below."""
    maps = written()
    key = rulings.BANKED_KEY.pack(rulings.hash_suffix("x.test", 0), 0)
    start, count, *below = rulings.DOMAIN_RULES.unpack(maps["domains"][key])
    assert (count, below) == (2, [start, count])
    way = rulings.BANKED_KEY.pack(rulings.hash_suffix("test", 0), 0)
    assert rulings.DOMAIN_RULES.unpack(maps["domains"][way])[1::2] == (0, 0)


def test_a_range_is_found_by_its_prefix() -> None:
    """The bank is part of what is compared, IPv4 is mapped into IPv6."""
    bank = rulings.RANGE_KEY.pack(32 + 96 + 24, 0, IPv6Network("::ffff:c633:6400/120")[0].packed)
    assert rulings.SPAN.unpack(written()["ranges"][bank])[1] == 1


def test_whom_a_host_does_not_have_is_not_written() -> None:
    """Cgroups that do not exist are left out; users are there by number."""
    maps = written()
    assert [rulings.BANKED_KEY.unpack(key)[0] for key in maps["cgroups"]] == [77]
    assert [rulings.BANKED_KEY.unpack(key)[0] for key in maps["users"]] == [1000, 1001]


def test_a_folder_keeps_its_bit() -> None:
    """The bit of what lies below, and what holds there; other bits hold nothing."""
    maps = written()
    folder = rulings.hash_folder("/opt/corp", 0).to_bytes(8, "little")
    assert maps["places"] == {folder: (1 << 5).to_bytes(4, "little")}
    masks = {
        int.from_bytes(key, "little"): int.from_bytes(value, "little")
        for key, value in maps["path_conditions"].items()
    }
    assert len(masks) == PATHS
    assert [key for key, mask in masks.items() if mask] == [5 * 2]


def test_resolvers_are_addresses() -> None:
    """Each with a 1."""
    assert known(BODY).resolvers == {RESOLVER}
    assert written()["resolvers"] == {
        rulings.resolver_key(ip_address("192.0.2.53")): b"\1" + b"\0" * 7
    }


@pytest.mark.parametrize(
    ("paths", "before", "given"),
    [
        ([], {"/a": 0}, {}),
        (["/a", "/b"], {}, {"/a": 0, "/b": 1}),
        (["/a", "/b"], {"/b": 0}, {"/a": 1, "/b": 0}),
        (["/a"], {"/b": 0, "/c": 1}, {"/a": 2}),
        (["/a"], {f"/{bit}": bit for bit in range(32)}, {"/a": 0}),
        (["/a", "/3"], {f"/{bit}": bit for bit in range(32)}, {"/a": 0, "/3": 3}),
    ],
)
def test_bits_are_given_out_sparingly(
    paths: list[str], before: dict[str, int], given: dict[str, int]
) -> None:
    """One that was somebody else's is the last choice."""
    assert rulings.path_bits(paths, before) == given


def test_there_are_so_many_bits() -> None:
    """And an error beyond."""
    with pytest.raises(BadInputError, match="more than 32 different folders"):
        rulings.path_bits([f"/{number}" for number in range(33)], {})


def test_two_words_with_one_hash_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rather than judged by each other's rules."""
    monkeypatch.setattr(rulings, "hash_suffix", lambda *_: 1)
    with pytest.raises(BadInputError, match="have one hash; write one in another way"):
        written()
