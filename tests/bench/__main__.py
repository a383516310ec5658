# SPDX-License-Identifier: Apache-2.0
"""``python tests/bench``: the figures of docs/overhead.md, measured here."""

from __future__ import annotations

import sys
from pathlib import Path

# A folder that is run is its own first path; the tests' packages lie one above.
sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench.command import main  # noqa: E402  # not found before the line above

main()
