# SPDX-License-Identifier: Apache-2.0
"""Where nothing is refused, every way to reach a host arrives there."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.provers import answered, played

from sensor.edge import attempt_reach

pytestmark = pytest.mark.kernel

STORY = """
import json, subprocess, sys
from ipaddress import ip_address
from sensor.edge import attempt_reach, scratch
from sensor.edge.snare import Snare
scratch.furnish([ip_address("192.0.2.7"), ip_address("2001:db8::7")])
snare = Snare([8443], begin=lambda: None)
python = [sys.executable, "-I", "-S"]
said = {}
def attempt(name, **more):
    snare.names({"x.example": "192.0.2.7"})
    spec = dict(how="tcp", via="itself", host="192.0.2.7", port=8443, says=[b"word".hex()],
                asks="nobody", resolver="127.0.0.1", name="x.example", other=python)
    done = subprocess.run([*python, attempt_reach.__file__], text=True, capture_output=True,
                          input=json.dumps({**spec, **more}))
    answer = json.loads(done.stdout)
    said[name] = [answer["ended"], answer["lacks"], snare.heard().decode(), len(answer["pids"])]
"""
ARRIVED = [None, None, "word", 1]


def story(*attempts: str) -> dict[str, list[object]]:
    """Make attempts; give what came of each."""
    lines = [STORY, *(f"attempt({one})" for one in attempts)]
    said = played("\n".join([*lines, "snare.close()", "print(json.dumps(said))"]))
    assert isinstance(said, dict)
    return said


def test_every_call_arrives() -> None:
    """Over TCP and UDP; what the host lacks is said."""
    hows = sorted(attempt_reach.HOWS - {attempt_reach.NOTHING})
    said = story(*(f"{how!r}, how={how!r}" for how in hows))
    for how in hows:
        assert said[how] == ARRIVED or said[how][1], how
    assert said["tcp"] == said["udp"] == said["sendto"] == said["sendmmsg"] == ARRIVED


def test_every_process_arrives() -> None:
    """Whoever it is that tries."""
    said = story(*(f"{via!r}, via={via!r}" for via in sorted(attempt_reach.VIAS)))
    assert said == dict.fromkeys(attempt_reach.VIAS, ARRIVED)


def test_every_look_up_finds_the_host() -> None:
    """Over UDP from either resolver, and over TCP."""
    said = story(
        "'udp', asks='udp', host=''",
        "'other', asks='udp', host='', resolver='127.0.0.2'",
        "'tcp', asks='tcp', host=''",
        "'none', asks='udp', how='nothing', says=[]",
    )
    assert said == {
        "udp": ARRIVED, "other": ARRIVED, "tcp": ARRIVED, "none": [None, None, "", 1]
    }  # fmt: skip


def test_every_address_is_reached() -> None:
    """Of either family, and mapped; and what is sent in pieces arrives whole."""
    said = story(
        "'six', host='2001:db8::7'",
        "'mapped', host='::ffff:192.0.2.7'",
        "'mapped-udp', host='::ffff:192.0.2.7', how='sendto'",
        "'pieces', says=[b'wo'.hex(), b'rd'.hex()]",
    )
    assert said == dict.fromkeys(["six", "mapped", "mapped-udp", "pieces"], ARRIVED)


@pytest.mark.parametrize(
    ("how", "asks", "ended"),
    [
        ("tcp", "nobody", "connect: ENETUNREACH"),
        ("uring", "nobody", "io_uring: ENETUNREACH"),
        ("sendto", "nobody", "sendto: ENETUNREACH"),
        ("sendmmsg", "nobody", "sendmmsg: ENETUNREACH"),
        ("tcp", "udp", "look-up: ENETUNREACH"),
    ],
)
def test_an_error_is_named_with_its_step(how: str, asks: str, ended: str) -> None:
    """As the kernel gives it: here there is no network."""
    spec = {
        "how": how, "via": "itself", "host": "192.0.2.7", "port": 8443, "says": ["00"],
        "asks": asks, "resolver": "127.0.0.1", "name": "x.example", "other": [],
    }  # fmt: skip
    answer = answered(attempt_reach.__file__, spec)
    assert answer["ended"] == ended or answer["lacks"]


def test_it_stands_by_itself() -> None:
    """It needs nothing of the sensor."""
    text = Path(attempt_reach.__file__).read_text("utf-8")
    assert "from sensor" not in text
    assert "import sensor" not in text
