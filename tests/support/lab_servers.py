# SPDX-License-Identifier: Apache-2.0
"""The program inside the lab: sets up its namespaces, then names and answers every host.

Started by ``support.lab`` in fresh network and mount namespaces, with a folder
and the names to treat specially. It writes each query and request as a line of
``queries.jsonl`` and ``requests.jsonl``. It lives until its standard input ends,
so a test that dies takes the lab along: the namespaces have no name and go with
their last process.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from support import dns
from support.authority import Authority
from support.dns import RecordType

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

HTTP, HTTPS = 80, 443
RESOLVER = ("127.0.0.53", 53)
# Only in the lab's namespace: loopback, and RFC 3849's documentation prefix as local routes.
FIRST_IPV4 = IPv4Address("127.1.0.0")
FIRST_IPV6 = IPv6Address("2001:db8::1:0")
# An address of each family that is no loopback one, so that AI_ADDRCONFIG asks for both.
_NETWORK = """\
link set lo up
address add 192.0.2.1/32 dev lo
address add 2001:db8::1/128 dev lo
route add local 2001:db8::/64 dev lo
"""
_ETC = {"resolv.conf": f"nameserver {RESOLVER[0]}\n", "nsswitch.conf": "hosts: files dns\n"}
# A socket in the file system goes past a network namespace: Qwen Code asks logind not to sleep.
SYSTEM_BUS = Path("/run/dbus")
_PATIENCE_S = 5
_LARGEST_HEAD = 65536
_BODY = json.dumps(
    {"error": {"type": "authentication_error", "code": 401, "message": "the lab knows no key"}}
).encode("ascii")
_REFUSAL = (
    b"HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n%b" % (len(_BODY), _BODY)
)


class Journal:
    """Writes what happened, one JSON object a line, from any thread."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", encoding="utf-8")
        self._lock = threading.Lock()

    def note(self, **record: str | int | None) -> None:
        """Have one record on disk before the client has its answer."""
        with self._lock:
            self._file.write(json.dumps(record) + "\n")
            self._file.flush()


class Names:
    """Gives each name an address of its own, the same in both families' last 16 bits."""

    def __init__(self, *, cname: Mapping[str, str], missing: Collection[str]) -> None:
        self._cname = cname
        self._missing = missing
        self._numbers: dict[str, int] = {}

    def answer(self, query: bytes) -> bytes:
        """Answer one query; a name in ``cname`` is followed once, one in ``missing`` is none."""
        name, kind, _ = dns.question(query)
        if name in self._missing:
            return dns.answer(query, [], dns.NAME_ERROR)
        records, owner = [], name
        if name in self._cname:
            owner = self._cname[name]
            records.append((name, RecordType.CNAME, dns.wire_name(owner)))
        if kind in {RecordType.A, RecordType.AAAA}:
            first = FIRST_IPV4 if kind == RecordType.A else FIRST_IPV6
            address = first + self._numbers.setdefault(owner, len(self._numbers) + 1)
            records.append((owner, RecordType(kind), address.packed))
        return dns.answer(query, records, dns.NO_ERROR)


class Ask(socketserver.DatagramRequestHandler):
    """One DNS query."""

    names: ClassVar[Names]
    journal: ClassVar[Journal]

    def handle(self) -> None:
        """Note the query, then answer it."""
        query = self.rfile.read()
        name, kind, _ = dns.question(query)
        self.journal.note(name=name, type=kind)
        self.wfile.write(self.names.answer(query))


class Refuse(socketserver.BaseRequestHandler):
    """One connection, kept open as real services do: each HTTP request is told 401."""

    journal: ClassVar[Journal]

    def handle(self) -> None:
        """Speak to one client; what it does wrong is its own affair."""
        self.request.settimeout(_PATIENCE_S)
        with suppress(OSError):
            self._serve(self.request, server_name=None)

    def _serve(self, client: socket.socket, *, server_name: str | None) -> None:
        while head_and_body := self._request(client):
            line = head_and_body.partition(b"\r\n")[0].decode("ascii", "backslashreplace")
            self.journal.note(server_name=server_name, line=line, received_bytes=len(head_and_body))
            client.sendall(_REFUSAL)

    @staticmethod
    def _request(client: socket.socket) -> bytes:
        """Read one request whole, or nothing: a client waits for its answer before the next."""
        got = b""
        while b"\r\n\r\n" not in got and len(got) < _LARGEST_HEAD:
            if not (more := client.recv(65536)):
                return b""
            got += more
        head, _, body = got.partition(b"\r\n\r\n")
        fields = {
            name.strip().lower(): value.strip()
            for name, _, value in (field.partition(b":") for field in head.split(b"\r\n")[1:])
        }
        length = int(fields.get(b"content-length", b"0"))
        chunked = fields.get(b"transfer-encoding") == b"chunked"
        while len(body) < length or (chunked and not body.endswith(b"0\r\n\r\n")):
            if not (more := client.recv(65536)):
                break
            body += more
        return head + body


class RefuseEncrypted(Refuse):
    """The same over TLS, with a certificate for whatever name the client gives."""

    authority: ClassVar[Authority]

    def handle(self) -> None:
        """Finish the handshake first; a client that does not trust the lab ends it."""
        self.request.settimeout(_PATIENCE_S)
        self._server_name: str | None = None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sni_callback = self._choose
        with (
            suppress(OSError),
            context.wrap_socket(self.request, server_side=True) as encrypted,
        ):
            self._serve(encrypted, server_name=self._server_name)

    def _choose(
        self, client: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: ssl.SSLContext
    ) -> None:
        self._server_name = name
        client.context = self.authority.context(name or "nameless.example")


class _Stream(socketserver.ThreadingTCPServer):
    address_family = socket.AF_INET6
    daemon_threads = True
    request_queue_size = 128

    def server_bind(self) -> None:
        """Take IPv4 as well, and TCP fast open."""
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_FASTOPEN, 16)
        super().server_bind()


def furnish(folder: Path) -> None:
    """Give the namespaces their addresses and their own resolver configuration."""
    subprocess.run(["ip", "-batch", "-"], input=_NETWORK.encode("ascii"), check=True)
    for name, text in _ETC.items():
        (folder / name).write_text(text, encoding="ascii")
        if Path("/etc", name).exists():
            subprocess.run(["mount", "--bind", folder / name, Path("/etc", name)], check=True)
    if SYSTEM_BUS.is_dir():
        subprocess.run(["mount", "-t", "tmpfs", "none", SYSTEM_BUS], check=True)


def main(folder: Path, cname: dict[str, str], missing: list[str]) -> None:
    """Serve until standard input ends."""
    furnish(folder)
    Ask.journal = Journal(folder / "queries.jsonl")
    Refuse.journal = Journal(folder / "requests.jsonl")
    Ask.names = Names(cname=cname, missing=missing)
    RefuseEncrypted.authority = Authority(folder)
    servers: list[socketserver.BaseServer] = [socketserver.UDPServer(RESOLVER, Ask)]
    servers += [_Stream(("::", HTTP), Refuse), _Stream(("::", HTTPS), RefuseEncrypted)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *json.loads(sys.argv[2]))
