# SPDX-License-Identifier: Apache-2.0
"""Every record of a blob is found, and a blob that is not sound is said not to be."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.btf import Blob, info

from sensor.errors import BadInputError, UnsupportedError
from sensor.wire.btf_records import HEADER, KIND_FLAG, MAGIC, SWAPPED_MAGIC, Kind, Records

# include/uapi/linux/btf.h: the words that follow a record of this kind with two entries.
WORDS_AFTER = {
    Kind.INT: 1,
    Kind.PTR: 0,
    Kind.ARRAY: 3,
    Kind.STRUCT: 6,
    Kind.UNION: 6,
    Kind.ENUM: 4,
    Kind.FWD: 0,
    Kind.TYPEDEF: 0,
    Kind.VOLATILE: 0,
    Kind.CONST: 0,
    Kind.RESTRICT: 0,
    Kind.FUNC: 0,
    Kind.FUNC_PROTO: 4,
    Kind.VAR: 1,
    Kind.DATASEC: 6,
    Kind.FLOAT: 0,
    Kind.DECL_TAG: 1,
    Kind.TYPE_TAG: 0,
    Kind.ENUM64: 6,
}


def read(blob: bytes) -> Records:
    """Read it, as from a file of the kernel."""
    return Records(blob, where="vmlinux")


@pytest.mark.parametrize("kind", list(Kind)[1:])
def test_a_record_of_each_kind_is_passed_over(kind: Kind) -> None:
    """The record after it is found where it begins, whatever the one before is."""
    blob = Blob()
    blob.add("passed", info(kind, entries=2), 1, [0] * WORDS_AFTER[kind])
    blob.integer(4)
    assert read(blob.made()).kind(2) == Kind.INT


def test_a_longer_header_is_passed_over() -> None:
    """Kernels may add to the header: its own length says where the sections begin."""
    blob = Blob()
    blob.integer(4)
    assert read(blob.made(header=HEADER.size + 8)).kind(1) == Kind.INT


def test_more_members_than_sixteen_bits_count_are_passed_over() -> None:
    """The count has grown into bits that were unused, as the kind has."""
    blob = Blob()
    blob.add("", info(Kind.ENUM, entries=1 << 16), 4, [0, 0] * (1 << 16))
    blob.integer(4)
    assert read(blob.made()).kind(2) == Kind.INT


def test_void_has_a_kind_and_no_record() -> None:
    """Type 0 stands for void wherever a type is named."""
    assert read(Blob().made()).kind(0) == Kind.VOID


def test_a_type_lies_behind_all_that_qualifies_it() -> None:
    """A const volatile restrict tagged typedef of an integer is an integer."""
    blob = Blob()
    inner = type_id = blob.integer(4)
    for kind in (Kind.TYPEDEF, Kind.CONST, Kind.VOLATILE, Kind.RESTRICT, Kind.TYPE_TAG):
        type_id = blob.alias(kind, type_id)
    assert read(blob.made()).base(type_id) == inner


def test_an_alias_of_itself_is_damage() -> None:
    """The way through typedefs ends, even where they go round."""
    blob = Blob()
    type_id = blob.alias(Kind.TYPEDEF, 1)
    with pytest.raises(BadInputError, match="vmlinux: damaged BTF: type 1 is an alias of itself"):
        read(blob.made()).base(type_id)


def test_a_type_that_is_not_there_is_damage() -> None:
    """A record may name any number; only those that were read are followed."""
    blob = Blob()
    type_id = blob.alias(Kind.CONST, 9)
    with pytest.raises(BadInputError, match="it names type 9 of 1"):
        read(blob.made()).base(type_id)


def test_members_have_their_places() -> None:
    """Name, type, offset and no width, in the order of the struct."""
    blob = Blob()
    number = blob.integer(4)
    type_id = blob.struct("pair", ("left", number, 0), ("right", number, 32))
    found = list(read(blob.made()).members(type_id))
    assert found == [(blob.text("left"), 1, 0, 0), (blob.text("right"), 1, 32, 0)]


def test_bitfields_have_their_width() -> None:
    """A struct with the kind flag keeps the width in the offset's upper byte."""
    blob = Blob()
    place = [blob.text("bits"), blob.integer(4), 3 << 24 | 65]
    type_id = blob.add("packed", info(Kind.STRUCT, entries=1) | KIND_FLAG, 16, place)
    assert list(read(blob.made()).members(type_id)) == [(blob.text("bits"), 1, 65, 3)]


