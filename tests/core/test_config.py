# SPDX-License-Identifier: Apache-2.0
"""The configuration is read whole, or refused with place, key and remedy."""

from __future__ import annotations

import pytest

from sensor.core.audit.trigger import On
from sensor.core.config import Config, parse
from sensor.errors import BadInputError

WHOLE = """
version = 1
scope = "/sys/fs/cgroup/build.slice"
policy = "/etc/corp/ai.toml"
[store]
max_age = "12h"
max_bytes = "64MiB"
[stream]
group = "responders"
[metrics]
listen = "[::1]:9464"
textfile = "/var/lib/node/agent-sensor.prom"
[forward]
syslog = true
[audit]
on = "high-risk"
high_risk = ["claude-code", "codex"]
"""


def test_an_empty_file_gives_the_defaults() -> None:
    """Nothing has to be written."""
    assert parse("", where="config.toml") == Config()


def test_every_key_is_read() -> None:
    """Amounts are seconds and bytes, the endpoint an address and a port."""
    assert parse(WHOLE, where="config.toml") == Config(
        scope="/sys/fs/cgroup/build.slice",
        policy="/etc/corp/ai.toml",
        max_age_s=12 * 3600,
        max_bytes=64 << 20,
        group="responders",
        metrics_listen=("::1", 9464),
        metrics_textfile="/var/lib/node/agent-sensor.prom",
        syslog=True,
        audit_on=On.HIGH_RISK,
        high_risk=("claude-code", "codex"),
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("version = 2", "c.toml:1: version: 2 is unknown; write 1"),
        (
            "versoin = 1",
            "c.toml:1: 'versoin': unknown key; did you mean 'version'? Otherwise write one",
        ),
        ("store = 1", "c.toml:1: store: is not a table; write [store]"),
        (
            '[store]\nmax_age = "30 days"',
            "c.toml:2: store: max_age: '30 days' is not valid; write a",
        ),
        ('[store]\nmax_age = "0d"', "c.toml:2: store: max_age: is nothing; write a number and"),
        ('[store]\nsize = "1GiB"', "c.toml:2: store: 'size': unknown key; write one of max_age"),
        ('[metrics]\nlisten = "0.0.0.0:1"', "c.toml:2: metrics: listen: '0.0.0.0:1' is not valid"),
        ('[metrics]\nlisten = "127.0.0.1:0"', "has no port; write one of 1-65535"),
        ('[metrics]\nlisten = "127.0.0.1:70000"', "has no port; write one of 1-65535"),
        ('[forward]\nsyslog = "yes"', "c.toml:2: forward: syslog: 'yes' is not valid; write true"),
        (
            '[audit]\non = "always"',
            "audit: on: 'always' is unknown; write one of off, high-risk, al",
        ),
        ("[audit]\nhigh_risk = [7]", "audit: high_risk: 7 is not valid; write one line of text"),
        ("scope = [", "c.toml: "),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str) -> None:
    """The error has the file, the table, the key and the remedy."""
    with pytest.raises(BadInputError) as refused:
        parse(text, where="c.toml")
    assert message in str(refused.value)
