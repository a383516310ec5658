# SPDX-License-Identifier: Apache-2.0
"""All mistakes of a policy are found in one reading."""

from __future__ import annotations

import pytest
from support.policies import read

from sensor.errors import MistakesError

MANY = """modes = 1
rules = 1
[defaults]
tool = "no"
[dns]
resolvers = ["x"]
[[rule]]
id = "Bad"
verdit = "block"
user = ["a"]
container = "yes"
endpoints = ["sme", "x.test:0"]

[[rule]]
id = "r"
tools = ["clod"]
verdict = "block"
[[exception]]
rule = "rr"
"""


def test_all_mistakes_are_told_in_one_go() -> None:
    """In the order of their lines; what follows from another one is none of its own."""
    with pytest.raises(MistakesError) as caught:
        read(MANY)
    assert [one.split(";")[0] for one in caught.value.mistakes] == [
        "p.toml:4: 'modes': unknown key",
        "p.toml:5: 'rules': unknown key",
        "p.toml:7: defaults: tool: 'no' is unknown",
        "p.toml:9: dns: resolvers: 'x' does not appear to be an IPv4 or IPv6 address",
        "p.toml:10: rule 'Bad': 'verdit': unknown key",
        "p.toml:10: rule 'Bad': 'user': unknown key",
        "p.toml:10: rule 'Bad': id: 'Bad' is not valid",
        "p.toml:10: rule 'Bad': verdict: is missing",
        "p.toml:10: rule 'Bad': container: 'yes' is not valid",
        "p.toml:10: rule 'Bad': endpoints: 'sme' is no endpoint of the catalogue",
        "p.toml:10: rule 'Bad': endpoints: 'x.test:0': 0 is no port",
        "p.toml:17: rule 'r': tools: 'clod' is no tool of the catalogue",
        "p.toml:21: exception 1: rule: there is no rule 'rr'",
        "p.toml:21: exception 1: users: is missing",
        "p.toml:21: exception 1: expires: is missing",
        "p.toml:21: exception 1: ticket: is missing",
    ]
