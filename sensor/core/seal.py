# SPDX-License-Identifier: Apache-2.0
"""Seals: a hash chain over batches of events, which shows whether one was changed since.

Each seal covers a range of seqs without a gap: every seq in it is an event or
lies in a declared hole. It hashes the seal before it, so a chain that ends in a
known hash is the chain that was written (Schneier and Kelsey, "Secure audit
logs", 1999, section 3; without their keys, so the last hash has to be known from
elsewhere to prove that nobody wrote a whole new chain).
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct
from typing import TYPE_CHECKING

from sensor.core.blake2 import blake2b

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

HASH_BYTES = 32

MARK_BYTES = 4
"""How much of each event's digest is kept: enough to find the one that was changed. That
one was changed at all is shown by the seal's hash, which is over the whole digests."""

_PERSON = b"agent-sensor"
_HEAD = Struct(">QQQQQ")
_HOLE = Struct(">QQQ")


@dataclass(frozen=True, slots=True)
class Hole:
    """A range of seqs of which no event is stored, and why."""

    first_seq: int
    last_seq: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """The ``n``-th batch is sealed: it goes from ``first_seq`` to ``last_seq``."""

    n: int
    first_seq: int
    last_seq: int
    hash: bytes


GENESIS = Seal(n=0, first_seq=0, last_seq=0, hash=bytes(HASH_BYTES))
"""What the first batch follows."""


def digest(record: bytes) -> bytes:
    """Hash one event's record."""
    return blake2b(record, digest_size=HASH_BYTES, person=_PERSON).digest()


def marks(digests: Iterable[bytes]) -> bytes:
    """Return what is kept of each digest."""
    return b"".join([one[:MARK_BYTES] for one in digests])


def seal(previous: Seal, *, last_seq: int, digests: Sequence[bytes], holes: Sequence[Hole]) -> Seal:
    """Seal the events and holes after ``previous``, up to ``last_seq``, each in order."""
    n, first_seq = previous.n + 1, previous.last_seq + 1
    chain = blake2b(previous.hash, digest_size=HASH_BYTES, person=_PERSON)
    chain.update(_HEAD.pack(n, first_seq, last_seq, len(digests), len(holes)))
    chain.update(b"".join(digests))
    for hole in holes:
        why = hole.why.encode("utf-8", "surrogateescape")
        chain.update(_HOLE.pack(hole.first_seq, hole.last_seq, len(why)) + why)
    return Seal(n=n, first_seq=first_seq, last_seq=last_seq, hash=chain.digest())


def holes_between(last_seq: int, seqs: Iterable[int], known: Iterable[Hole]) -> Iterator[Hole]:
    """Yield a hole for each seq after ``last_seq`` that is missing among ``seqs``, in order.

    ``known`` says why, for the ranges it covers; of others nothing is known but
    that they are missing. Nothing of it goes beyond the last of ``seqs``.
    """
    reasons = sorted(known, key=lambda hole: hole.first_seq)
    expected = last_seq + 1
    for seq in seqs:
        if seq > expected:
            yield from _told(expected, seq - 1, reasons)
        expected = seq + 1


UNKNOWN = "never came to the store"


def _told(first: int, last: int, reasons: Iterable[Hole]) -> Iterator[Hole]:
    for reason in reasons:
        start, end = max(first, reason.first_seq), min(last, reason.last_seq)
        if start > end:
            continue
        if first < start:
            yield Hole(first, start - 1, UNKNOWN)
        yield Hole(start, end, reason.why)
        first = end + 1
    if first <= last:
        yield Hole(first, last, UNKNOWN)


def tiles(seal: Seal, seqs: Sequence[int], holes: Sequence[Hole]) -> bool:
    """Tell whether each seq of a batch is an event or in a hole, and none is both."""
    spans = [(seq, seq) for seq in seqs] + [(hole.first_seq, hole.last_seq) for hole in holes]
    expected = seal.first_seq
    for first, last in sorted(spans):
        if first != expected or last < first:
            return False
        expected = last + 1
    return expected == seal.last_seq + 1


def first_difference(
    seal: Seal, kept: bytes, seen: Sequence[tuple[int, bytes]], holes: Sequence[Hole]
) -> int:
    """Return the first seq that is not what was sealed, of a batch whose hash is wrong.

    ``kept`` are the batch's marks, ``seen`` the seqs and digests found now. It is
    the batch's first seq where all events are as they were: then the seal was changed.
    """
    expected = _expected(seal, holes)
    for at, (seq, one) in enumerate(seen):
        wanted = next(expected, None)
        if wanted is None or seq != wanted:
            return seq if wanted is None else min(seq, wanted)
        if one[:MARK_BYTES] != kept[at * MARK_BYTES : (at + 1) * MARK_BYTES]:
            return seq
    return next(expected, seal.first_seq)


def _expected(seal: Seal, holes: Sequence[Hole]) -> Iterator[int]:
    """Yield the seqs of a batch that are in no hole."""
    seq = seal.first_seq
    for hole in sorted(holes, key=lambda hole: hole.first_seq):
        yield from range(seq, hole.first_seq)
        seq = max(seq, hole.last_seq + 1)
    yield from range(seq, seal.last_seq + 1)
