# SPDX-License-Identifier: Apache-2.0
"""A client that nobody has listed is found by what it reaches, however written and called.

Small clients of the test's own, with curl, Python's ssl and Node.js, each under a name of no
account; that they got through, or did not, is known from the lab's web server.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from support import tools
from support.lab import Lab
from support.policing import policing
from support.tools import installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.policing import Policing

pytestmark = pytest.mark.e2e

HOST = "api.anthropic.com"
URL = f"https://{HOST}/v1/messages"
TOLD = '[defaults]\nunknown_client = "alert"\n'
KEPT_OUT = '[defaults]\nunknown_client = "block"\n'
SAID = f"POST /v1/messages HTTP/1.1\r\nHost: {HOST}\r\nContent-Length: 0\r\n\r\n"
BY_SSL = f"""
import socket, ssl
plain = socket.create_connection(("{HOST}", 443), 10)
with ssl.create_default_context().wrap_socket(plain, server_hostname="{HOST}") as client:
    client.sendall({SAID!r}.encode())
    print(client.recv(12))
"""
BY_FETCH = f"fetch('{URL}', {{method: 'POST'}}).then(a => console.log(a.status))"
# An address of the lab's loopback that no name server gave.
HARD_CODED = f"{HOST}:443:127.9.9.9"


def curl(folder: Path) -> list[str | Path]:
    """Give curl under another name."""
    return [shutil.copy("/usr/bin/curl", folder / "fetcher"), "-s", "-X", "POST", URL]


def curl_without_look_up(folder: Path) -> list[str | Path]:
    """Give it the address too, so that the name is in the TLS hello alone."""
    return [*curl(folder), "--resolve", HARD_CODED]


def python(folder: Path) -> list[str | Path]:
    """Give Python under another name, with a client of a few lines."""
    program = shutil.copy(os.path.realpath("/usr/bin/python3"), folder / "tidy")
    return [program, "-I", "-c", BY_SSL]


def node(folder: Path) -> list[str | Path]:
    """Give Node.js likewise."""
    program = shutil.copy(installed(tools.NODE).resolve(), folder / "spinner")
    return [program, "-e", BY_FETCH]


CLIENTS = [curl, curl_without_look_up, python, node]


@pytest.fixture(scope="module")
def police(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Policing]:
    """Give a daemon whose policy is about unknown clients alone."""
    with policing(tmp_path_factory.mktemp("police")) as police:
        police.start(f'mode = "enforce"\n{TOLD}')
        yield police


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.__name__)
def test_it_is_told_with_what_it_is(
    client: Callable[[Path], list[str | Path]], police: Policing, tmp_path: Path
) -> None:
    """Its executable and who started it, and which service it reached by which name."""
    police.keep(f'mode = "enforce"\n{TOLD}')
    argv, since = client(tmp_path), police.seq()
    with Lab() as lab:
        ran = lab.run(argv, scope=police.scope)
        assert [one.server_name for one in lab.requests()] == [HOST], ran
        told = police.told_of_some(since, "connect")
    assert {one["tool"] for one in told} == {"unknown-client"}
    assert {one["verdict"] for one in told} == {"alert"}
    assert {one["process"]["exe"] for one in told} == {str(argv[0])}
    assert {(one["destination"]["name"], one["destination"]["endpoint"]) for one in told} == {
        (HOST, "anthropic")
    }
    assert all({"signal": "endpoint", "value": "anthropic"} in one["evidence"] for one in told)


@pytest.mark.parametrize("client", CLIENTS, ids=lambda one: one.__name__)
def test_it_is_kept_out_where_policy_says_so(
    client: Callable[[Path], list[str | Path]], police: Policing, tmp_path: Path
) -> None:
    """No request arrives, and the refusal is told."""
    police.keep(f'mode = "enforce"\n{KEPT_OUT}')
    argv, since = client(tmp_path), police.seq()
    with Lab() as lab:
        lab.run(argv, scope=police.scope)
        told = police.told_of_some(since, "connect")
        assert lab.requests() == []
    assert {one["process"]["exe"] for one in told} == {str(argv[0])}
    assert "block" in {one["verdict"] for one in told}
