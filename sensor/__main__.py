# SPDX-License-Identifier: Apache-2.0
"""``python -m sensor`` is ``agent-sensor``."""

from sensor.cli import main

main()
