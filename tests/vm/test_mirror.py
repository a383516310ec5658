# SPDX-License-Identifier: Apache-2.0
"""The packages that make up a kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vm.mirror import Suite, UnavailableError, parts

if TYPE_CHECKING:
    from pathlib import Path

META = """\
Package: linux-image-amd64
Depends: linux-image-6.1.0-56-amd64 (= 6.1.192-2)
Description: Linux for 64-bit PCs (meta-package)
"""
WHOLE = """\
Package: linux-image-6.1.0-56-amd64
Depends: kmod, linux-base (>= 4.3~), initramfs-tools (>= 0.120+deb8u2) | linux-initramfs-tool
Recommends: firmware-linux-free, apparmor
"""
DIVIDED = """\
Package: linux-image-7.2.13+deb14-amd64
Depends: linux-base-7.2.13+deb14-amd64 (= 7.2.13-1), linux-binary-7.2.13+deb14-amd64 (= 7.2.13-1)
"""


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (META, ["linux-image-6.1.0-56-amd64"]),
        (WHOLE, []),
        (DIVIDED, ["linux-base-7.2.13+deb14-amd64", "linux-binary-7.2.13+deb14-amd64"]),
        ("Package: linux-image-none\n", []),
    ],
    ids=["meta", "whole", "divided", "no dependency"],
)
def test_a_package_names_the_further_parts_of_its_kernel(shown: str, expected: list[str]) -> None:
    """What else the kernel depends on is not for a guest: it has this machine's."""
    assert parts(shown) == expected


def test_a_mirror_that_fails_is_asked_once_and_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two kernels of one suite do not wait twice; what apt said is there, but not the address."""
    calls = tmp_path / "calls"
    apt = tmp_path / "apt-get"
    apt.write_text(
        f"""#!/bin/sh
case "$*" in
*indextargets*) echo "Debian bookworm mirror://example/debian/" ;;
*) echo asked >>{calls}
   echo "E: The repository 'mirror://example x' has no Release file." >&2
   exit 100 ;;
esac
"""
    )
    apt.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    suite = Suite("bookworm", tmp_path / "state")
    for _ in range(2):
        with pytest.raises(UnavailableError, match=r"bookworm.*no Release file") as caught:
            suite.update()
        assert "mirror://" not in str(caught.value)
    assert calls.read_text() == "asked\n"
