# SPDX-License-Identifier: Apache-2.0
"""Every kind of event has its line: aligned, quoted, and with nothing that the event lacks."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.core.event import (
    Destination,
    Event,
    Evidence,
    Kind,
    Lack,
    NameSource,
    ProcessView,
    Traffic,
)
from sensor.core.inventory import Clue, Inventory
from sensor.core.line import line

EXE = "/usr/local/bin/claude"
WHO = "  (claude, pid 4711)"
HEAD = "14:03:07.512  k3v9q2xa  claude-code   "
CLAUDE = ProcessView(
    pid=4711,
    started_ns=1,
    exe=EXE,
    argv=("claude", "-p", "fix it"),
    cwd="/home/alice/src/x",
    uid=1000,
    user="alice",
)
ADDRESS = ip_address("192.0.2.1")
API = Destination(
    ip=ip_address("2001:db8::1"),
    port=443,
    transport="tcp",
    name="api.anthropic.com",
    name_source=NameSource.DNS,
    endpoint="anthropic",
)
NAMELESS = replace(API, name=None, name_source=None, endpoint=None)
ASKED = Destination(
    ip=ip_address("192.0.2.53"),
    port=None,
    transport=None,
    name="api.anthropic.com",
    addresses=(ADDRESS, ip_address("2001:db8::1")),
    rcode=0,
)
TRAFFIC = Traffic(
    sent_bytes=12_595, received_bytes=4_198, duration_ns=1_200_000_000, outcome="closed"
)
LACK = Lack("2026-11-23T14:00:00.000000000Z", "2026-11-23T14:01:00.000000000Z")
REFUSED = Traffic(sent_bytes=0, received_bytes=0, duration_ns=55_000, outcome="refused")


def event(kind: Kind) -> Event:
    """Return an event of Claude's with nothing but its process."""
    return Event(
        v=1,
        seq=7,
        boot_id="b",
        host="build-7",
        at="2026-11-23T14:03:07.512345678Z",
        at_ns=5,
        kind=kind,
        tool="claude-code",
        session="k3v9q2xa",
        process=CLAUDE,
    )


