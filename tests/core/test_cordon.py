# SPDX-License-Identifier: Apache-2.0
"""A blocked session is a tool of its own in the chains of all that run in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.actions import Follow
from sensor.core.blocks import with_sessions
from sensor.core.engine import Engine
from sensor.core.sessions import CHAIN
from support.story import CATALOGUE, StoryHost, at, events, exec_, fork

if TYPE_CHECKING:
    from sensor.core.catalogue import Catalogue


class Here(StoryHost):
    """A host of this test."""

    def in_container(self, process: object) -> bool:  # noqa: ARG002, PLR6301  # as the host has it
        """Say that nobody is."""
        return False


def followed(engine: Engine, catalogue: Catalogue) -> dict[int, tuple[int, ...]]:
    """Give whom the kernel is to follow anew, by pid, and in which chain."""
    return {
        action.process.pid: action.tools
        for action in engine.cordon(catalogue)
        if isinstance(action, Follow)
    }


def begun() -> tuple[Engine, str, tuple[int, ...]]:
    """Give an engine with a session of two processes, its id, and its chain."""
    engine = Engine(CATALOGUE, Here())
    [start, *_] = events(engine, exec_(7, "claude", exe="/usr/bin/claude"), fork(7, 8))
    assert start.session
    assert start.tool
    return engine, start.session, (CATALOGUE.index_of(start.tool),)


def test_all_of_a_blocked_session_are_marked() -> None:
    """First in the chain, so that the kernel adds tools behind it."""
    engine, session, chain = begun()
    catalogue = with_sessions(CATALOGUE, {session: 3})
    mark = catalogue.index_of(f"session:{session}")
    assert followed(engine, catalogue) == {7: (mark, *chain), 8: (mark, *chain)}
    assert followed(engine, catalogue) == {}


def test_the_mark_goes_with_the_block() -> None:
    """What it was, it is again."""
    engine, session, chain = begun()
    followed(engine, with_sessions(CATALOGUE, {session: 0}))
    assert followed(engine, CATALOGUE) == {7: chain, 8: chain}


def test_another_session_is_left_alone() -> None:
    """One that nobody has found yet as well."""
    engine, _, _ = begun()
    assert followed(engine, with_sessions(CATALOGUE, {"aaaaaaaa": 0})) == {}


def test_a_session_within_a_blocked_one_is_blocked() -> None:
    """Also one that begins afterwards, and however many are around it."""
    engine, session, chain = begun()
    catalogue = with_sessions(CATALOGUE, {session: 0})
    mark = catalogue.index_of(f"session:{session}")
    followed(engine, catalogue)
    inner = [action for action in engine.see(exec_(8, "codex", exe="/usr/bin/codex", parent=at(7), root=7))
             if isinstance(action, Follow)]  # fmt: skip
    assert [action.tools[:2] for action in inner] == [(mark, *chain)]
    assert all(len(action.tools) <= CHAIN for action in inner)
