# SPDX-License-Identifier: Apache-2.0
"""A tree is read from left to right and from top to bottom, whatever is in it."""

from __future__ import annotations

from ipaddress import ip_address

from support.recorded import recorded

from sensor.core.event import Destination, ProcessView, Traffic
from sensor.core.facts import Process
from sensor.core.sessiontree import Branch, Link, Trees
from sensor.core.treetext import FOLD, NAMES, lines


def branch(pid: int, exe: str | None = "/usr/bin/cc1") -> Branch:
    """Return a process that ran one image."""
    view = ProcessView(pid=pid, started_ns=pid, exe=exe)
    return Branch(Process(pid, pid), "s", views=[view], seen=view)


def test_a_session_is_a_page() -> None:
    """Destinations stand below their process and before its children; text is quoted."""
    trees = Trees()
    for event in recorded():
        trees.take(event)
    first, second = trees.roots()
    assert list(lines(first)) == [
        '[awyyzsd3] /opt/bin/claude -p "fix it"  (pid 10, status 0, 38.0 s)',
        (
            "  -> 198.51.100.7:443 api.anthropic.com tcp"
            "  (1 connection, sent 12.3 KiB, received 4.1 KiB, 1.0 s)"
        ),
        "  ?? telemetry.example.com",
        "  /usr/bin/make -j2  (pid 12, status 0, 34.0 s)",
        "    /usr/bin/cc1 part20.c  (pid 20, status 0, 3.0 s)",
        "    [+9 more] /usr/bin/cc1",
        "    [n6tnxsub] /opt/bin/codex  (pid 40, status 0, 4.0 s)",
        (
            "      -> [2001:db8::9]:443 tcp"
            "  (1 connection, sent 12.3 KiB, received 4.1 KiB, 1.0 s, 1 refused)"
        ),
        "      -> 192.0.2.53:53 udp  (1 connection)",
        "  (forked)  (pid 31)",
        '    /usr/bin/printf "red\\x1b[31m\\u202egnp.exe\\n"  (pid 32, killed by signal 9, 3.0 s)',
    ]
    assert list(lines(second)) == [
        "[j353jvw7] /opt/python3.11 -m aider --yes  (pid 60)",
        "  -> 198.51.100.8:443 (anthropic) tcp  (1 connection)",
    ]


def test_many_of_one_kind_are_folded_and_can_be_unfolded() -> None:
    """Only those that have nothing of their own; a few are shown as they are."""
    root = branch(1, "/usr/bin/make")
    root.children = [branch(pid) for pid in range(2, 2 + FOLD)]
    assert len(list(lines(root))) == 1 + FOLD
    root.children += [branch(100), branch(101, "/usr/bin/as"), branch(102)]
    root.children[-1].asked["example.com"] = None
    assert list(lines(root)) == [
        "/usr/bin/make  (pid 1)",
        "  /usr/bin/cc1  (pid 2)",
        f"  [+{FOLD} more] /usr/bin/cc1",
        "  /usr/bin/as  (pid 101)",
        "  /usr/bin/cc1  (pid 102)",
        "    ?? example.com",
    ]
    assert len(list(lines(root, fold=None))) == 1 + FOLD + 4


def test_a_process_that_ran_several_images_shows_each() -> None:
    """In their order."""
    one = branch(1, "/bin/sh")
    one.views += branch(1, "/usr/bin/true").views
    assert list(lines(one)) == ["/bin/sh then /usr/bin/true  (pid 1)"]


def test_a_fork_shows_the_image_that_it_was_forked_with() -> None:
    """If that is known."""
    forked = Branch(Process(1, 1), "s", seen=ProcessView(pid=1, started_ns=1, exe="/a b"))
    assert list(lines(forked)) == ['(forked) "/a b"  (pid 1)']
    forked.seen = ProcessView(pid=1, started_ns=1)
    assert list(lines(forked)) == ["(forked) -  (pid 1)"]


def test_names_without_end_are_cut_with_a_count() -> None:
    """A process can ask for as many as it likes."""
    one = branch(1)
    one.asked = dict.fromkeys(f"n{number}.example" for number in range(NAMES + 2))
    [_, asked] = lines(one)
    assert asked.startswith("  ?? n0.example, n1.example, ")
    assert asked.endswith(", n7.example [+2 names]")


def test_a_name_that_was_reached_is_not_told_twice() -> None:
    """It stands with its destination."""
    one = branch(1)
    to = Destination(ip=ip_address("192.0.2.1"), port=443, transport="tcp", name="example.com")
    link = Link(to)
    link.connections = 2
    link.close(Traffic(sent_bytes=1, received_bytes=2, duration_ns=3, outcome="reset"))
    one.links[to.ip,] = link
    one.asked["example.com"] = None
    assert list(lines(one))[1:] == [
        (
            "  -> 192.0.2.1:443 example.com tcp"
            "  (2 connections, sent 1 bytes, received 2 bytes, 3 ns, 1 reset)"
        )
    ]
