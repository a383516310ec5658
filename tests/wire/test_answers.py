# SPDX-License-Identifier: Apache-2.0
"""An answer is read as it was said."""

from __future__ import annotations

import pytest

from sensor.errors import FrameError, NotPermittedError
from sensor.wire import answers
from sensor.wire.answers import (
    Answer,
    Done,
    Hello,
    Obeyed,
    Refused,
    Skipped,
    State,
    Told,
    answer_of,
)
from sensor.wire.envelope import Reader

HELLO = Hello(host="build-7", boot_id="b", seq=9, started_at="2026-11-23T14:00:00Z")


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (answers.hello(HELLO), HELLO),
        (answers.told(b"body"), Told(b"body")),
        (answers.skipped(3, 9), Skipped(3, 9)),
        (answers.done(9), Done(9)),
        (answers.state({"mode": "observe"}), State({"mode": "observe"})),
        (answers.obeyed({"stops": True}), Obeyed({"stops": True})),
        (answers.refused(NotPermittedError("no")), Refused("no", 3)),
    ],
)
def test_an_answer_comes_out_as_it_went_in(said: bytes, read: Answer) -> None:
    """``answer_of`` undoes each of the functions that say one."""
    [message] = Reader().feed(said)
    assert answer_of(message) == read


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({}, "expected one of event, skipped, done, hello, status, ok, error"),
        ({"event": "text"}, "answer: event: expected bytes, got str"),
        ({"skipped": [1]}, "skipped: expected two seqs"),
        ({"skipped": [1, "2"]}, "skipped: expected a list of int"),
        ({"hello": {"v": 1}}, "hello without host"),
        ({"error": "no"}, "answer without code"),
    ],
)
def test_what_says_nothing_known_is_an_error(raw: dict[str, object], says: str) -> None:
    """A reader does not go on with half of an answer."""
    with pytest.raises(FrameError) as raised:
        answer_of(raw)
    assert says in str(raised.value)
