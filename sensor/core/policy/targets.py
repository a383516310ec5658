# SPDX-License-Identifier: Apache-2.0
"""What a policy's words name: endpoints as targets, tools as ids of the catalogue.

Reads one word at a time. BadWordError says what is wrong with it and what to
write; who reads the text adds the place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING

from sensor.core.entries import HOST, SLUG
from sensor.core.mistakes import guess
from sensor.core.policy.model import Target
from sensor.core.words import UNKNOWN_CLIENT
from sensor.errors import BadWordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sensor.core.catalogue import Catalogue
    from sensor.core.tools import Endpoint

SUFFIXES = 6
"""Labels of a name that the kernel looks up; the same bound as in probes/policy.h."""

EVERYTHING = "*"
_VENDOR, _CATEGORY = "vendor:", "category:"
_BELOW = "*."
_PORTS = 65535
_MAPPED_BITS = 96
_BRACKETED = re.compile(r"\[([^\[\]]+)\](?::([0-9]{1,5}))?", re.ASCII)
_PLAIN = re.compile(r"([^:]+)(?::([0-9]{1,5}))?", re.ASCII)
_NUMBERS = re.compile(r"[0-9./]+", re.ASCII)
_ENDPOINT_FORMS = (
    'write an endpoint of the catalogue, "vendor:openai", "example.com", "*.example.com",'
    ' "192.0.2.0/24", "192.0.2.7:443", "[2001:db8::/32]:443" or "*"'
)
_TOOL_FORMS = (
    'write a tool of the catalogue, "vendor:openai", "category:ide-agent", "unknown-client" or "*"'
)


@dataclass(frozen=True, slots=True)
class Words:
    """Reads words by one catalogue."""

    catalogue: Catalogue

    def tools(self, word: str) -> frozenset[str]:
        """Give the ids of the tools that a word names."""
        if word == EVERYTHING:
            return frozenset(tool.id for tool in self.catalogue.tools)
        tool = self.catalogue.tool(word)
        if word == UNKNOWN_CLIENT or (tool and not tool.withdrawn):
            return frozenset((word,))
        kind, _, name = word.partition(":")
        found = frozenset(
            tool.id
            for tool in self.catalogue.tools
            if (kind, name) in {("vendor", tool.vendor), ("category", tool.category.value)}
        )
        if found:
            return found
        tools = [tool for tool in self.catalogue.tools if not tool.withdrawn]
        if word.startswith((_VENDOR, _CATEGORY)):
            names = (one.vendor if kind == "vendor" else one.category.value for one in tools)
            remedy = guess(name, names, _TOOL_FORMS, before=f"{kind}:")
            raise BadWordError(f"no tool has the {kind} {name!a}", remedy)
        remedy = guess(word, (UNKNOWN_CLIENT, *(tool.id for tool in tools)), _TOOL_FORMS)
        raise BadWordError(f"{word!a} is no tool of the catalogue", remedy)

    def targets(self, word: str) -> tuple[Target, ...]:
        """Give what can be reached under a word."""
        if word.startswith(_VENDOR):
            return self._vendor(word.removeprefix(_VENDOR))
        if found := _BRACKETED.fullmatch(word):
            return (Target(network=_network(found[1], word), port=_port(found[2], word)),)
        if word.count(":") > 1:
            return (Target(network=_network(word, word)),)
        found = _PLAIN.fullmatch(word)
        if found is None:
            raise BadWordError(f"{word!a} is not valid", _ENDPOINT_FORMS)
        return self._named(found[1], _port(found[2], word), word)

    def services(self) -> tuple[Target, ...]:
        """Give all that the catalogue's endpoints name."""
        return _united(self.catalogue.endpoints)

    def _named(self, name: str, port: int | None, word: str) -> tuple[Target, ...]:
        if name == EVERYTHING:
            return (Target(port=port),)
        if _NUMBERS.fullmatch(name):
            return (Target(network=_network(name, word), port=port),)
        below, name = name.startswith(_BELOW), name.removeprefix(_BELOW)
        if HOST.pattern.fullmatch(name):
            return (Target(name=shallow(name), below=below, port=port),)
        if below or port is not None or not SLUG.pattern.fullmatch(name):
            raise BadWordError(f"{word!a} is not valid", _ENDPOINT_FORMS)
        return self._endpoint(name)

    def _vendor(self, vendor: str) -> tuple[Target, ...]:
        found = [one for one in self.catalogue.endpoints if one.vendor == vendor]
        if not found:
            vendors = (one.vendor for one in self.catalogue.endpoints)
            remedy = guess(vendor, vendors, _ENDPOINT_FORMS, before=_VENDOR)
            raise BadWordError(f"no endpoint has the vendor {vendor!a}", remedy)
        return _united(found)

    def _endpoint(self, name: str) -> tuple[Target, ...]:
        found = [one for one in self.catalogue.endpoints if one.id == name]
        if not found:
            remedy = guess(name, (one.id for one in self.catalogue.endpoints), _ENDPOINT_FORMS)
            raise BadWordError(f"{name!a} is no endpoint of the catalogue", remedy)
        return _united(found)


def _united(endpoints: Iterable[Endpoint]) -> tuple[Target, ...]:
    """Give the targets of endpoints, each once."""
    return tuple(dict.fromkeys(target for one in endpoints for target in _targets_of(one)))


def _targets_of(endpoint: Endpoint) -> Iterator[Target]:
    for host in endpoint.hosts:
        yield Target(name=shallow(host))
    for network in endpoint.ranges:
        yield Target(network=network)


def shallow(name: str) -> str:
    """Give a name that the kernel can look up. BadWordError where it has too many labels."""
    if name.count(".") >= SUFFIXES:
        raise BadWordError(
            f"{name!a} has more than {SUFFIXES} labels",
            "write the part of it that is looked up, from the end",
        )
    return name


def _network(text: str, word: str) -> IPv4Network | IPv6Network:
    if "%" in text:
        raise BadWordError(f"{word!a} has a zone", _ENDPOINT_FORMS)
    try:
        network = ip_network(text)
    except ValueError as error:
        raise BadWordError(f"{word!a} {_why_no_network(text)}", _ENDPOINT_FORMS) from error
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def _why_no_network(text: str) -> str:
    try:
        whole = ip_network(text, strict=False)
    except ValueError:
        return "is no address, and no range of addresses"
    return f"is an address within {whole}, and no range"


def _port(text: str | None, word: str) -> int | None:
    if text is None:
        return None
    if not 0 < int(text) <= _PORTS:
        raise BadWordError(f"{word!a}: {text} is no port", f"write one of 1-{_PORTS}")
    return int(text)
