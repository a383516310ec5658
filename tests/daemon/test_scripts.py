# SPDX-License-Identifier: Apache-2.0
"""The kernel tells of a tool's script each time, and of another one's as soon as it has changed."""

from __future__ import annotations

import os
import struct
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.host import copied
from support.patience import SOON_S
from support.story import exec_

from sensor.core.facts import Exec, File
from sensor.core.scripts import Script
from sensor.daemon import scripts as module
from sensor.daemon.catalogues import catalogue
from sensor.daemon.probing import Probing
from sensor.daemon.scripts import SHOWN_NS, Scripts
from sensor.daemon.state import Slot, State
from sensor.wire import marks, tables
from sensor.wire.searches import Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.loading import Loaded

    from sensor.core.facts import Fact

pytestmark = pytest.mark.kernel

KNOWN = catalogue()
TOOL = KNOWN.index_of("claude-code")
SCRIPT = Script(5, 6, 7, 8)
KEY = tables.script_key(SCRIPT)
NOW = struct.pack("=Q", 1 << 60)


@pytest.fixture
def scripts(loaded: Loaded) -> Iterator[Scripts]:
    """Give tables in which nothing is known, and one script was told of."""
    scripts = Scripts(KNOWN, loaded.pins)
    loaded.pins.map("shown").update(KEY, NOW)
    yield scripts
    scripts.learn(KNOWN)
    scripts.close()


@contextmanager
def held(path: Path) -> Iterator[tuple[int, File]]:
    """Hold a file by a descriptor, as the searcher gives it."""
    handle = os.open(path, os.O_PATH)
    now = os.fstat(handle)
    try:
        yield handle, File(0, now.st_ino, now.st_ctime_ns, now.st_size)
    finally:
        os.close(handle)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file."""
    path = tmp_path / "x.js"
    path.write_text("text")
    return path


def known(loaded: Loaded) -> bytes | None:
    """Give what the kernel has of a tool's script."""
    return loaded.pins.map("scripts").lookup(KEY, marks.MARK.size)


def shown(loaded: Loaded) -> int | None:
    """Say when the kernel told of the script, as far as it remembers."""
    value = loaded.pins.map("shown").lookup(KEY, 8)
    return struct.unpack("=Q", value)[0] if value else None


def test_a_tool_s_script_is_told_each_time(scripts: Scripts, loaded: Loaded, path: Path) -> None:
    """Until what is found at its path is none."""
    with held(path) as file:
        scripts.settle(SCRIPT, TOOL, file)
        assert known(loaded)
        assert (len(scripts), scripts.is_tool(SCRIPT)) == (1, True)
        scripts.settle(SCRIPT, 0, file)
    assert known(loaded) is None
    assert (len(scripts), scripts.is_tool(SCRIPT)) == (0, False)


def test_there_is_room_for_so_many(
    scripts: Scripts, loaded: Loaded, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oldest is looked into again at its next execution."""
    monkeypatch.setattr(module, "SCRIPTS", 1)
    with held(path) as file:
        scripts.settle(SCRIPT, TOOL, file)
        scripts.settle(replace(SCRIPT, hash=8), TOOL, file)
    assert (known(loaded), shown(loaded), len(scripts)) == (None, None, 1)


def test_what_holds_nothing_is_told_again_when_it_changes(
    scripts: Scripts, loaded: Loaded, path: Path
) -> None:
    """And not before."""
    with held(path) as file:
        scripts.settle(SCRIPT, 0, file)
    assert (known(loaded), shown(loaded)) == (None, struct.unpack("=Q", NOW)[0])
    path.unlink()
    scripts.take_changes()
    assert shown(loaded) is None


def test_what_is_not_watched_any_more_is_told_again(
    scripts: Scripts, loaded: Loaded, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others took the room: it may change unseen."""
    monkeypatch.setattr("sensor.edge.inotify_changes.WATCHED", 1)
    with held(path) as file:
        scripts.settle(SCRIPT, 0, file)
    other = path.with_name("other")
    other.touch()
    with held(other) as file:
        scripts.settle(replace(SCRIPT, hash=8), 0, file)
    assert shown(loaded) is None


def test_one_that_was_changed_before_it_was_watched_is_told_again(
    scripts: Scripts, loaded: Loaded, path: Path
) -> None:
    """What was found is of another file."""
    with held(path) as (handle, file):
        path.write_text("another")
        scripts.settle(SCRIPT, 0, (handle, file))
    assert (known(loaded), shown(loaded)) == (None, None)


def test_without_a_watch_it_is_told_after_a_moment(
    scripts: Scripts, loaded: Loaded, path: Path
) -> None:
    """And where there is no file that could be watched."""
    scripts.settle(SCRIPT, 0, None)
    assert (shown(loaded) or 0) < struct.unpack("=Q", NOW)[0]
    loaded.pins.map("shown").update(KEY, NOW)
    scripts.close()
    scripts.changes = None
    with held(path) as file:
        scripts.settle(SCRIPT, 0, file)
    assert (shown(loaded) or 0) < struct.unpack("=Q", NOW)[0]
    scripts.take_changes()


def test_one_that_could_not_be_looked_into_is_told_after_a_moment(
    scripts: Scripts, loaded: Loaded
) -> None:
    """As if the kernel had told of it nearly as long ago as it keeps silent."""
    scripts.retry(SCRIPT)
    then = shown(loaded)
    assert then is not None
    assert 0 <= then < (1 << 60) - SHOWN_NS


def test_the_hash_of_a_script_is_by_a_seed_of_the_load(
    scripts: Scripts, loaded: Loaded, path: Path
) -> None:
    """Nobody can compute which harmless one has a tool's."""
    facts: list[Fact] = []
    probing, state = Probing(loaded.pins, facts.append), State.of(loaded.pins)
    scripts.watch()
    drawn, node = state[Slot.SEED], copied("true", path.parent / "bin", name="node")
    assert drawn
    try:
        for state[Slot.SEED] in (0, drawn):
            probing.teach(KNOWN)
            assert loaded.scope.run([node, path]).wait(SOON_S) == 0
    finally:
        state[Slot.SEED] = drawn
        probing.teach(KNOWN)
    probing.read()
    probing.ring.close()
    told = [one.script.hash for one in facts if isinstance(one, Exec) and one.script]
    assert told == [marks.hash_text(bytes(path), seed) | 1 for seed in (0, drawn)]


def test_an_image_says_where_its_script_is(scripts: Scripts) -> None:
    """From the root, from the working directory, or nowhere."""
    node = replace(exec_(9, "node", "-r", "./a.js", "x.js"), exe="/usr/bin/node", cwd="/src")
    assert scripts.place(node) == Place("x.js", "/src", 0)
    told = replace(node, argv=("node", "/x.js"), script=SCRIPT)
    assert scripts.place(told) == Place("/x.js", "/", 6)
    assert scripts.place(replace(node, cwd=None)) is None
    assert scripts.place(exec_(9, "git", "status")) is None


def test_what_was_known_by_another_catalogue_is_forgotten(
    scripts: Scripts, loaded: Loaded, path: Path
) -> None:
    """Its tools may have other numbers; what was told is told again."""
    with held(path) as file:
        scripts.settle(SCRIPT, TOOL, file)
    scripts.learn(KNOWN)
    assert (known(loaded), shown(loaded), len(scripts)) == (None, None, 0)
