# SPDX-License-Identifier: Apache-2.0
"""The system's places tell of packages, and of what runs by itself."""

from __future__ import annotations

import pytest
from support.homes import shipped

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.leads import How, Seen
from sensor.core.audit.system import FOLDERS, NAMES, Finder, is_whole
from sensor.core.catalogue import parse

FINDER = Finder(Atlas(shipped()))
PACKAGED = """\
version = 1
[[tool]]
id = "some-tool"
name = "Some"
vendor = "some"
category = "cli"
[[tool.facts]]
source = "ran 1.2"
names = ["some"]
packages = ["deb:some", "rpm:some", "snap:some", "flatpak:io.some"]
"""


@pytest.mark.parametrize(
    ("folder", "name", "how"),
    [
        ("var/lib/dpkg", "status", How.LINES),
        ("var/lib/dpkg", "status-old", None),
        ("var/lib/dpkg/info", "x.list", How.LINES),
        ("var/lib/dpkg/info", "x.md5sums", None),
        ("var/log", "dpkg.log.2.gz", How.LINES),
        ("var/log", "dnf.rpm.log-20261101", How.LINES),
        ("var/log/apt", "history.log", How.LINES),
        ("var/log", "syslog", None),
        ("etc", "crontab", How.LINES),
        ("etc", "passwd", None),
        ("etc", "claude-code", How.ENTRY),
        ("etc/systemd/system", "x.service", How.LINES),
        ("var/spool/cron/crontabs", "alice", How.LINES),
        ("snap", "codex", None),
        ("tmp", "codex-daemon-1000", How.ENTRY),
        ("tmp", "x", None),
    ],
)
def test_a_place_is_a_lead(folder: str, name: str, how: How | None) -> None:
    """The rest of the system is not."""
    lead = FINDER.lead(folder, name)
    assert (lead.how if lead else None) is how


def test_where_every_name_counts_is_known() -> None:
    """In /etc some names do."""
    assert [folder for folder in FOLDERS if not is_whole(folder)] == ["etc"]
    assert "crontab" in NAMES


def told(finder: Finder, folder: str, name: str, *lines: str) -> list[tuple[str, str, str]]:
    """Say what a lead tells of lines."""
    lead = finder.lead(folder, name)
    assert lead
    seen = Seen(path=f"/{folder}/{name}", mtime_ns=1, lines=lines, uid=1000)
    return [(one.tool, one.shows.value, one.certainty.value) for one in lead.tell(seen)]


def test_a_package_of_the_catalogue_is_certain() -> None:
    """One that is only called like a tool is a hint, if the name has two parts."""
    finder = Finder(Atlas(parse(PACKAGED, where="x")))
    names = ("some", "some-tool", "vim")
    status = [
        line for name in names for line in (f"Package: {name}", "Status: install ok installed", "")
    ]
    assert told(finder, "var/lib/dpkg", "status", *status) == [
        ("some-tool", "installed", "certain"), ("some-tool", "hint", "weak"),
    ]  # fmt: skip
    log = "2026-11-25T12:00:00Z SUBDEBUG Erase: some-2.1.0-1.x86_64"
    assert told(finder, "var/log", "dnf.rpm.log", log) == [("some-tool", "removed", "certain")]
    known = [finder.rpm(name, "/x") for name in ("some", "some-tool", "bash")]
    assert [one and (one.source.value, one.shows.value) for one in known] == [
        ("rpm", "installed"), ("rpm", "hint"), None,
    ]  # fmt: skip
    line = "2026-11-25 12:00:00 install some:amd64 <none> 1"
    assert told(finder, "var/log", "dpkg.log", line) == [("some-tool", "was installed", "certain")]
    for folder, name in (("snap", "some"), ("var/lib/flatpak/app", "io.some")):
        assert told(finder, folder, name) == [("some-tool", "installed", "certain")]


def test_a_file_list_tells_of_programs() -> None:
    """A name may be a stranger's, a folder of the tool's is not."""
    lines = ("/.", "/usr/bin/codex", "/usr/lib/node_modules/@openai/codex", "/usr/bin/gemini")
    assert told(FINDER, "var/lib/dpkg/info", "x.list", *lines) == [
        ("codex", "hint", "weak"), ("gemini-cli", "hint", "weak"),
    ]  # fmt: skip
    assert told(FINDER, "var/lib/dpkg/info", "x.list", *lines[2:3]) == [
        ("codex", "installed", "likely")
    ]


def test_tables_of_cron_are_somebodys() -> None:
    """A user's by its name; in the system's the user stands before the command."""
    line = "*/5 * * * * claude -p x"
    lead = FINDER.lead("var/spool/cron/crontabs", "alice")
    assert lead
    (one,) = lead.tell(Seen(path="/x", mtime_ns=1, lines=["# claude", "MAILTO=x", line]))
    assert (one.tool, one.owner, one.shows.value) == ("claude-code", "alice", "used")
    assert told(FINDER, "etc", "crontab", "@daily root claude -p x") == [
        ("claude-code", "used", "likely")
    ]


def test_what_lies_in_tmp_is_its_owners() -> None:
    """What lies in /etc is the system's."""
    lead, other = FINDER.lead("tmp", "codex-daemon-1000"), FINDER.lead("etc", "claude-code")
    assert lead
    assert other
    (one,) = lead.tell(Seen(path="/var/tmp/x", mtime_ns=1, uid=1000))  # noqa: S108
    assert one.owner == 1000
    (one,) = other.tell(Seen(path="/etc/claude-code", mtime_ns=1, uid=0))
    assert one.owner is None


def test_units_of_the_system_are_read() -> None:
    """As those of users are."""
    assert told(FINDER, "etc/systemd/system", "x.service", "ExecStart=/usr/bin/codex") == [
        ("codex", "used", "likely")
    ]
