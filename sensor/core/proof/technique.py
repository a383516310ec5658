# SPDX-License-Identifier: Apache-2.0
"""A technique: one way around a policy that can be tried without harm, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from sensor.core.tools import MarkKind
from sensor.core.words import Enforcement
from sensor.errors import ExitCode

WAITS_S = 2
"""So long what is known only once it runs waits before it does anything."""


class Result(Enum):
    """What came of a technique. FAILED: of itself, or what the sensor says of it is not so."""

    REFUSED = "refused"
    DETECTED = "detected"
    MISSED = "missed"
    IMPOSSIBLE = "not possible on this kernel"
    NOTHING = "nothing to prove"
    FAILED = "failed"


class Says(Enum):
    """What a connection says first."""

    TOKEN = "a word"  # noqa: S105  # said on a connection, no secret
    HELLO = "a TLS hello"
    SHOUTED = "a TLS hello with the name in capitals"
    PIECES = "a TLS hello in pieces"
    RECORDS = "a TLS hello in two records"
    NAMELESS = "a TLS hello without a name"
    FRONT = "a TLS hello with another name"
    CONNECT = "a CONNECT to a proxy"
    GET = "a GET to a proxy"
    SECOND = "a GET to a proxy, and a CONNECT"
    SOCKS = "a SOCKS request"


class Asks(Enum):
    """Where an address comes from."""

    NOBODY = "nowhere: it is known"
    RESOLVER = "the resolver"
    ANOTHER = "another resolver"
    TCP = "the resolver, over TCP"
    HOSTS = "/etc/hosts"


class Port(Enum):
    """Which port is reached: that of TLS, or any other, as far as the policy leaves it open."""

    TLS = 443
    OTHER = 8443
    PROXY = 3128


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A way to start the tool that policy blocks.

    ``how`` is a word of ``edge/attempt_exec``. In ``file`` and ``argv`` braces
    stand for what there is: {folder}, {name}, {module}, {pair}, {python}, {sh}, {loader}.
    ``by_name`` where the file's names alone give it away: only that a security
    module can refuse before the image is there. ``mark`` is what it takes of the tool.
    """

    file: str
    argv: tuple[str, ...] = ("{file}",)
    how: str = "execve"
    by_name: bool = True
    mark: MarkKind = MarkKind.NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """A way to reach what policy blocks: by a name, or (``by_range``) by an address.

    ``how`` and ``via`` are words of ``edge/attempt_reach``. ``in_session`` where it takes a
    process of a tool that may run. Where it is ``by_broker``, the other program that
    connects is started by a tmux server, for whoever would have started it.
    """

    how: str = "tcp"
    via: str = "itself"
    by_range: bool = False
    in_session: bool = False
    by_broker: bool = False
    asks: Asks = Asks.NOBODY
    says: Says = Says.TOKEN
    port: Port = Port.OTHER
    mapped: bool = False
    ipv6: bool = False
    udp: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Technique:
    """One row. ``blind`` says why the sensor is known to miss it; None: policy is kept.

    ``late`` says why the kernel cannot be sure, so that user space ends it a moment
    later: whether it has done anything by then is a race, and counts as detected.
    ``as_running`` where it counts as one that ran already: its rule says whether it is ended.
    ``defect`` says why it goes through today though it is not to: `prove` fails by it.
    """

    id: str
    family: str
    tries: str
    way: Start | Reach
    blind: str | None = None
    late: str | None = None
    as_running: bool = False
    defect: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """What was expected of a technique, and what came of it."""

    technique: str
    expected: Result
    result: Result
    detail: str

    @property
    def is_as_expected(self) -> bool:
        """Whether nothing has to be looked into; what cannot be tried here proves nothing."""
        return self.result in {self.expected, Result.IMPOSSIBLE}

    def as_dict(self) -> dict[str, str]:
        """Return plain values."""
        return {
            "technique": self.technique,
            "expected": self.expected.value,
            "result": self.result.value,
            "detail": self.detail,
        }


def exit_code(rows: list[Row]) -> ExitCode:
    """Say for CI whether all is as expected; a policy that blocks nothing proves nothing."""
    is_proof = any(row.result is not Result.NOTHING for row in rows)
    is_well = is_proof and all(row.is_as_expected for row in rows)
    return ExitCode.OK if is_well else ExitCode.DEGRADED


BY_WORDS = {
    Says.HELLO: Enforcement.TLS,
    Says.SHOUTED: Enforcement.TLS,
    Says.PIECES: Enforcement.TLS,
    Says.NAMELESS: Enforcement.TLS,
    Says.CONNECT: Enforcement.PROXY,
    Says.GET: Enforcement.PROXY,
}
"""How a connection is refused for what it says. All else is refused at connect or not at all."""
