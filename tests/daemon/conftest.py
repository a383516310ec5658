# SPDX-License-Identifier: Apache-2.0
"""Probes that are loaded once a file: it takes a compile."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.loading import Loaded, loading

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Loaded]:
    """Give loaded probes; a test that loads others puts these back."""
    with loading(tmp_path_factory.mktemp("tool")) as loaded:
        yield loaded
