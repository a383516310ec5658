# SPDX-License-Identifier: Apache-2.0
"""Signals arrive as bytes, and are what they were afterwards."""

from __future__ import annotations

import os
import signal

from support.patience import is_readable

from sensor.daemon.ending import received, signals


def test_a_signal_is_readable() -> None:
    """It ends nothing by itself, and is named."""
    with signals(signal.SIGHUP) as inbox:
        assert received(inbox) == set()
        os.kill(os.getpid(), signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_readable(inbox, 5)
        assert received(inbox) == {signal.SIGHUP, signal.SIGTERM}


def test_the_second_signal_to_end_ends() -> None:
    """After the first one, the default is back."""
    with signals() as inbox:
        os.kill(os.getpid(), signal.SIGTERM)
        assert is_readable(inbox, 5)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_signals_are_what_they_were_afterwards() -> None:
    """Whoever had a say before has it again."""
    before = signal.getsignal(signal.SIGTERM)
    with signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before
