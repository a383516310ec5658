# SPDX-License-Identifier: Apache-2.0
"""The packages that make up a kernel."""

from __future__ import annotations

import pytest

from vm.mirror import parts

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
