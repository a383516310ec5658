# SPDX-License-Identifier: Apache-2.0
"""Names are told where they are looked up, and again with the connections that they lead to."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.network import NAMED

if TYPE_CHECKING:
    from support.stage import Stage

pytestmark = pytest.mark.kernel

NAME = "api.example.com"


@pytest.mark.parametrize(
    ("resolver", "shown"),
    [("192.0.2.1", "192.0.2.1"), ("2001:db8::1", "2001:db8::1"), ("::ffff:127.0.0.1", "127.0.0.1")],
)
def test_an_answer_is_told_and_names_the_connection(
    stage: Stage, resolver: str, shown: str
) -> None:
    """Twenty-three look-ups are twenty-three answers, each before the connect that it names."""
    port = str(stage.network.tcp_port)
    argv = stage.network.entered(stage.drivers.tool("ask"), resolver, NAME, port)
    for run in stage.play(*argv):
        assert run.status == 0
        (resolve,) = run.of("resolve")
        asked = resolve["destination"]
        assert (asked["name"], asked["addresses"], asked["rcode"]) == (NAME, [NAMED], 0)
        assert asked["ip"] == shown
        (connect,) = (e for e in run.of("connect") if e["destination"]["transport"] == "tcp")
        to = connect["destination"]
        assert (to["ip"], to["name"], to["name_source"]) == (NAMED, NAME, "dns")
        assert resolve["seq"] < connect["seq"]
