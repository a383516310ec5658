# SPDX-License-Identifier: Apache-2.0
"""A box has all that `make install` asks for, since its guest can ask nobody."""

from __future__ import annotations

import re
import tomllib
from typing import TYPE_CHECKING

from vm.box import FILES, PACKAGES, WHEELS, fill, wanted
from vm.guest import CHECKOUT

if TYPE_CHECKING:
    from pathlib import Path


def test_what_the_makefile_asks_apt_for_is_there() -> None:
    """And `make` itself."""
    makefile = (CHECKOUT / "Makefile").read_text("utf-8")
    asked = re.findall(r"^RUN_PACKAGES +:= (.*)$", makefile, re.MULTILINE)
    assert asked
    assert {"make", *asked[0].split()} <= set(PACKAGES)


def test_what_pip_needs_is_the_build_backend_and_the_dependencies() -> None:
    """By name as in pyproject.toml, with their bounds."""
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text("utf-8"))
    names = wanted(project)
    assert any(name.startswith("hatchling") for name in names)
    assert set(project["project"]["dependencies"]) < set(names)


def test_a_debian_becomes_a_box(tmp_path: Path) -> None:
    """The files, whoever logs in, where pip looks; a machine's own number is not among them."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("0123\n")
    fill(tmp_path, public_key="ssh-ed25519 AAAA vagrant\n")
    assert all((tmp_path / name).read_text() == text for name, text in FILES.items())
    key = tmp_path / "home/vagrant/.ssh/authorized_keys"
    assert key.read_text() == "ssh-ed25519 AAAA vagrant\n"
    assert f"/{WHEELS}\n" in (tmp_path / "etc/pip.conf").read_text()
    assert not (tmp_path / "etc/machine-id").read_text()
