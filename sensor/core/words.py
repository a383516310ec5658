# SPDX-License-Identifier: Apache-2.0
"""The words of the stream: closed sets, whose values are what every output shows."""

from __future__ import annotations

from enum import Enum

UNKNOWN_CLIENT = "unknown-client"
"""In the place of a tool's id: whoever reaches an AI service and is in no session."""

RUNTIME = "runtime-"
"""How the id begins of what a responder blocks; no rule of a policy's text has such a one."""

TICKET = "ticket "
"""How begins what a responder's block says that has no message."""

SENSOR = "sensor"
"""What a ``health`` event is about that tells of the sensor's own regular end."""


class Risk(Enum):
    """What is dangerous about a run of a tool."""

    UNGUARDED = "unguarded"
    REDIRECTED = "redirected"
    PROXIED = "proxied"


class Kind(Enum):
    """What an event tells."""

    EXEC = "exec"
    EXIT = "exit"
    CONNECT = "connect"
    CLOSE = "close"
    RESOLVE = "resolve"
    SESSION_START = "session_start"
    SESSION_END = "session_end"
    LOSS = "loss"
    GAP = "gap"
    POLICY = "policy"
    HEALTH = "health"
    INVENTORY = "inventory"


class Verdict(Enum):
    """What policy said; without one it never goes beyond ``ALERT``.

    ``WOULD_BLOCK`` is a block of a rule in shadow mode: it happened all the same.
    """

    ALLOW = "allow"
    ALERT = "alert"
    WOULD_BLOCK = "would_block"
    BLOCK = "block"


class Enforcement(Enum):
    """How a refusal was carried out; ``NONE`` where nothing was refused, or nothing could be."""

    LSM = "lsm"
    KILL = "kill"
    CGROUP = "cgroup"
    TLS = "tls"
    PROXY = "proxy"
    DESTROY = "destroy"
    NONE = "none"


class NameSource(Enum):
    """Where a destination's name comes from."""

    DNS = "dns"
    RANGE = "range"
    SNI = "sni"
    PROXY = "proxy"
