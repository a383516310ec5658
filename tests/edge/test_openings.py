# SPDX-License-Identifier: Apache-2.0
"""What a connection says first has the name where it is to be, and nowhere else."""

from __future__ import annotations

import pytest

from sensor.core.proof.technique import Says
from sensor.edge.openings import ANOTHER_SITE, client_hello, opening

NAME, WORD = "api.blocked.example", b"a word"
TARGET = NAME.encode()


@pytest.mark.parametrize("says", Says)
def test_the_secret_is_in_what_is_said(says: Says) -> None:
    """In one piece of it, so that a piece which is held back keeps it."""
    said = opening(says, name=NAME, port=443, word=WORD)
    assert sum(said.secret in piece for piece in said.pieces) == 1


@pytest.mark.parametrize("says", [Says.HELLO, Says.PIECES, Says.CONNECT, Says.GET, Says.SOCKS])
def test_the_name_is_said(says: Says) -> None:
    """As it is."""
    assert TARGET in b"".join(opening(says, name=NAME, port=443, word=WORD).pieces)


@pytest.mark.parametrize("says", [Says.NAMELESS, Says.FRONT, Says.SHOUTED, Says.RECORDS])
def test_the_name_is_not_said_as_it_is(says: Says) -> None:
    """Not at all, in capitals, or cut by the head of a record."""
    whole = b"".join(opening(says, name=NAME, port=443, word=WORD).pieces)
    assert TARGET not in whole
    assert (TARGET.upper() in whole) is (says is Says.SHOUTED)
    assert (ANOTHER_SITE.encode() in whole) is (says is Says.FRONT)


def test_records_together_are_the_hello() -> None:
    """Each has a head of its own, with its length (RFC 8446, 5.1)."""
    (said,) = opening(Says.RECORDS, name=NAME, port=443, word=WORD).pieces
    bodies = b""
    while said:
        size = int.from_bytes(said[3:5], "big")
        bodies, said = bodies + said[5 : 5 + size], said[5 + size :]
    assert TARGET in bodies
    assert int.from_bytes(bodies[1:4], "big") == len(bodies) - 4


def test_a_word_is_all_that_is_said_otherwise() -> None:
    """With or without a name."""
    assert opening(Says.TOKEN, name=None, port=1, word=WORD).pieces == (WORD,)


def test_hellos_differ() -> None:
    """By their random, which says which of them was heard."""
    assert client_hello(NAME) != client_hello(NAME)
