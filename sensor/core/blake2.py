# SPDX-License-Identifier: Apache-2.0
"""BLAKE2b (RFC 7693) as CPython has it itself.

``hashlib`` gives the same function, but maps OpenSSL first, which takes 4 MiB
of a daemon that may take 32.
"""

from __future__ import annotations

from _blake2 import blake2b

__all__ = ["blake2b"]
