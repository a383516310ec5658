# SPDX-License-Identifier: Apache-2.0
"""A session's tree as people read it: one line a process, one a destination.

Children stand two columns further in. Many childless children of one program,
as a build has them, are folded into one line that counts them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from sensor.core.line import command, ending, peer
from sensor.core.outcome import Outcome
from sensor.core.quote import quote
from sensor.core.units import count, duration, size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sensor.core.sessiontree import Branch, Link

FOLD = 8
"""So many of one program are shown; of more, the first and how many there are."""

NAMES = 8
"""So many names that were asked for and not connected to are shown of a process."""

_STEP = "  "


def lines(branch: Branch, *, fold: int | None = FOLD) -> Iterator[str]:
    """Write a tree; with ``fold`` None, every process has its line."""
    rest: list[tuple[int, Branch | str]] = [(0, branch)]
    while rest:
        depth, one = rest.pop()
        if isinstance(one, str):
            yield f"{_STEP * depth}{one}"
            continue
        yield f"{_STEP * depth}{_process(one)}"
        yield from (f"{_STEP * (depth + 1)}{text}" for text in _reached(one))
        rest += ((depth + 1, below) for below in reversed(_folded(one.children, fold)))


def _process(branch: Branch) -> str:
    if branch.views:
        what = " then ".join(command(view) for view in branch.views)
    elif branch.seen:
        what = f"(forked) {quote(branch.seen.exe or '-')}"
    else:
        what = "(forked)"
    notes = [f"pid {branch.process.pid}"]
    if branch.status is not None:
        notes.append(ending(branch.status))
    if branch.duration_ns is not None:
        notes.append(duration(branch.duration_ns))
    begins = "".join(f"[{session}] " for session in branch.starts)
    return f"{begins}{what}  ({', '.join(notes)})"


def _reached(branch: Branch) -> Iterator[str]:
    """Write the destinations, and the names that nothing was connected to."""
    for link in branch.links.values():
        yield f"-> {_link(link)}"
    reached = {link.to.name for link in branch.links.values()}
    asked = [name for name in branch.asked if name not in reached]
    if asked:
        more = f" [+{len(asked) - NAMES} names]" if len(asked) > NAMES else ""
        yield f"?? {', '.join(quote(name) for name in asked[:NAMES])}{more}"


def _link(link: Link) -> str:
    to = link.to
    name = quote(to.name) if to.name else f"({to.endpoint})" if to.endpoint else ""
    where = " ".join(filter(None, (peer(to.ip, to.port), name, to.transport)))
    parts = [count(link.connections, "connection", "connections")]
    if link.closed:
        parts.append(f"sent {size(link.sent_bytes)}")
        parts.append(f"received {size(link.received_bytes)}")
        parts.append(duration(link.duration_ns))
    unusual = {name: many for name, many in link.outcomes.items() if name != Outcome.CLOSED}
    parts += [f"{many} {name}" for name, many in unusual.items()]
    return f"{where}  ({', '.join(parts)})"


def _folded(children: list[Branch], fold: int | None) -> list[Branch | str]:
    """Replace what is like its siblings, beyond the first of them, by a count."""
    alike = Counter(key for child in children if (key := _likeness(child)))
    shown: list[Branch | str] = []
    met: set[str] = set()
    for child in children:
        key = _likeness(child)
        if fold is None or key is None or alike[key] <= fold:
            shown.append(child)
        elif key not in met:
            met.add(key)
            shown += [child, f"[+{alike[key] - 1} more] {quote(key)}"]
    return shown


def _likeness(branch: Branch) -> str | None:
    """Return by what a process is like others; None for one that has something of its own."""
    if branch.children or branch.links or branch.asked or branch.starts or len(branch.views) != 1:
        return None
    return branch.views[0].exe
