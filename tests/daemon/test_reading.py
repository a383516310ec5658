# SPDX-License-Identifier: Apache-2.0
"""Past events are the same from the daemon and from its store, and what is gone is told."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
from support.host import UNPRIVILEGED
from support.recorded import framed, recorded, stored
from support.serving import Serving
from support.streams import HELLO

from sensor.core.away import Garbled, Missed, Remark
from sensor.core.filter import EVERYTHING, Filter, traits_of
from sensor.core.seal import Hole
from sensor.core.wall import NS_PER_S, instant, rfc3339
from sensor.core.when import Moment, Seq, When
from sensor.daemon.reading import (
    RECENT,
    SOCKET,
    STORE,
    HubSource,
    Source,
    StoreSource,
    newest,
    opened,
)
from sensor.edge.store import Store
from sensor.errors import BadInputError, NoDaemonError
from sensor.wire.frame import Frame, body
from sensor.wire.row import Row, row_of

if TYPE_CHECKING:
    from collections.abc import Iterator

TOLD = recorded()
LAST = TOLD[-1].seq
CODEX = Filter(tools=frozenset({"codex"}))
WINDOWS: list[tuple[When | None, When | None]] = [
    (None, None),
    (Seq(0), None),
    (Seq(10), Seq(20)),
    (Seq(10), Seq(4711)),
    (Seq(LAST), None),
    (Seq(LAST + 1), None),
    (Moment(instant("2026-11-23T14:00:40.0Z")), None),
    (None, Moment(instant("2026-11-23T14:00:40.000001Z"))),
    (Moment(instant("2026-11-23T14:00:20.0Z")), Moment(instant("2026-11-23T14:00:25.0Z"))),
    (Moment(instant("2027-01-01T00:00:00.0Z")), None),
    (Moment(0), Moment(1)),
]


@pytest.fixture(params=["hub", "store"])
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Source]:
    """Return the recorded events as either source has them."""
    if request.param == "hub":
        with Serving(tmp_path, framed(TOLD)):
            yield HubSource(tmp_path, complain)
        return
    stored(tmp_path / STORE, TOLD)
    source = StoreSource(tmp_path, complain)
    yield source
    source.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that everybody may look into."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def complain(remark: Remark) -> None:
    """Fail at what nobody expects."""
    pytest.fail(repr(remark))


def expected(wanted: Filter, since: When | None, until: When | None) -> list[int]:
    """Choose seqs by looking at each event."""
    first = since.seq if isinstance(since, Seq) else 0
    last = until.seq if isinstance(until, Seq) else LAST
    after = since.wall_ns if isinstance(since, Moment) else 0
    before = until.wall_ns if isinstance(until, Moment) else 1 << 62
    return [
        event.seq
        for event in TOLD
        if first <= event.seq <= last
        and after <= instant(event.at) <= before
        and wanted.matches(event)
    ]


@pytest.mark.parametrize(("since", "until"), WINDOWS)
@pytest.mark.parametrize("wanted", [EVERYTHING, CODEX], ids=["all", "codex"])
def test_a_window_has_all_that_is_in_it(
    source: Source, wanted: Filter, since: When | None, until: When | None
) -> None:
    """Both ends included, oldest first."""
    found = [event.seq for event in source.events(wanted, since=since, until=until)]
    assert found == expected(wanted, since, until)


def test_events_are_what_they_were(source: Source) -> None:
    """Field by field."""
    assert list(source.events()) == list(TOLD)
    assert source.newest == LAST


def test_who_stops_half_way_can_ask_again(source: Source) -> None:
    """Nothing of the first answer is in the second."""
    assert next(source.events()).seq == 1
    assert next(source.events(since=Seq(7))).seq == 7


def test_a_seq_that_is_yet_to_come_is_refused(source: Source) -> None:
    """It is a mistake, and not an empty answer."""
    with pytest.raises(BadInputError, match=f"seq {LAST + 2} is yet to come: the newest is {LAST}"):
        list(source.events(since=Seq(LAST + 2)))


@pytest.mark.parametrize(("since", "until"), WINDOWS)
@pytest.mark.parametrize("amount", [0, 1, 5, 1000])
def test_the_newest_are_the_end_of_the_window(
    source: Source, amount: int, since: When | None, until: When | None
) -> None:
    """Oldest of them first, however far back they are."""
    found = newest(source, EVERYTHING, amount, since=since, until=until)
    seqs = expected(EVERYTHING, since, until)
    assert [event.seq for event in found] == seqs[max(0, len(seqs) - amount) :]


def test_the_newest_are_counted_after_they_are_accepted(source: Source) -> None:
    """A reader who does not show some of them still gets as many as it asked for."""
    found = newest(source, CODEX, 2, accepts=lambda event: event.seq % 2 == 0)
    even = [seq for seq in expected(CODEX, None, None) if seq % 2 == 0]
    assert [event.seq for event in found] == even[-2:]


def rows(first: int, last: int, *, garbled: tuple[int, ...] = ()) -> list[Row]:
    """Return rows, some of which nobody can read."""
    events = [
        replace(TOLD[0], seq=seq, at=rfc3339(seq * NS_PER_S)) for seq in range(first, last + 1)
    ]
    return [row_of(one, b"?" if one.seq in garbled else body(one)) for one in events]


def test_what_retention_took_is_told_by_both(tmp_path: Path) -> None:
    """Once, for whoever asks for it by number; not to one who asks for all there is."""
    with Store(tmp_path / STORE) as store:
        store.begin()
        for first in range(1, 401, 100):
            store.append(rows(first, first + 99))
        store.retain(max_age_s=150, max_bytes=1 << 30, now_wall_ns=400 * NS_PER_S)
        oldest = store.first_seq
        assert 1 < oldest < 400
        kept = [
            Frame(seq, seq, traits_of(TOLD[0]), raw) for seq, raw in store.read(1, 400, limit=400)
        ]
    said: list[Remark] = []
    with Serving(tmp_path, kept):
        for source in (HubSource(tmp_path, said.append), StoreSource(tmp_path, said.append)):
            assert [event.seq for event in source.events(since=Seq(1))] == [*range(oldest, 401)]
            assert len(newest(source, EVERYTHING, 1000)) == 401 - oldest
            assert len(list(source.events())) == 401 - oldest
            source.close()
    assert said == [Missed(1, oldest - 1, fetched=False)] * 2


def test_what_cannot_be_read_is_told_and_the_rest_is_read(tmp_path: Path) -> None:
    """An event of a later version, say."""
    with Store(tmp_path / STORE) as store:
        store.begin()
        store.append(rows(1, 600, garbled=(300,)))
        kept = [
            Frame(seq, seq, traits_of(TOLD[0]), raw) for seq, raw in store.read(1, 600, limit=600)
        ]
    said: list[Remark] = []
    with Serving(tmp_path, kept):
        for source in (HubSource(tmp_path, said.append), StoreSource(tmp_path, said.append)):
            assert [event.seq for event in source.events()] == [
                seq for seq in range(1, 601) if seq != 300
            ]
            source.close()
    assert [type(one) for one in said] == [Garbled, Garbled]
    assert said[0] == said[1]


def test_one_does_not_look_back_for_ever_when_nobody_said_how_far(tmp_path: Path) -> None:
    """The newest of few are looked for among the last; whoever gives a number gets them all."""
    with Store(tmp_path / STORE) as store:
        store.begin()
        store.append(rows(1, 1), [Hole(2, RECENT + 1, "made up")])
        store.append(rows(RECENT + 2, RECENT + 2))
    source = StoreSource(tmp_path, complain)
    assert len(newest(source, EVERYTHING, 10, everywhere=False)) == 1
    assert len(newest(source, EVERYTHING, 10)) == 2
    source.close()


def test_the_daemon_is_asked_first_and_the_store_read_where_none_runs(tmp_path: Path) -> None:
    """Whoever reads is told which it was."""
    said: list[str] = []
    run_dir, state_dir = tmp_path / "run", tmp_path / "state"
    state_dir.mkdir()

    def open_source() -> Source:
        return opened(run_dir=run_dir, state_dir=state_dir, remark=complain, say=said.append)

    with pytest.raises(NoDaemonError, match="no daemon at"):
        open_source()
    stored(state_dir / STORE, TOLD)
    source = open_source()
    assert isinstance(source, StoreSource)
    source.close()
    assert said == [f"no daemon at {run_dir / SOCKET}: reading {state_dir / STORE}"]
    run_dir.mkdir()
    with Serving(run_dir, framed(TOLD)):
        assert isinstance(open_source(), HubSource)
    assert len(said) == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_read_the_store_is_told_that_no_daemon_runs(open_folder: Path) -> None:
    """The store is root's: the daemon is what others have to ask."""
    stored(open_folder / STORE, TOLD)
    asking = (
        "import sys; from pathlib import Path; from sensor.daemon.reading import opened;"
        " opened(run_dir=Path(sys.argv[1]), state_dir=Path(sys.argv[1]), remark=print, say=print)"
    )
    done = subprocess.run(
        [*UNPRIVILEGED, sys.executable, "-c", asking, open_folder],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "NoDaemonError" in done.stderr, done.stderr
    assert done.stdout == ""


def test_the_daemon_says_of_which_boot_it_is(tmp_path: Path) -> None:
    """The store alone does not know what runs."""
    with Serving(tmp_path, framed(TOLD)):
        assert HubSource(tmp_path, complain).boot_id == HELLO.boot_id
    stored(tmp_path / STORE, TOLD)
    assert StoreSource(tmp_path, complain).boot_id is None
