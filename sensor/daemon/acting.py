# SPDX-License-Identifier: Apache-2.0
"""What the engine wants done beyond the kernel's tables, as orders to the deputy.

Without one, nothing is enforced, and the engine wants nothing of the kind.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.actions import Destroy, Kill, Notify
from sensor.wire import orders
from sensor.wire.orders import Protocol

if TYPE_CHECKING:
    from sensor.core.actions import Action
    from sensor.daemon.deputy import Deputy


class Acting:
    """Hands actions on. None of them is waited for."""

    def __init__(self, deputy: Deputy) -> None:
        self._deputy = deputy

    def do(self, action: Action) -> None:
        """Do what the engine wants, if it is of this kind."""
        match action:
            case Destroy():
                self._deputy.order(
                    orders.Destroy(
                        cookie=action.cookie,
                        protocol=Protocol.TCP,
                        remote=action.remote,
                        local=action.local,
                        process=action.process if action.process.pid else None,
                    )
                )
            case Kill(process):
                self._deputy.order(orders.Kill(process))
            case Notify():
                owners = {one for one in (action.uid, action.loginuid) if one is not None}
                self._deputy.order(
                    orders.Notify(
                        process=action.process,
                        tty=action.tty,
                        owners=tuple(sorted(owners)),
                        text=action.text,
                    )
                )
            case _:
                pass
