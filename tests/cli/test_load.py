# SPDX-License-Identifier: Apache-2.0
"""What a user sees of `load` and `unload`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.host import BPFFS, Host
from support.scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.kernel


@pytest.fixture
def host() -> Iterator[Host]:
    """Give a host that nothing is loaded on."""
    with Host() as host:
        yield host


def test_loading_and_unloading_say_what_they_did(host: Host) -> None:
    """One line each, with the place; nothing is missing, so stderr is empty."""
    with Scope() as scope:
        said = [
            host.sensor(command, f"--scope={scope.path}")
            for command in ("unload", "load", "load", "unload", "unload")
        ]
    assert [(each.status, each.err) for each in said] == [(0, "")] * 5
    assert [each.out.split()[0] for each in said] == [
        "nothing", "loaded", "reused", "removed", "nothing",
    ]  # fmt: skip
    assert all(str(BPFFS) in each.out for each in said)
    assert all(len(each.out.splitlines()) == 1 for each in said)


def test_json_says_the_same(host: Host) -> None:
    """One object, with the pins, whether they are old, and what is missing."""
    with Scope() as scope:
        said = host.sensor("load", "--json", f"--scope={scope.path}")
    answer = json.loads(said.out)
    assert set(answer) == {"pins", "reused", "missing"}
    assert (answer["reused"], answer["missing"]) == (False, {})
    assert list(host.seen(BPFFS).glob(f"{answer['pins'].removeprefix(f'{BPFFS}/')}/map_*"))


def test_pins_go_where_they_are_wanted(host: Host, tmp_path: Path) -> None:
    """Another bpffs does as well, and the usual one is left alone."""
    host.mount("-t", "bpf", "bpf", tmp_path)
    with Scope() as scope:
        options = (f"--scope={scope.path}", f"--bpffs={tmp_path}")
        loaded = host.sensor("load", *options)
        unloaded = host.sensor("unload", *options)
    assert loaded.out.startswith(f"loaded {tmp_path}/")
    assert unloaded.out.startswith(f"removed {tmp_path}/")
    assert not (host.seen(BPFFS) / "agent-sensor").exists()
