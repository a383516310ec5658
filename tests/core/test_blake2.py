# SPDX-License-Identifier: Apache-2.0
"""BLAKE2b is that of RFC 7693, and comes without OpenSSL."""

from __future__ import annotations

import hashlib
import subprocess
import sys

from sensor.core.blake2 import blake2b

_MAPPED = "import sys, sensor.daemon.run; print('_hashlib' in sys.modules)"


def test_it_hashes_as_the_rfc_says() -> None:
    """The example of RFC 7693, appendix A, begins and ends like this."""
    digest = blake2b(b"abc").hexdigest()
    assert (digest[:8], digest[-8:]) == ("ba80a53f", "d4009923")


def test_its_options_are_those_of_hashlib() -> None:
    """A size and a purpose change the digest in the same way."""
    options = {"digest_size": 32, "person": b"a purpose"}
    ours, theirs = blake2b(b"x", **options), hashlib.blake2b(b"x", **options)  # type: ignore[arg-type]
    assert ours.digest() == theirs.digest()


def test_the_daemon_does_not_map_openssl() -> None:
    """Nothing else that the daemon imports brings it in again."""
    done = subprocess.run(
        [sys.executable, "-I", "-c", _MAPPED], capture_output=True, check=True, text=True
    )
    assert done.stdout == "False\n"