EXEC, EXIT, CONNECT, CLOSE, RESOLVE, START, END, LOSS, GAP, _, _, INVENTORY = map(event, Kind)
LOSS, GAP, INVENTORY = (replace(one, process=None) for one in (LOSS, GAP, INVENTORY))
FOUND = Inventory(
    user="alice", uid=1000, home="/home/alice", place=None, state="installed", certainty="certain",
    first_seen="2026-11-01T10:00:00Z", last_used="2026-11-20T10:00:00Z", versions=("2.1.330",),
    traces=(Clue(kind="npm", shows="installed", certainty="certain", path="/x"),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (
            EXEC,
            f'exec     alice     {EXE} -p "fix it"  (cwd /home/alice/src/x, pid 4711)',
        ),
        (
            replace(
                EXEC,
                late=True,
                process=replace(
                    CLAUDE, argv=None, user=None, cwd=None, fileless=True, truncated=("exe", "cwd")
                ),
            ),
            f"exec     1000      {EXE}  (claude, pid 4711, fileless, cut: exe cwd, late)",
        ),
        (
            replace(EXEC, process=replace(CLAUDE, cwd=None, container="4c01db0b339c" + "0" * 52)),
            f'exec     alice     {EXE} -p "fix it"  (claude, pid 4711, container 4c01db0b339c)',
        ),
        (replace(EXEC, process=None), "exec     -"),
        (
            replace(
                EXEC,
                process=replace(
                    CLAUDE,
                    exe="/usr/bin/node",
                    script="/home/alice/src/x/bin/codex",
                    argv=("node", "--no-warnings", "bin/codex", "-p", "hi"),
                ),
            ),
            (
                "exec     alice     /home/alice/src/x/bin/codex -p hi"
                "  (node, cwd /home/alice/src/x, pid 4711)"
            ),
        ),
        (
            replace(EXEC, process=replace(CLAUDE, script="/gone", argv=("python3", "-c"))),
            f"exec     alice     {EXE} -c  (claude, cwd /home/alice/src/x, pid 4711)",
        ),
        (
            replace(EXEC, process=ProcessView(pid=1, started_ns=1)),
            "exec     -         -  (pid 1)",
        ),
        (
            replace(EXIT, duration_ns=800_000_000, process=replace(CLAUDE, status=256)),
            f"exit     status 1 after 800 ms{WHO}",
        ),
        (
            replace(EXIT, process=replace(CLAUDE, status=0x8B)),
            f"exit     killed by signal 11{WHO}",
        ),
        (replace(EXIT, process=None), "exit     ended"),
        (
            replace(INVENTORY, inventory=FOUND),
            (
                "found    alice     installed in /home/alice, certain, 2.1.330,"
                " last used 2026-11-20T10:00:00Z  (by npm)"
            ),
        ),
        (
            replace(
                INVENTORY,
                inventory=replace(
                    FOUND, user=None, home=None, versions=(), last_used=None, traces=()
                ),
            ),
            "found    1000      installed in /, certain  (by -)",
        ),
        (
            replace(INVENTORY, inventory=replace(FOUND, user=None, uid=None, last_used=None)),
            "found    -         installed in /home/alice, certain, 2.1.330  (by npm)",
        ),
        (INVENTORY, "found    -"),
        (
            replace(CONNECT, destination=API),
            f"connect  [2001:db8::1]:443 api.anthropic.com tcp{WHO}",
        ),
        (
            replace(CONNECT, destination=replace(API, name=None, ip=ADDRESS), late=True),
            "connect  192.0.2.1:443 (anthropic) tcp  (claude, pid 4711, late)",
        ),
        (
            replace(CONNECT, destination=Destination(ip=None, port=None, transport=None)),
            f"connect  -{WHO}",
        ),
        (
            replace(CONNECT, destination=Destination(ip=ADDRESS, port=None, transport=None)),
            f"connect  192.0.2.1{WHO}",
        ),
        (CONNECT, "connect  -"),
        (
            replace(CLOSE, destination=API, traffic=TRAFFIC),
            f"close    api.anthropic.com:443 sent 12.3 KiB received 4.1 KiB 1.2 s{WHO}",
        ),
        (
            replace(CLOSE, destination=NAMELESS, traffic=replace(TRAFFIC, outcome="reset")),
            f"close    [2001:db8::1]:443 reset sent 12.3 KiB received 4.1 KiB 1.2 s{WHO}",
        ),
        (
            replace(CLOSE, destination=NAMELESS, traffic=REFUSED),
            f"close    [2001:db8::1]:443 refused after 55 us{WHO}",
        ),
        (replace(CLOSE, destination=API), "close    -"),
        (
            replace(RESOLVE, destination=ASKED),
            f"resolve  api.anthropic.com -> 192.0.2.1, 2001:db8::1{WHO}",
        ),
        (
            replace(RESOLVE, destination=replace(ASKED, cut=True, addresses=())),
            f"resolve  api.anthropic.com -> no address (answer cut){WHO}",
        ),
        (
            replace(RESOLVE, destination=replace(ASKED, addresses=(ADDRESS,) * 6)),
            f"resolve  api.anthropic.com -> {', '.join(['192.0.2.1'] * 4)} [+2]{WHO}",
        ),
        (
            replace(RESOLVE, destination=replace(ASKED, rcode=3)),
            f"resolve  api.anthropic.com -> NXDOMAIN{WHO}",
        ),
        (
            replace(RESOLVE, destination=replace(ASKED, rcode=23)),
            f"resolve  api.anthropic.com -> rcode 23{WHO}",
        ),
        (RESOLVE, "resolve  -"),
        (
            replace(
                START,
                evidence=(Evidence("name", "claude"), Evidence("path", "a/b c")),
                parent_session="aaaabbbb",
            ),
            f'session  started within aaaabbbb, known by name claude, path "a/b c"{WHO}',
        ),
        (
            replace(START, evidence=(Evidence("name", "claude"),)),
            f"session  started, known by name claude{WHO}",
        ),
        (
            replace(END, duration_ns=3_200_000_000, processes=14, hosts=1),
            "session  ended after 3.2 s, 14 processes, 1 host",
        ),
        (END, "session  ended"),
        (replace(LOSS, loss=("exec", 3)), "loss     3 exec lost"),
        (
            replace(LOSS, loss=("record", 1), reason="12 bytes"),
            'loss     1 record lost: "12 bytes"',
        ),
        (LOSS, "loss     0 - lost"),
        (
            replace(GAP, gap=LACK, reason="the sensor was down"),
            'gap      2026-11-23T14:00:00Z to 2026-11-23T14:01:00Z: "the sensor was down"',
        ),
        (
            replace(GAP, gap=replace(LACK, first_seq=7, last_seq=9)),
            "gap      2026-11-23T14:00:00Z to 2026-11-23T14:01:00Z, events 7 to 9 not kept: -",
        ),
        (GAP, "gap      -"),
    ],
)
def test_an_event_is_one_line(told: Event, text: str) -> None:
    """Time, session, tool, verb; what varies most is last."""
    assert line(told) == HEAD + text


def test_an_event_of_no_session_keeps_its_columns() -> None:
    """A loss concerns everybody."""
    told = replace(LOSS, tool=None, session=None, loss=("exec", 3))
    assert line(told) == "14:03:07.512  -         -             loss     3 exec lost"


@given(st.text(), st.text(), st.lists(st.text(), max_size=9), st.text(), st.text())
def test_no_text_of_a_process_leaves_its_line(
    exe: str, cwd: str, argv: list[str], user: str, host: str
) -> None:
    """Whatever a process is called and told, it is one printable line of bounded width."""
    process = replace(CLAUDE, exe=exe, cwd=cwd, argv=tuple(argv), user=user)
    for told in (
        replace(EXEC, process=process),
        replace(EXIT, process=process),
        replace(CONNECT, process=process, destination=replace(API, name=host)),
        replace(CLOSE, process=process, destination=replace(API, name=host), traffic=TRAFFIC),
        replace(RESOLVE, process=process, destination=replace(ASKED, name=host)),
    ):
        assert line(told).isprintable()
        assert len(line(told)) < 320
