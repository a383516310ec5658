# SPDX-License-Identifier: Apache-2.0
"""An installation: which file goes where, with which mode and text, and what is done with it.

The program itself is there already; this is what makes a service of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from sensor.core.quote import quote
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "agent-sensor"
"""Of the command, the unit, the group and the folders."""

UNIT = f"{NAME}.service"
CONFIG_DIR = f"/etc/{NAME}"
STATE_DIR = f"/var/lib/{NAME}"
RUN_DIR = f"/run/{NAME}"
CACHE_DIR = f"/var/cache/{NAME}"
SOCKET = f"{RUN_DIR}/stream.sock"
UNIT_FILE = f"/etc/systemd/system/{UNIT}"
ENABLED = f"/etc/systemd/system/multi-user.target.wants/{UNIT}"
SYSUSERS = f"/etc/sysusers.d/{NAME}.conf"
TMPFILES = f"/etc/tmpfiles.d/{NAME}.conf"

KEPT = {
    CONFIG_DIR: "policy and configuration",
    f"{UNIT_FILE}.d": "changes to the unit",
    STATE_DIR: "stored events",
}
"""Folders of what people decided or the daemon stored: only a purge takes them away."""

ASIDE = ".new"
"""What a new text is called that is put beside a changed one."""

# No blanks, quotes, backslashes, $ or %: systemd gives them a meaning (systemd.unit(5)).
_PREFIX = re.compile(r"/[A-Za-z0-9_@+:,./-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file of the installation. One that is ``theirs`` is for the owner of the host to change."""

    path: str
    text: str
    mode: int = 0o644
    theirs: bool = False


class Step(Enum):
    """What becomes of a file."""

    WRITE = auto()
    KEEP = auto()
    PUT_ASIDE = auto()
    REMOVE = auto()


# Which text of the package becomes which file.
_PLACES = {
    "sysusers.conf": SYSUSERS,
    "tmpfiles.conf": TMPFILES,
    "config.toml": f"{CONFIG_DIR}/config.toml",
    UNIT: UNIT_FILE,
}
TEXTS = tuple(_PLACES)
"""The names of the package's texts."""


def files(texts: Mapping[str, str], *, prefix: str) -> tuple[File, ...]:
    """Give the files for a program below ``prefix``, in the order in which they are needed.

    Raises BadInputError for a prefix that a unit cannot name.
    """
    if not _PREFIX.fullmatch(prefix):
        raise BadInputError(
            f"--prefix {quote(prefix)}: a unit cannot start a program there:"
            " take an absolute path of letters, digits and _@+:,./-"
        )
    return tuple(
        File(
            path=path,
            text=texts[name].replace("@PREFIX@", prefix.rstrip("/")),
            theirs=name == "config.toml",
        )
        for name, path in _PLACES.items()
    )


def to_install(file: File, found: str | None) -> Step:
    """Decide over a file of which ``found`` is there now."""
    if found == file.text:
        return Step.KEEP
    return Step.PUT_ASIDE if file.theirs and found is not None else Step.WRITE


def to_uninstall(file: File, found: str | None, *, purge: bool) -> Step:
    """Decide over a file of which ``found`` is there now: what was changed is somebody's work."""
    if found is None or (file.theirs and found != file.text and not purge):
        return Step.KEEP
    return Step.REMOVE


SYSTEMD_GROUP = ("systemd-sysusers", SYSUSERS)
SYSTEMD_FOLDERS = ("systemd-tmpfiles", "--create", TMPFILES)
ASK_GROUP = ("getent", "group", NAME)
PLAIN_GROUP = ("groupadd", "--system", NAME)
REMOVE_GROUP = ("groupdel", NAME)
RELOAD = ("systemctl", "daemon-reload")
STOP = ("systemctl", "disable", "--now", UNIT)
"""Commands of the host, run where it is the host itself that is installed to."""


def after_install(*, systemd: bool) -> str:
    """Tell what to do next."""
    start = f"systemctl enable --now {UNIT}" if systemd else f"{NAME} run"
    return f"start it with: {start}; let people read with: usermod -aG {NAME} USER"
