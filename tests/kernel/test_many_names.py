# SPDX-License-Identifier: Apache-2.0
"""More addresses are learned than there is room for: that is told, as names are forgotten then."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from support.policing import policing

if TYPE_CHECKING:
    from pathlib import Path

    from support.drivers import Drivers

# Each starts daemons or tables of its own, which takes an emulated kernel long.
pytestmark = [pytest.mark.kernel, pytest.mark.long]

# probes/names.c, and how many of them one answer has here
ADDRESSES, AT_ONCE = 16384, 90
POLICY = """mode = "enforce"
[[rule]]
id = "no"
endpoints = ["blocked.example"]
verdict = "block"
"""
# Serves and asks, in a network of its own: each answer has addresses that none had before.
ASKS = """
import socket, struct, subprocess, sys, threading
answers, at_once = int(sys.argv[1]), int(sys.argv[2])
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind(("127.0.0.1", 53))

def serve():
    for number in range(answers):
        query, asker = server.recvfrom(512)
        head = query[:2] + struct.pack("!5H", 0x8180, 1, at_once, 0, 0)
        records = b"".join(
            struct.pack("!3HIH", 0xC00C, 28, 1, 60, 16)
            + bytes.fromhex("20010db8") + struct.pack("!3I", 0, number, one)
            for one in range(at_once)
        )
        server.sendto(head + query[12:] + records, asker)

threading.Thread(target=serve, daemon=True).start()
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect(("127.0.0.1", 53))
name = b"".join(bytes([len(label)]) + label for label in b"a.blocked.example".split(b".")) + b"\\0"
for number in range(answers):
    client.send(struct.pack("!6H", number, 0x100, 1, 0, 0, 0) + name + struct.pack("!2H", 28, 1))
    client.recv(65536)
print("asked")
"""


def test_names_that_had_to_make_room_are_told_as_lost(tmp_path: Path, drivers: Drivers) -> None:
    """As many as were learned beyond what there is room for, and none before that."""
    with policing(tmp_path) as police:
        police.start(POLICY)

        def learn(answers: int) -> list[dict[str, Any]]:
            since = police.seq()
            argv = ["unshare", "--net", sys.executable, "-I", "-c", ASKS, str(answers)]
            process = police.scope.run([*argv, str(AT_ONCE)], stdout=subprocess.PIPE)
            assert process.communicate(timeout=120)[0] == b"asked\n"
            police.run([drivers.tool("nothing")])  # losses are told with what is told next
            police.told(since, "session_end", 1)
            return [event["loss"] for event in police.told_of(since, "loss")]

        first = ADDRESSES // AT_ONCE
        assert learn(first) == []
        lost = learn(10)
        assert {one["what"] for one in lost} == {"address"}
        beyond = (first + 10) * AT_ONCE - ADDRESSES
        assert sum(one["count"] for one in lost) == beyond
