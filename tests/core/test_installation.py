# SPDX-License-Identifier: Apache-2.0
"""What an installation consists of, and what becomes of each file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sensor.core import installation
from sensor.core.config import Config, parse
from sensor.core.installation import TEXTS, File, Step, files, to_install, to_uninstall
from sensor.core.rights import RUNNING, STARTING
from sensor.errors import BadInputError, ExitCode

SYSTEM = Path(installation.__file__).resolve().parents[1] / "system"
SHIPPED = {name: (SYSTEM / name).read_text("utf-8") for name in TEXTS}
OURS = File(path="/etc/x", text="new")
THEIRS = File(path="/etc/x", text="new", theirs=True)


def unit() -> str:
    """Give the unit as it is installed."""
    return next(f.text for f in files(SHIPPED, prefix="/usr") if f.path.endswith(".service"))


def setting(name: str) -> list[str]:
    """Give the words of all lines of the unit that set ``name``."""
    lines = re.findall(rf"^{name}=(.*)$", unit(), re.MULTILINE)
    return " ".join(lines).split()


def test_every_text_of_the_package_has_its_place() -> None:
    """A text that is added and not installed is caught here."""
    assert {path.name for path in SYSTEM.iterdir()} == set(TEXTS)
    assert [f.path for f in files(SHIPPED, prefix="/usr")] == [
        "/etc/sysusers.d/agent-sensor.conf",
        "/etc/tmpfiles.d/agent-sensor.conf",
        "/etc/agent-sensor/config.toml",
        "/etc/systemd/system/agent-sensor.service",
    ]


@pytest.mark.parametrize(
    ("prefix", "program"),
    [
        ("/usr", "/usr/bin/agent-sensor"),
        ("/opt/agent-sensor/", "/opt/agent-sensor/bin/agent-sensor"),
        ("/", "/bin/agent-sensor"),
    ],
)
def test_the_unit_starts_the_program_below_the_prefix(prefix: str, program: str) -> None:
    """No mark of the text is left."""
    made = "".join(f.text for f in files(SHIPPED, prefix=prefix))
    assert f"ExecStart={program} run\n" in made
    assert "@PREFIX@" not in made


@pytest.mark.parametrize("prefix", ["", "opt", "/opt/a b", "/opt/%h", '/opt/"', "/o\n", "/$X"])
def test_a_prefix_that_a_unit_cannot_name_is_refused(prefix: str) -> None:
    """Blanks, quotes, percent and dollar mean something else to systemd."""
    with pytest.raises(BadInputError, match="--prefix"):
        files(SHIPPED, prefix=prefix)


@pytest.mark.parametrize(
    ("file", "found", "step"),
    [
        (OURS, None, Step.WRITE),
        (OURS, "new", Step.KEEP),
        (OURS, "old", Step.WRITE),
        (THEIRS, None, Step.WRITE),
        (THEIRS, "new", Step.KEEP),
        (THEIRS, "changed", Step.PUT_ASIDE),
    ],
)
def test_installing_overwrites_only_what_is_ours(file: File, found: str | None, step: Step) -> None:
    """A changed configuration stays, and the new one is put beside it."""
    assert to_install(file, found) is step


@pytest.mark.parametrize(
    ("file", "found", "purge", "step"),
    [
        (OURS, None, False, Step.KEEP),
        (OURS, "old", False, Step.REMOVE),
        (THEIRS, "new", False, Step.REMOVE),
        (THEIRS, "changed", False, Step.KEEP),
        (THEIRS, "changed", True, Step.REMOVE),
        (THEIRS, None, True, Step.KEEP),
    ],
)
def test_uninstalling_leaves_what_somebody_changed(
    file: File, found: str | None, step: Step, *, purge: bool
) -> None:
    """Unless a purge is asked for."""
    assert to_uninstall(file, found, purge=purge) is step


def test_the_shipped_configuration_is_that_of_no_file() -> None:
    """What is commented out is the default, and each line can be used."""
    text = SHIPPED["config.toml"]
    assert parse(text, where="config.toml") == Config()
    used = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    full = parse(used, where="config.toml")
    assert (full.max_age_s, full.max_bytes, full.group) == (
        Config().max_age_s, Config().max_bytes, Config().group,
    )  # fmt: skip
    assert full.scope
    assert full.metrics_listen
    assert full.metrics_textfile
    assert full.syslog is Config().syslog


def test_the_unit_allows_the_rights_of_the_start_and_no_more() -> None:
    """The table of rights is the bounding set; what is kept for good stands first."""
    allowed = setting("CapabilityBoundingSet")
    assert set(allowed) == {str(one) for one in STARTING}
    assert set(allowed[: len(RUNNING)]) == {str(one) for one in RUNNING}
    assert not setting("AmbientCapabilities")
    assert setting("NoNewPrivileges") == ["yes"]


def test_what_a_second_start_would_not_mend_is_not_tried_again() -> None:
    """Usage, rights, kernel and bad files stay as they are until somebody acts."""
    for_good = (
        ExitCode.USAGE, ExitCode.NOT_PERMITTED, ExitCode.UNSUPPORTED, ExitCode.BAD_INPUT,
    )  # fmt: skip
    assert setting("RestartPreventExitStatus") == [str(int(code)) for code in for_good]
    assert setting("StartLimitIntervalSec") == ["0"]


def test_folders_and_group_are_the_same_everywhere() -> None:
    """The unit, tmpfiles, sysusers, the configuration and the defaults agree."""
    assert setting("Group") == [Config().group]
    assert f"g {Config().group} -" in SHIPPED["sysusers.conf"]
    assert f"d {installation.RUN_DIR} 0750 root {Config().group} -" in SHIPPED["tmpfiles.conf"]
    assert f"d {installation.STATE_DIR} 0700 root root -" in SHIPPED["tmpfiles.conf"]
    assert setting("RuntimeDirectoryMode") == ["0750"]
    assert setting("StateDirectoryMode") == ["0700"]
    assert setting("CacheDirectoryMode") == ["0700"]


@pytest.mark.parametrize(("systemd", "start"), [(True, "systemctl enable"), (False, "sensor run")])
def test_the_next_step_is_told(start: str, *, systemd: bool) -> None:
    """Who installs learns how to start, and how to let people read."""
    told = installation.after_install(systemd=systemd)
    assert start in told
    assert "usermod -aG agent-sensor" in told
