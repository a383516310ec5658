# SPDX-License-Identifier: Apache-2.0
"""A million facts go through engine, store and a reader, each event once and in order."""

from __future__ import annotations

import os
import resource
import selectors
import subprocess
import sys
from itertools import chain, islice
from typing import TYPE_CHECKING

from support.story import (
    CATALOGUE,
    CLAUDE,
    GIT,
    StoryHost,
    at,
    close,
    connect,
    exec_,
    exit_,
    fork,
    resolved,
)

from sensor.core.actions import Record
from sensor.core.config import Config
from sensor.core.engine import Engine
from sensor.core.facts import Gap
from sensor.daemon.exporting import Exporting
from sensor.daemon.standing import Clock
from sensor.daemon.telling import Telling
from sensor.edge.door import Door
from sensor.edge.hub import Hub
from sensor.edge.store import Store
from sensor.edge.store_told import Told
from sensor.edge.store_writer import Keep, Writer
from sensor.wire.answers import Hello

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sensor.core.facts import Fact

FACTS = int(os.environ.get("AGENT_SENSOR_FACTS") or 1_000_000)
TURN = 1000
# What the daemon may hold, whatever the stream is; its queue and its recent events are in it.
MOST_BYTES = 96 << 20
# What waits for the disk: the story goes on when it is less.
WAITING_BYTES = 4 << 20

READER = """
import sys
from pathlib import Path
from sensor.edge.hubclient import Connection
from sensor.wire.requests import Point, Scale, Subscribe

wanted = Subscribe(since=Point(Scale.SEQ, 1), every=True)
following = 1
for batch in Connection(Path(sys.argv[1])).events(wanted):
    for event in batch:
        assert event.seq == following, (event.seq, following)
        following += 1
        if event.kind.value == "gap":
            print(event.seq)
            sys.exit()
"""


def sessions() -> Iterator[Fact]:
    """Tell of one run of a tool after another, eight facts each."""
    pid = 10
    while True:
        yield exec_(pid, *CLAUDE)
        yield resolved(pid, "api.anthropic.com", "192.0.2.1")
        yield connect(pid, "192.0.2.1", cookie=pid)
        yield fork(pid, pid + 1)
        yield exec_(pid + 1, *GIT, parent=at(pid), root=pid)
        yield exit_(pid + 1, root=pid)
        yield close(pid, "192.0.2.1", cookie=pid)
        yield exit_(pid)
        pid += 2


class Nobody:
    """A daemon of which nothing is asked."""

    controls = frozenset[str]()

    def status(self) -> dict[str, object]:
        """Say nothing."""
        return {}

    def control(self, request: object) -> dict[str, object]:
        """Do nothing."""
        del request
        return {}


def test_a_million_facts_arrive_once_and_in_order(tmp_path: Path) -> None:
    """The reader checks each number; what the daemon holds stays bounded."""
    before_bytes = _peak_bytes()
    telling = Telling(say=print)
    with (
        Store(tmp_path / "events.db") as store,
        Told(tmp_path / "told") as told,
        selectors.DefaultSelector() as selector,
    ):
        begun = store.begin(told.before)
        past = Store(tmp_path / "events.db", read_only=True)
        hello = Hello(host="h", boot_id="b", seq=0, started_at="2026-11-23T14:00:00Z")
        door = Door(tmp_path / "stream.sock", group=None)
        hub = Hub(door, hello=hello, past=past, daemon=Nobody(), clock=Clock())
        writer = Writer(store, begun, Keep(max_age_s=1 << 40, max_bytes=1 << 40), told.note)
        exporting = Exporting(Config(), dict, say=print)  # type: ignore[arg-type]
        telling.begin(hub, writer, exporting, selector)
        with subprocess.Popen(
            [sys.executable, "-c", READER, tmp_path / "stream.sock"], stdout=subprocess.PIPE
        ) as reader:
            last = _play(telling, writer, selector)
            while reader.poll() is None:
                _turn(telling, selector)
            assert reader.stdout
            assert int(reader.stdout.read()) == last
            assert reader.returncode == 0
        telling.end()
        past.close()
    with Store(tmp_path / "events.db", read_only=True) as store:
        assert store.last_seq == last
    assert _peak_bytes() - before_bytes < MOST_BYTES


def _play(telling: Telling, writer: Writer, selector: selectors.BaseSelector) -> int:
    engine = Engine(CATALOGUE, StoryHost())
    last_word = Gap(at_ns=0, from_wall_ns=0, why="the end")
    facts = chain(islice(sessions(), FACTS - 1), [last_word])
    last = 0
    while some := list(islice(facts, TURN)):
        for fact in some:
            for action in engine.see(fact):
                if isinstance(action, Record):
                    telling.tell(action.event)
                    last = action.event.seq
        _turn(telling, selector)
        while writer.state().waiting_bytes > WAITING_BYTES:
            _turn(telling, selector)
    return last


def _turn(telling: Telling, selector: selectors.BaseSelector) -> None:
    for key, mask in selector.select(0 if telling.timeout() == 0 else 0.001):
        key.data(mask)
    telling.turn()


def _peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