def test_a_number_has_no_members() -> None:
    """Asking further into a number finds nothing."""
    blob = Blob()
    type_id = blob.integer(4)
    assert not list(read(blob.made()).members(type_id))


def test_a_name_is_found_in_the_end_of_another() -> None:
    """A string table may keep one string for both ``vm_file`` and ``file``."""
    blob = Blob(strings=b"\0vm_file\0file\0")
    assert list(read(blob.made()).offsets(b"file")) == [4, 9]


def test_a_name_beyond_the_strings_is_empty() -> None:
    """A wrong offset is no name, and hostile bytes become text."""
    records = read(Blob(strings=b"\0in\xffode\0").made())
    assert (records.text(1), records.text(99)) == ("in\\xffode", "")
    assert not records.is_named(99, b"inode")


UNSOUND = {
    "shorter than its header": b"\x9f\xeb\x01",
    "begins with 0x7f45, not 0xeb9f": Blob().made(magic=0x7F45),
    "sections do not lie in its 25 bytes": HEADER.pack(MAGIC, 1, 0, 24, 0, 0, 0, 2) + b"\0",
    "sections do not lie in its 40 bytes": HEADER.pack(MAGIC, 1, 0, 24, 8, 12, 0, 1) + bytes(16),
    "sections do not lie in its 26 bytes": HEADER.pack(MAGIC, 1, 0, 20, 4, 0, 4, 1) + b"\0\0",
    "odd size or not terminated": HEADER.pack(MAGIC, 1, 0, 24, 0, 3, 3, 1) + bytes(4),
    "the last type is cut short": HEADER.pack(MAGIC, 1, 0, 24, 0, 4, 4, 1) + bytes(5),
}


@pytest.mark.parametrize("reason", UNSOUND)
def test_a_blob_that_is_not_sound_is_refused(reason: str) -> None:
    """The error names the file, the fault and what to do."""
    with pytest.raises(BadInputError, match=f"^vmlinux: damaged BTF: .*{reason}; read it again"):
        read(UNSOUND[reason])


@pytest.mark.parametrize("strings", [b"", b"name\0", b"\0name"])
def test_strings_begin_and_end_with_a_terminator(strings: bytes) -> None:
    """Without them a name could run out of the table."""
    with pytest.raises(BadInputError, match="odd size or not terminated"):
        read(Blob(strings=strings).made())


def test_a_record_that_is_cut_is_refused() -> None:
    """A struct that says it has more members than bytes follow is no struct."""
    blob = Blob()
    blob.add("cut", info(Kind.STRUCT, entries=2), 8, [0, 0, 0])
    with pytest.raises(BadInputError, match="the last type is cut short"):
        read(blob.made())


@pytest.mark.parametrize("kind", [0, max(Kind) + 1, 0x7F])
def test_an_unknown_kind_is_refused(kind: int) -> None:
    """Its length is unknown, so that nothing behind it can be read."""
    blob = Blob()
    blob.add("new", info(kind), 0)
    with pytest.raises(UnsupportedError, match=rf"types of kind {kind} are unknown.*: 1 to 19"):
        read(blob.made())


def test_another_byte_order_is_refused() -> None:
    """It is sound, but it is another machine's."""
    with pytest.raises(UnsupportedError, match="its byte order is another machine's"):
        read(Blob().made(magic=SWAPPED_MAGIC))


def test_another_version_is_refused() -> None:
    """There has been but one since 2018."""
    with pytest.raises(UnsupportedError, match="BTF version 2, known is 1"):
        read(Blob().made(version=2))


@given(st.binary(max_size=200))
def test_any_bytes_give_records_or_an_error_of_ours(noise: bytes) -> None:
    """Bare noise, and noise where the types are."""
    framed = HEADER.pack(MAGIC, 1, 0, 24, 0, len(noise), len(noise), 1) + noise + b"\0"
    for blob in (noise, framed):
        try:
            records = read(blob)
        except (BadInputError, UnsupportedError):
            continue
        assert all(records.kind(type_id + 1) for type_id in range(len(records.starts)))
