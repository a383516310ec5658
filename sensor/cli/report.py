# SPDX-License-Identifier: Apache-2.0
"""``report``: one page for a case or a time, for people who have no terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sensor.cli import choosing, chrome, options
from sensor.cli.clock import window
from sensor.cli.sourcing import source_at
from sensor.core.units import count
from sensor.errors import DamagedStoreError, SensorError

if TYPE_CHECKING:
    from sensor.daemon.reporting import Seal


@click.command(short_help="Write one HTML page for a case or a time.")
@click.argument(
    "file", type=click.Path(dir_okay=False, writable=True, path_type=Path), metavar="FILE"
)
@click.option("--title", default="AI tools on this host", show_default=True, help="Its heading.")
@choosing.since_yesterday
@choosing.until
@choosing.who
@options.run_dir
@options.state_dir
def report(
    *,
    file: Path,
    title: str,
    since: str,
    until: str | None,
    run_dir: Path,
    state_dir: Path,
    **names: tuple[str, ...],
) -> None:
    """Write one HTML page for a case or a time.

    Summary, timeline, blocked attempts, sessions with their trees, connections by
    endpoint, what audits found, gaps and losses, and whether the seals hold. The
    file needs nothing else and runs no script; it is readable in print. Checking
    the seals takes root. With --session or --user it is about these alone.

    \b
    Examples:
      agent-sensor report case-17.html --title "Case 17" --session uimgkfb4
      agent-sensor report week.html --since 7d
    """
    from sensor.daemon import searching  # the store and msgpack: only here
    from sensor.daemon.reporting import write_report  # jinja2: only here

    first, last = window(since, until)
    wanted = choosing.wanted(**names)
    with source_at(run_dir, state_dir) as source:
        for session in sorted(wanted.sessions):
            searching.first_of(source, session)
        amount = write_report(
            file,
            source,
            wanted,
            since=first,
            until=last,
            title=title,
            seal=_seal(state_dir),
            counted=chrome.counted,
        )
    chrome.say(f"{file}: {count(amount, 'session', 'sessions')}")


def _seal(state_dir: Path) -> Seal:
    """Check the seals, where that is ours to do."""
    from sensor.daemon.reading import STORE  # SQLite: only here
    from sensor.daemon.reporting import Seal
    from sensor.edge.store import Store
    from sensor.edge.store_verify import Broken

    try:
        with (
            Store(state_dir / STORE, read_only=True) as store,
            chrome.progress("verified event") as show,
        ):
            found = store.verify(show, known=None)
    except DamagedStoreError as problem:
        return Seal("broken", str(problem))
    except (SensorError, OSError) as problem:
        return Seal("unchecked", f"the seals were not checked: {problem}")
    if isinstance(found, Broken):
        return Seal("broken", f"from event {found.first_seq} on: {found.why}")
    events = count(found.rows, "event", "events")
    text = f"no event was changed, removed or added: {events}, up to {found.head.last_seq}"
    if found.unstored:
        text += f"; {count(found.unstored, 'event', 'events')} declared as not stored"
    return Seal("intact", text, f"{found.head.n}:{found.head.hash.hex()}")
