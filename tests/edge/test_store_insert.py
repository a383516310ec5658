# SPDX-License-Identifier: Apache-2.0
"""Rows are cut into pieces of few sizes; tests/edge/test_store.py reads what was stored."""

from __future__ import annotations

import itertools

from sensor.edge.store_insert import pieces


def test_pieces_cover_all_rows_in_their_order() -> None:
    """Each piece begins where the last one ended."""
    for count in range(300):
        cuts = [0, *(end for _, end in pieces(count))]
        assert list(pieces(count)) == list(itertools.pairwise(cuts))
        assert cuts[-1] == count


def test_pieces_have_seven_sizes() -> None:
    """So there are seven statements, however many rows a batch has."""
    sizes = {end - start for count in range(300) for start, end in pieces(count)}
    assert sizes == {1, 2, 4, 8, 16, 32, 64}
