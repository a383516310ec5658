# SPDX-License-Identifier: Apache-2.0
"""How long tests wait for what has to come; on this machine's own kernel it comes in moments.

An emulated kernel whose host is busy takes minutes for what takes a second or two,
and nothing is proved by giving up earlier.
"""

from __future__ import annotations

# The start of a sensor: the probes are compiled.
READY_S = 900.0
# Anything else.
SOON_S = 300.0
