# SPDX-License-Identifier: Apache-2.0
"""Opens where a command's events come from, and says on stderr what there is to say of it."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING

from sensor.cli import chrome
from sensor.cli.clock import clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sensor.daemon.reading import Source
    from sensor.edge.hubclient import Connection


def daemon_at(run_dir: Path) -> Connection:
    """Connect to the daemon. Raises NoDaemonError where none runs."""
    from sensor.daemon.reading import SOCKET  # msgpack: only here
    from sensor.edge.hubclient import Connection  # msgpack: only here

    return Connection(run_dir / SOCKET)


@contextmanager
def source_at(
    run_dir: Path, state_dir: Path, *, time: Callable[[str], str] = clock
) -> Iterator[Source]:
    """Open the daemon's stream or, for root with no daemon, the store; for the length of a with."""
    from sensor.daemon import reading  # the store and msgpack: only here

    source = reading.opened(
        run_dir=run_dir,
        state_dir=state_dir,
        remark=partial(chrome.remark, time=time),
        say=chrome.say,
    )
    try:
        yield source
    finally:
        source.close()
