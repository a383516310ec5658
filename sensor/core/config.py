# SPDX-License-Identifier: Apache-2.0
"""The daemon's configuration: TOML in, values out. docs/config.md has every key."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sensor.core.audit.trigger import On
from sensor.core.entries import LINE, Document, Entry, Shape

VERSION = 1
"""The format that this reader knows."""

_DURATION = Shape(re.compile(r"[0-9]{1,6}[smhd]"), 'write a number and s, m, h or d, like "30d"')
_SIZE = Shape(re.compile(r"[0-9]{1,6}(KiB|MiB|GiB)"), 'write a number and a unit, like "2GiB"')
_PATH = Shape(re.compile(r"/[^\x00-\x1f\x7f]*"), "write an absolute path")
_GROUP = Shape(re.compile(r"[a-z_][a-z0-9_-]{0,31}"), "write the name of a group")
_LAST_PORT = 65535
_LISTEN = Shape(
    re.compile(r"(127\.0\.0\.1|\[::1\]):[0-9]{1,5}"),
    'write a loopback address with a port, like "127.0.0.1:9464"',
)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_BYTES = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What a daemon runs with; the defaults are those of an empty file.

    ``metrics_listen`` is ``(address, port)`` on the loopback, None for no endpoint.
    ``high_risk`` are words for tools as a policy has them; who knows the catalogue
    reads them.
    """

    scope: str | None = None
    policy: str | None = None
    max_age_s: int = 30 * 86_400
    max_bytes: int = 2 << 30
    group: str = "agent-sensor"
    metrics_listen: tuple[str, int] | None = None
    metrics_textfile: str | None = None
    syslog: bool = False
    audit_on: On = On.OFF
    high_risk: tuple[str, ...] = ()


def parse(text: str, *, where: str) -> Config:
    """Read a configuration; ``where`` names the file in errors.

    BadInputError names the place, the key and the remedy.
    """
    root = Document(text, where=where).root
    root.only("version", "scope", "policy", "store", "stream", "metrics", "forward", "audit")
    root.version(VERSION, may_be_missing=True)
    store = root.within("store", "max_age", "max_bytes")
    stream = root.within("stream", "group")
    metrics = root.within("metrics", "listen", "textfile")
    forward = root.within("forward", "syslog")
    audit = root.within("audit", "on", "high_risk")
    default = Config()
    return Config(
        scope=root.optional("scope", _PATH),
        policy=root.optional("policy", _PATH),
        max_age_s=_measured(store, "max_age", _DURATION, _SECONDS) or default.max_age_s,
        max_bytes=_measured(store, "max_bytes", _SIZE, _BYTES) or default.max_bytes,
        group=stream.optional("group", _GROUP) or default.group,
        metrics_listen=_listen(metrics),
        metrics_textfile=metrics.optional("textfile", _PATH),
        syslog=forward.flag("syslog") or False,
        audit_on=audit.choice("on", On) if "on" in audit.table else default.audit_on,
        high_risk=audit.texts("high_risk", LINE),
    )


def _measured(entry: Entry, key: str, shape: Shape, units: dict[str, int]) -> int | None:
    """Read a number with a unit; zero keeps nothing and is refused."""
    text = entry.optional(key, shape)
    if text is None:
        return None
    number = re.match(r"[0-9]+", text)
    digits = number[0] if number else ""
    amount = int(digits) * units[text.removeprefix(digits)]
    if not amount:
        raise entry.wrong(key, "is nothing", shape.remedy)
    return amount


def _listen(entry: Entry) -> tuple[str, int] | None:
    text = entry.optional("listen", _LISTEN)
    if text is None:
        return None
    address, _, port = text.rpartition(":")
    if not 0 < int(port) <= _LAST_PORT:
        raise entry.wrong("listen", f"{text!a} has no port", "write one of 1-65535")
    return address.strip("[]"), int(port)
