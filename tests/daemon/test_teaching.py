# SPDX-License-Identifier: Apache-2.0
"""A catalogue is read again while the daemon runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from sensor.daemon.catalogues import shipped
from sensor.daemon.teaching import Teaching
from sensor.errors import SensorError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.daemon.audit_worker import Auditing
    from sensor.daemon.sensing import Sensing


def test_a_reading_that_failed_is_a_problem_until_one_succeeds(tmp_path: Path) -> None:
    """It has the file, the line and what to do; putting the file right is not enough."""
    # What is as it was is told to nobody.
    teaching = Teaching(tmp_path, shipped(), cast("Sensing", None), cast("Auditing", None))
    assert teaching.reload() == teaching.state()
    assert teaching.problems() == []
    file = tmp_path / "corp.toml"
    file.write_text("version = 1\n[[tool]]\nid = 7\n", "utf-8")
    assert teaching.problems() == []  # nobody has asked for it yet
    with pytest.raises(SensorError) as refused:
        teaching.reload()
    [problem] = teaching.problems()
    assert f"the catalogue cannot be read again: {file}:2: tool 7: " in problem
    assert problem.endswith(str(refused.value))
    file.unlink()
    assert teaching.problems() == [problem]
    teaching.reload()
    assert teaching.problems() == []
