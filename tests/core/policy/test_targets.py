# SPDX-License-Identifier: Apache-2.0
"""Words of a policy name tools and targets."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from support.badpolicies import PORTS, WORDS
from support.policies import CATALOGUE

from sensor.core import catalogue
from sensor.core.policy.model import Target
from sensor.core.policy.targets import Words
from sensor.errors import BadInputError, BadWordError

KNOWN = Words(CATALOGUE)
SOME = [
    Target(name="api.some.example"),
    Target(name="some.example"),
    Target(network=ip_network("192.0.2.0/25")),
    Target(network=ip_network("2001:db8:1::/48")),
]


@pytest.mark.parametrize(
    ("word", "tools"),
    [
        ("some-cli", {"some-cli"}),
        ("vendor:some", {"some-cli", "some-ide"}),
        ("vendor:other", {"other-cli"}),
        ("category:cli", {"some-cli", "other-cli"}),
        ("category:ide-agent", {"some-ide"}),
        ("*", {"some-cli", "other-cli", "some-ide"}),
    ],
)
def test_a_word_names_tools(word: str, tools: set[str]) -> None:
    """One by its id, several by what they have in common."""
    assert KNOWN.tools(word) == tools


@pytest.mark.parametrize("word", ["claude", "vendor:x", "category:x", "vendor:", "x:cli", "", "a*"])
def test_a_word_may_name_no_tool(word: str) -> None:
    """It says so, with what to write."""
    with pytest.raises(BadWordError) as caught:
        KNOWN.tools(word)
    assert caught.value.remedy.startswith("write a tool of the catalogue")
    assert str(caught.value) == f"{caught.value.why}; {caught.value.remedy}"


@pytest.mark.parametrize(
    ("word", "near"),
    [
        ("some-clu", "some-cli"),
        ("vendor:othr", "vendor:other"),
        ("category:ide-agents", "category:ide-agent"),
        ("unknown-clients", "unknown-client"),
    ],
)
def test_the_tool_that_was_probably_meant_is_offered(word: str, near: str) -> None:
    """With what stands before it, before the forms that there are."""
    with pytest.raises(BadWordError) as caught:
        KNOWN.tools(word)
    assert caught.value.remedy.startswith(f"did you mean {near!r}? Otherwise write a tool")


@pytest.mark.parametrize(("word", "near"), [("som", "some"), ("vendor:sme", "vendor:some")])
def test_the_endpoint_that_was_probably_meant_is_offered(word: str, near: str) -> None:
    """As a tool is."""
    with pytest.raises(BadWordError) as caught:
        KNOWN.targets(word)
    assert caught.value.remedy.startswith(f"did you mean {near!r}? Otherwise write an endpoint")


@pytest.mark.parametrize(
    ("word", "targets"),
    [
        ("some", SOME),
        ("vendor:some", [*SOME, Target(name="chat.example")]),
        ("example.com", [Target(name="example.com")]),
        ("*.example.com", [Target(name="example.com", below=True)]),
        ("example.com:8443", [Target(name="example.com", port=8443)]),
        ("*.example.com:443", [Target(name="example.com", below=True, port=443)]),
        ("xn--bcher-kva.example", [Target(name="xn--bcher-kva.example")]),
        ("1-2.example", [Target(name="1-2.example")]),
        ("192.0.2.0/24", [Target(network=ip_network("192.0.2.0/24"))]),
        ("192.0.2.7", [Target(network=ip_network("192.0.2.7"))]),
        ("192.0.2.7:443", [Target(network=ip_network("192.0.2.7"), port=443)]),
        ("192.0.2.0/24:1", [Target(network=ip_network("192.0.2.0/24"), port=1)]),
        ("0.0.0.0/0:65535", [Target(network=ip_network("0.0.0.0/0"), port=65535)]),
        ("2001:db8::/32", [Target(network=ip_network("2001:db8::/32"))]),
        ("[2001:db8::/32]", [Target(network=ip_network("2001:db8::/32"))]),
        ("[2001:db8::7]:443", [Target(network=ip_network("2001:db8::7"), port=443)]),
        ("::/0", [Target(network=ip_network("::/0"))]),
        ("::ffff:192.0.2.0/120", [Target(network=ip_network("192.0.2.0/24"))]),
        ("::ffff:0:0/96", [Target(network=ip_network("0.0.0.0/0"))]),
        ("64:ff9b::/96", [Target(network=ip_network("64:ff9b::/96"))]),
        ("a.b.c.d.e.example", [Target(name="a.b.c.d.e.example")]),
        ("*", [Target()]),
        ("*:25", [Target(port=25)]),
    ],
)
def test_a_word_names_targets(word: str, targets: list[Target]) -> None:
    """Each once; an address is a range of one, IPv4 in IPv6 is IPv4."""
    assert list(KNOWN.targets(word)) == targets


@pytest.mark.parametrize(("word", "why"), WORDS[:-1] + PORTS)
def test_a_word_may_name_no_target(word: str, why: str) -> None:
    """It says so, with what to write."""
    with pytest.raises(BadWordError) as caught:
        KNOWN.targets(word)
    assert why.partition(";")[0] in caught.value.why
    assert caught.value.remedy.startswith("write ")


def test_services_are_all_that_the_catalogue_names() -> None:
    """Of every endpoint."""
    assert [target.name for target in KNOWN.services() if target.name] == [
        "api.some.example", "some.example", "chat.example", "api.other.example",
    ]  # fmt: skip


def test_a_host_of_the_catalogue_is_not_too_deep() -> None:
    """The kernel looks so many labels up and no more: such a catalogue is refused, not its user."""
    with pytest.raises(BadInputError, match=r"^x\.toml:5: .* hosts: .* more than 6 labels; write"):
        catalogue.parse(
            'version = 1\n[[endpoint]]\nid = "deep"\nvendor = "deep"\n[[endpoint.facts]]\n'
            'source = "ran 1"\nhosts = ["a.b.c.d.e.f.example"]\n',
            where="x.toml",
        )
