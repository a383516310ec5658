# SPDX-License-Identifier: Apache-2.0
"""A hub that serves in a thread of its own, to readers that block; it can be killed."""

from __future__ import annotations

import os
import queue
import threading
from typing import TYPE_CHECKING, Self

from support.streams import MemoryPast, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from sensor.core.admission import Limits
    from sensor.wire.frame import Frame

SOCKET = "stream.sock"
_TURN_S = 0.01
_LONGEST_S = 20.0
_UP_S = 3600
"""How long the host has been up: whatever is told happened before."""


class Serving:
    """Serves at ``run_dir`` what is stored, and what it is told then, until the ``with`` ends."""

    def __init__(
        self, run_dir: Path, kept: Iterable[Frame] = (), *, limits: Limits | None = None
    ) -> None:
        past = MemoryPast(kept)
        self.stage = Stage(run_dir / SOCKET, past, limits=limits, group=os.getgid())
        self.stage.clock.pass_s(_UP_S)
        self._todo: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._todo.put(None)
        self._thread.join(_LONGEST_S)

    def tell(self, frames: Iterable[Frame], *, store: bool = True) -> None:
        """Publish events, and wait until that is so."""
        told = threading.Event()
        new = list(frames)

        def publish() -> None:
            self.stage.tell(new, store=store)
            told.set()

        self._todo.put(publish)
        assert told.wait(_LONGEST_S)

    def _serve(self) -> None:
        with self.stage:
            while True:
                try:
                    job = self._todo.get_nowait()
                except queue.Empty:
                    self.stage.turn(_TURN_S)
                    self.stage.clock.pass_s(_TURN_S)
                    continue
                if job is None:
                    return
                job()
                self.stage.turn()
