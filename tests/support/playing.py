# SPDX-License-Identifier: Apache-2.0
"""What the engine wants done, in few words, and ``play``, which tells it a story."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.actions import (
    Destroy,
    Follow,
    Kill,
    Look,
    Notify,
    Record,
    Release,
    Search,
)

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.core.engine import Engine
    from sensor.core.event import Event
    from sensor.core.facts import Fact


def brief(action: Action) -> str:
    """Say in a few words what is to be done: ``exec codex 0``, ``release 12``."""
    match action:
        case Release(process):
            words = f"release {process.pid}"
        case Follow(process, root):
            words = f"follow {process.pid} of {root.pid}"
        case Kill(process, rule):
            words = f"kill {process.pid} {rule}"
        case Destroy(cookie=cookie, remote=(ip, port)):
            words = f"destroy {cookie} {ip}:{port}"
        case Notify(process=process, tty=tty):
            words = f"notify {process.pid} {tty}"
        case Look(process=process):
            words = f"look {process.pid}"
        case Search(image):
            words = f"search {image.process.pid}"
        case Record(event):
            words = _brief(event)
    return words


def _brief(event: Event) -> str:
    if event.loss:
        return f"{event.kind.value} {event.loss[1]} {event.loss[0]}"
    if event.policy:
        return f"policy {event.policy.standing} {event.policy.generation}"
    depth = "" if event.kind.value.startswith("session") else f" {event.depth}"
    return f"{event.kind.value} {event.tool}{depth}{verdict_of(event)}"


def verdict_of(event: Event) -> str:
    """Say a verdict that is more than the default, and how it was carried out."""
    if event.verdict is None or event.rule == "default":
        return ""
    how = f" {event.enforcement.value}" if event.is_refused and event.enforcement else ""
    return f" {event.verdict.value}{how} {event.rule}"


def play(engine: Engine, *story: Fact | list[str]) -> None:
    """Give the engine each fact; what follows it in the story is what the engine does."""
    done: list[str] = []
    for step in story:
        if isinstance(step, list):
            assert done == step
            done = []
        else:
            assert not done, f"untold: {done}"
            done = [brief(action) for action in engine.see(step)]
    assert not done, f"untold: {done}"


def events(engine: Engine, *facts: Fact) -> list[Event]:
    """Give the engine facts and return what it puts on the stream."""
    return [
        action.event for fact in facts for action in engine.see(fact) if isinstance(action, Record)
    ]
