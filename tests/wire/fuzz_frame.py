# SPDX-License-Identifier: Apache-2.0
"""A target for atheris: bytes from the socket, on both ends and as an event.

    python tests/wire/fuzz_frame.py -max_total_time=60

Without atheris the same runs within the test-suite on random bytes, bounded.
"""

from __future__ import annotations

import sys
from contextlib import suppress

from sensor.errors import BadInputError
from sensor.wire.answers import answer_of
from sensor.wire.envelope import Reader
from sensor.wire.frame import event_of
from sensor.wire.requests import request_of

CONTROLS = frozenset({"stop"})


def one_input(raw: bytes) -> int:
    """Read bytes in every way there is; return how many messages were in them.

    Whatever is raised here but BadInputError is a defect.
    """
    found = 0
    half = len(raw) // 2
    reader = Reader()
    with suppress(BadInputError):
        for piece in (raw[:half], raw[half:]):
            for message in reader.feed(piece):
                found += 1
                _read(message)
    with suppress(BadInputError):
        event_of(raw)
    return found


def _read(message: dict[str, object]) -> None:
    with suppress(BadInputError):
        answer_of(message)
    with suppress(BadInputError):
        request_of(message, controls=CONTROLS)


if __name__ == "__main__":
    import atheris

    atheris.instrument_all()
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
