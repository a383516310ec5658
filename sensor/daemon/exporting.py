# SPDX-License-Identifier: Apache-2.0
"""What leaves the daemon besides the stream: metrics and the host's log, where configured."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.core.metrics import Metrics
from sensor.edge.forward import Forward
from sensor.errors import SensorError

if TYPE_CHECKING:
    import selectors
    from collections.abc import Callable, Iterator, Sequence

    from sensor.core.config import Config
    from sensor.core.event import Event
    from sensor.core.metrics import Family, Readings
    from sensor.edge.metrics import Endpoint, Textfile

TEXTFILE_S = 15
"""How often the file is written: the interval at which Prometheus mostly asks."""


class Exporting:
    """Counts and forwards what goes out. ``read`` tells how the daemon stands.

    Without configuration it does nothing and wakes nobody. Raises SensorError
    where an endpoint cannot be had. ``say`` is for the operator's log.
    """

    def __init__(
        self, config: Config, read: Callable[[], Readings], *, say: Callable[[str], None]
    ) -> None:
        self._read = read
        self._say = say
        self._metrics: Metrics | None = None
        self._endpoint: Endpoint | None = None
        self._textfile: Textfile | None = None
        self._forward = Forward() if config.syslog else None
        self._due_s = time.monotonic()
        self._is_failing = False
        if config.metrics_listen or config.metrics_textfile:
            self._measure(config)

    def _measure(self, config: Config) -> None:
        from sensor.edge import metrics  # noqa: PLC0415  # 5 MB: only where it is configured

        self._metrics = Metrics()
        if config.metrics_listen:
            self._endpoint = metrics.Endpoint(config.metrics_listen, self._families)
        if config.metrics_textfile:
            self._textfile = metrics.Textfile(Path(config.metrics_textfile))

    @property
    def undelivered(self) -> int:
        """How many events the host's log did not take."""
        return self._forward.undelivered if self._forward else 0

    def register(self, selector: selectors.BaseSelector) -> None:
        """Have a selector watch our sockets; each key's ``data`` is to be called with its mask."""
        if self._endpoint:
            self._endpoint.register(selector)

    def tell(self, events: Sequence[Event], *, now_ns: int) -> None:
        """Take the events of one turn, in order; ``now_ns`` is since boot."""
        if self._metrics:
            self._metrics.count(events, now_ns=now_ns)
        if self._forward:
            self._forward.send(events)

    def turn(self) -> None:
        """Write the file if it is time; call it once in each turn of the loop."""
        now_s = time.monotonic()
        if self._textfile is None or now_s < self._due_s:
            return
        self._due_s = now_s + TEXTFILE_S
        try:
            self._textfile.write(self._families())
        except SensorError as problem:
            if not self._is_failing:
                self._say(f"metrics cannot be written: {problem}")
            self._is_failing = True
        else:
            self._is_failing = False

    def timeout(self) -> float | None:
        """Say how long the loop may sleep; None: until something happens."""
        return None if self._textfile is None else max(0.0, self._due_s - time.monotonic())

    def close(self) -> None:
        """Take down what would say that the daemon is up."""
        if self._endpoint:
            self._endpoint.close()
        if self._textfile:
            self._textfile.remove()
        if self._forward:
            self._forward.close()

    def _families(self) -> Iterator[Family]:
        if self._metrics:
            yield from self._metrics.families(self._read())
