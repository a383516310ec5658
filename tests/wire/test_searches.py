# SPDX-License-Identifier: Apache-2.0
"""What the daemon and its searcher say to each other comes out as it went in."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.story import name, tool

from sensor.core.facts import File
from sensor.core.scripts import Inside
from sensor.errors import FrameError
from sensor.wire import searches
from sensor.wire.searches import Answer, Outcome, Place

FILE = File(dev=8 << 20 | 1, ino=2**64 - 1, ctime_ns=2**60, size_bytes=1 << 40)
HOLDING = replace(tool("one", "v", name("one")), contents=("FIRST_MARKER", "SECOND_MARKER"))


def test_markers_come_as_tools_that_have_nothing_else() -> None:
    """A tool without any is left out."""
    [came] = searches.markers_of(searches.markers([HOLDING, tool("two", "v", name("two"))]))
    assert (came.id, came.contents, came.marks) == ("one", HOLDING.contents, ())


def test_more_than_there_is_room_for_is_not_sent() -> None:
    """A datagram has a largest size."""
    large = replace(HOLDING, contents=("x" * searches.LARGEST_BYTES,))
    with pytest.raises(FrameError, match="at most 65536 are taken"):
        searches.markers([large])


def test_markers_of_scripts_are_their_own() -> None:
    """What is in a program need not be in a script."""
    scripts = replace(HOLDING, contents=(), scripts=("IN_THE_SCRIPT",))
    [came] = searches.markers_of(searches.script_markers([HOLDING, scripts]))
    assert came.contents == ("IN_THE_SCRIPT",)


def test_a_request_names_a_script() -> None:
    """By its path, and by the folder from which that is looked up."""
    place = Place("../x.js", "/home/src", 2**64 - 1)
    assert searches.request_of(searches.script_request(place)) == place


@pytest.mark.parametrize(
    "inside",
    [Inside("/x"), Inside("/x", package="npm:p", owns=True, module="m", tool="one"), None],
)
def test_an_answer_has_what_was_found_out_of_a_script(inside: Inside | None) -> None:
    """And which file that was, which comes with it."""
    found = Answer(Outcome.NOTHING, inside=inside, file=FILE)
    assert searches.answer_of(searches.answer(found)) == found


def test_a_path_that_was_found_comes_as_text() -> None:
    """It is to be shown; nobody looks for the file by it any more."""
    found = Answer(Outcome.NOTHING, inside=Inside("/opt/\udcff"), file=FILE)
    came = searches.answer_of(searches.answer(found))
    assert came.inside == Inside(r"/opt/\xff")


@pytest.mark.parametrize("path", ["/opt/x", "", "…/cut/\\xff", "/opt/\udcff"])
def test_a_request_names_its_file(path: str) -> None:
    """With all by which it is told from another, and where it lay, byte by byte."""
    assert searches.request_of(searches.request(FILE, path)) == (FILE, path)


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("found", [None, "claude-code"])
def test_an_answer_comes_out_as_it_went_in(outcome: Outcome, found: str | None) -> None:
    """Whatever came of it."""
    answer = Answer(outcome, found)
    assert searches.answer_of(searches.answer(answer)) == answer


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Nothing else comes in."""
    for read in (searches.markers_of, searches.request_of, searches.answer_of):
        with suppress(FrameError):
            read(data)
