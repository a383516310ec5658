# SPDX-License-Identifier: Apache-2.0
"""Members are found where the kernel has them, under whatever wraps them."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.btf import Blob, info

from sensor.errors import BadInputError, UnsupportedError
from sensor.wire.btf import Btf, Member
from sensor.wire.btf_records import KIND_FLAG, TAIL_WORDS, Kind


def member_of(blob: Blob, type_id: int) -> Member | None:
    """Give the member of this type, at byte 8 of a struct."""
    outer = blob.struct("outer", ("it", type_id, 64))
    return Btf(blob.made()).member(outer, "it")


def test_a_struct_is_found_by_its_name() -> None:
    """A typedef, a union or a declaration of that name is something else."""
    blob = Blob()
    blob.add("file", info(Kind.FWD), 0)
    blob.add("file", info(Kind.TYPEDEF), 0)
    blob.struct("file", kind=Kind.UNION)
    wanted = blob.struct("file")
    assert Btf(blob.made()).structs(["file", "inode"]) == {"file": wanted}


def test_the_first_of_two_structs_counts() -> None:
    """As for btf__find_by_name_kind of libbpf."""
    blob = Blob()
    first = blob.struct("mount")
    blob.struct("mount")
    assert Btf(blob.made()).structs(["mount"]) == {"mount": first}


def test_a_name_that_shares_its_end_is_found() -> None:
    """``file`` may be the tail of ``vm_file`` in the table of strings."""
    blob = Blob(strings=b"\0vm_file\0")
    wanted = blob.struct("file")
    assert Btf(blob.made()).structs(["file"]) == {"file": wanted}


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_a_number_has_its_width_and_sign(size: int) -> None:
    """The type says in C what the kernel stores."""
    blob = Blob()
    unsigned, signed = blob.integer(size), blob.integer(size, signed=True)
    assert member_of(blob, unsigned) == Member(8, f"u{size * 8}")
    assert member_of(blob, signed) == Member(8, f"s{size * 8}")


@pytest.mark.parametrize(("kind", "entry"), [(Kind.ENUM, 2), (Kind.ENUM64, 3)])
def test_an_enum_is_a_number(kind: Kind, entry: int) -> None:
    """Signed where the kind flag says so; the last record may have no entries at all."""
    blob = Blob()
    signed = blob.add("state", info(kind, entries=1) | KIND_FLAG, 4, [0] * entry)
    unsigned = blob.add("state", info(kind), 4)
    assert Btf(blob.made())
    assert member_of(blob, signed) == Member(8, "s32")
    assert member_of(blob, unsigned) == Member(8, "u32")


def test_pointers_say_what_they_point_to_where_it_helps() -> None:
    """A struct by its name, text as such, anything else as an address."""
    blob = Blob()
    byte, word = blob.integer(1), blob.integer(4)
    struct = blob.alias(Kind.CONST, blob.struct("inode"))
    members = [member_of(blob, blob.alias(Kind.PTR, to)) for to in (struct, byte, word, 0)]
    assert members == [
        Member(8, "void *", points_to="inode"),
        Member(8, "char *"),
        Member(8, "void *"),
        Member(8, "void *"),
    ]


def test_an_array_has_a_length() -> None:
    """Of numbers and of pointers."""
    blob = Blob()
    names, row = blob.integer(1, signed=True), blob.alias(Kind.PTR, 0)
    assert member_of(blob, blob.array(names, 64)) == Member(8, "s8", 64)
    assert member_of(blob, blob.array(row, 3)) == Member(8, "void *", 3)


def test_what_is_no_number_is_so_many_bytes() -> None:
    """Structs, unions, wide numbers, floats, and arrays of them or of arrays."""
    blob = Blob()
    struct, wide = blob.struct("path", size=16), blob.integer(16)
    union, real = blob.struct("", kind=Kind.UNION, size=12), blob.add("", info(Kind.FLOAT), 8)
    rows = blob.array(blob.array(blob.alias(Kind.PTR, 0), 2), 3)
    sizes = {struct: 16, wide: 16, union: 12, real: 8, rows: 48, blob.array(struct, 4): 64}
    for type_id, size in sizes.items():
        assert member_of(blob, type_id) == Member(8, "u8", size, embedded=True)


def test_anonymous_structs_need_no_mention() -> None:
    """Offsets add up through what has no name; a later sibling does not hide the first."""
    blob = Blob()
    word = blob.integer(4)
    inner = blob.struct("", ("hash", word, 0), ("len", word, 32))
    union = blob.struct("", ("whole", word, 0), ("", inner, 0), kind=Kind.UNION)
    outer = blob.struct("qstr", ("", word, 0), ("", blob.alias(Kind.CONST, union), 64))
    assert Btf(blob.made()).member(outer, "len") == Member(12, "u32")


def test_dots_lead_into_embedded_structs() -> None:
    """Also through typedefs, and through what is anonymous on the way."""
    blob = Blob()
    counter = blob.struct("", ("counter", blob.integer(4, signed=True), 0))
    cookie = blob.struct("", ("cookie", blob.alias(Kind.TYPEDEF, counter), 32))
    common = blob.struct("common", ("", cookie, 64))
    sock = blob.struct("sock", ("common", common, 128))
    assert Btf(blob.made()).member(sock, "common.cookie.counter") == Member(28, "s32")


@pytest.mark.parametrize("path", ["none", "it.none", "it.tv.none", "it.tv.sec.none", "sec"])
def test_what_is_not_there_is_none(path: str) -> None:
    """Neither a wrong name nor a way through a number is an error."""
    blob = Blob()
    time = blob.struct("time", ("sec", blob.integer(8), 0))
    inner = blob.struct("inner", ("tv", time, 0))
    outer = blob.struct("outer", ("it", inner, 0))
    assert Btf(blob.made()).member(outer, path) is None


@pytest.mark.parametrize("place", [3 << 24 | 64, 4])
def test_a_bitfield_is_refused_by_name(place: int) -> None:
    """Whether it has a width or begins inside a byte."""
    blob = Blob()
    tail = [blob.text("sk_type"), blob.integer(4), place]
    sock = blob.add("sock", info(Kind.STRUCT, entries=1) | KIND_FLAG, 16, tail)
    with pytest.raises(
        UnsupportedError, match=r"^kernel: sk_type is a bitfield, which has no addr"
    ):
        Btf(blob.made(), where="kernel").member(sock, "sk_type")


def test_a_bitfield_of_the_old_form_is_refused() -> None:
    """Without the kind flag, the integer itself is narrower than its storage."""
    blob = Blob()
    with pytest.raises(UnsupportedError, match="it is a bitfield"):
        member_of(blob, blob.integer(4, bits=3))


def test_a_member_without_a_size_is_damage() -> None:
    """A struct cannot hold void, a function, or an array of itself."""
    for kind in (Kind.FUNC_PROTO, Kind.FWD):
        blob = Blob()
        with pytest.raises(BadInputError, match="it is of a type without a size"):
            member_of(blob, blob.add("", info(kind), 0))
    blob = Blob()
    with pytest.raises(BadInputError, match="it is of a type without a size"):
        member_of(blob, blob.array(1, 2))


def test_structs_inside_each_other_come_to_an_end() -> None:
    """Each is searched once, however often it is named."""
    blob = Blob()
    blob.struct("", ("", 2, 0), ("", 2, 8), ("", 1, 8))
    blob.struct("", ("", 1, 0), ("", 1, 8))
    assert Btf(blob.made()).member(1, "none") is None


ids = st.integers(0, 6)
entries = st.lists(st.tuples(ids, ids, ids), max_size=4)


@given(st.lists(st.tuples(st.sampled_from(list(Kind)[1:]), ids, ids, entries), max_size=6))
def test_any_records_give_a_member_or_an_error_of_ours(
    noise: list[tuple[Kind, int, int, list[tuple[int, int, int]]]],
) -> None:
    """Records may name each other, themselves, or nothing at all."""
    blob = Blob(strings=b"\0a\0b\0c\0")
    for kind, name, ref, tails in noise:
        always, each = TAIL_WORDS[kind]
        tail = [*range(always), *(word for entry in tails for word in entry[:each])]
        blob.add("abc"[name % 3], info(kind, entries=len(tails)), ref, tail)
    btf = Btf(blob.made())
    for struct in btf.structs("abc").values():
        for path in ("", "a", "b.c", "c..a.b"):
            with suppress(BadInputError, UnsupportedError):
                member = btf.member(struct, path)
                assert member is None or member.ctype
