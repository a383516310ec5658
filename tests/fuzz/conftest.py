# SPDX-License-Identifier: Apache-2.0
"""The readers of probes/, compiled once."""

from __future__ import annotations

import pytest
from support.readers import Readers, compiled


@pytest.fixture(scope="session")
def readers(tmp_path_factory: pytest.TempPathFactory) -> Readers:
    """Give the readers."""
    return compiled(tmp_path_factory.mktemp("readers"))
