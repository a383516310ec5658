# SPDX-License-Identifier: Apache-2.0
"""What tests need from the machine, and what becomes of them where it is missing."""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKOUT = Path(__file__).parent.parent
# linux/bpf.h, enum bpf_prog_type
_TRACING = 26
_LSM = 29


def _loads(program_type: int) -> bool:
    """Tell whether the kernel takes a program of this type from us; a list of features may lie."""
    return bool(ctypes.CDLL("libbpf.so.1").libbpf_probe_bpf_prog_type(program_type, None) == 1)


def _has_kprobes() -> bool:
    return Path("/sys/bus/event_source/devices/kprobe").exists()


def _is_ours_alone() -> bool:
    """Tell whether nobody else's processes can be hurt: said by whoever made the machine."""
    return os.environ.get("AGENT_SENSOR_TEST_HOST_WIDE") == "1"


_OFFERED: dict[str, Callable[[], bool]] = {
    "lsm": lambda: _loads(_LSM),
    "fentry": lambda: _loads(_TRACING),
    "kprobe": _has_kprobes,
    "host-wide": _is_ours_alone,
}


def pytest_configure() -> None:
    """Have sensors keep what they compile for the next ones: systemd names the folder so."""
    if os.geteuid() == 0:
        cache = Path(os.environ.get("AGENT_SENSOR_CACHE") or CHECKOUT / ".cache")
        folder = Path(os.environ.setdefault("CACHE_DIRECTORY", str(cache / "code")))
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have results say which tests are long: docs/kernels.md counts them."""
    for item in items:
        if item.get_closest_marker("long"):
            item.user_properties.append(("long", "yes"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Fail kernel tests that lack root; skip, with the word, what the kernel does not offer."""
    if item.get_closest_marker("kernel") and os.geteuid() != 0:
        pytest.fail(
            "kernel tests attach BPF programs and need root: run `make test`, which uses sudo, "
            "or leave them out with -m 'not kernel'",
            pytrace=False,
        )
    for marker in item.iter_markers("needs"):
        for word in marker.args:
            if not _OFFERED[word]():
                pytest.skip(word)
