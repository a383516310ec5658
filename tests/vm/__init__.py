# SPDX-License-Identifier: Apache-2.0
"""Debian kernels booted in QEMU, with this machine's own root, to run the kernel tests in."""
