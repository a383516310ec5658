# SPDX-License-Identifier: Apache-2.0
"""A certificate authority made on the spot; it answers for any name that is asked for."""

from __future__ import annotations

import ssl
import subprocess
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_DAYS = "2"
_ROOT = (
    "[req]\ndistinguished_name=dn\nx509_extensions=ca\n[dn]\n[ca]\n"
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n"
    "subjectKeyIdentifier=hash\n"
)
_LEAF = "subjectAltName=DNS:{name}\nextendedKeyUsage=serverAuth\nbasicConstraints=CA:FALSE\n"


class Authority:
    """Keeps its keys in ``folder``; ``certificate`` is what a client has to trust."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._contexts: dict[str, ssl.SSLContext] = {}
        self._lock = threading.Lock()
        self.certificate = folder / "ca.pem"
        (folder / "root.cnf").write_text(_ROOT, encoding="ascii")
        for key in "ca.key", "leaf.key":
            self._openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out", key)
        self._openssl("req -x509 -new -key ca.key -config root.cnf -subj /CN=lab -out ca.pem -days",
                      _DAYS)  # fmt: skip
        self._openssl("req -new -key leaf.key -config root.cnf -subj /CN=lab -out", "leaf.csr")

    def context(self, name: str) -> ssl.SSLContext:
        """Give a server's side of TLS with a certificate for ``name``, made once."""
        with self._lock:
            if name not in self._contexts:
                self._contexts[name] = self._issue(name)
            return self._contexts[name]

    def _issue(self, name: str) -> ssl.SSLContext:
        number = str(len(self._contexts) + 1)
        (self._folder / "leaf.cnf").write_text(_LEAF.format(name=name), encoding="ascii")
        self._openssl(
            "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -extfile leaf.cnf -out leaf.pem"
            f" -days {_DAYS} -set_serial",
            number,
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._folder / "leaf.pem", self._folder / "leaf.key")
        return context

    def _openssl(self, options: str, last: str) -> None:
        subprocess.run(
            ["openssl", *options.split(), last], cwd=self._folder, check=True, capture_output=True
        )
