# SPDX-License-Identifier: Apache-2.0
"""Homes are looked through: each tool has the state that its traces show, and no stranger any."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from support.homes import (
    CLAUDE,
    GLOBAL,
    NOON_NS,
    SECRET,
    audited,
    found,
    npm_log,
    npm_package,
    plant,
    shipped,
    states,
)

from sensor.core.audit.atlas import Atlas
from sensor.core.audit.trace import Trace
from sensor.core.audit.words import Certainty, Shows, Source
from sensor.daemon import survey
from sensor.daemon.audit import Audit, Wanted
from sensor.errors import BadInputError


def test_links_of_a_package_manager_are_followed_inside_the_root(tmp_path: Path) -> None:
    """Of pnpm, what is installed is a link into its store; a link that is left dangling is not."""
    top = ".local/share/pnpm/global/5"
    real = f"{top}/.pnpm/@google+jules@0.1.42/node_modules/@google/jules"
    plant(tmp_path, {f"{real}/package.json": npm_package("@google/jules")})
    (tmp_path / top / "node_modules/@google").mkdir(parents=True)
    (tmp_path / top / "node_modules/@google/jules").symlink_to(
        "../../.pnpm/@google+jules@0.1.42/node_modules/@google/jules"
    )
    (tmp_path / ".local/bin").mkdir()
    (tmp_path / ".local/bin/codex").symlink_to("../lib/node_modules/@openai/codex/bin/codex.js")
    assert states(tmp_path) == {"jules": "installed", "codex": "removed"}


def test_a_copy_is_known_by_its_contents(tmp_path: Path) -> None:
    """Under any name, and by each link to it."""
    others = b"CLAUDE_CODE_IS_COWORK, CLAUDE_CODE_ENABLE_TELEMETRY"
    markers = b"CLAUDE_CODE_ENTRYPOINT" + bytes(5 << 20) + others
    plant(tmp_path, {"bin/vim": b"\x7fELF" + bytes(9 << 20) + markers, "bin/x": bytes(9 << 20)})
    (tmp_path / "bin/vim").chmod(0o755)
    (tmp_path / "bin/x").chmod(0o755)
    (tmp_path / "bin/emacs").hardlink_to(tmp_path / "bin/vim")
    (one,) = found(tmp_path).values()
    assert (one.tool, one.state.value, one.certainty.value) == (
        "claude-code",
        "installed",
        "certain",
    )
    assert len(one.traces) == 2
    assert not found(tmp_path, contents=False)


def test_a_home_has_a_budget_of_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not looked into for that is told; the next home has its own."""
    monkeypatch.setattr(survey, "CONTENTS_BYTES", 9 << 20)
    homes = [tmp_path / "a", tmp_path / "b"]
    for home in homes:
        plant(home, {f"p{number}": b"\x7fELF" + bytes(9 << 20) for number in range(3)})
        for path in home.iterdir():
            path.chmod(0o755)
    assert audited(*homes).looked.left == {survey.NOT_LOOKED_INTO: 4}


def test_times_versions_and_counts_are_told(tmp_path: Path) -> None:
    """First seen and last used are those of traces; session logs are counted."""
    plant(
        tmp_path,
        {
            CLAUDE: npm_package("@anthropic-ai/claude-code", "2.1.330"),
            ".bash_history": "#1795600000\nclaude\n#1795650000\nclaude -c\n",
            ".claude/projects/a/1.jsonl": "{}",
            ".claude/projects/a/2.jsonl": "{}",
            ".claude/settings.json": '{"hooks": {"x": []}, "mcpServers": {"a": {}}}',
        },
    )
    plain = found(tmp_path)["claude-code"].as_dict()
    assert plain["first_seen"] == "2026-11-25T09:46:40Z"
    assert plain["last_used"] == "2026-11-25T23:40:00Z"
    assert plain["versions"] == ["2.1.330"]
    traces = plain["traces"]
    assert isinstance(traces, list)
    by_kind = {(one["kind"], one["shows"]): one for one in traces}
    assert by_kind["history", "used"]["count"] == 2
    assert by_kind["state", "used"]["note"] == "3 files, 2 session logs"
    assert by_kind["settings", "used"]["note"] == "1 hook, 1 MCP server"


def test_no_secret_comes_out(tmp_path: Path) -> None:
    """Of keys, prompts and code in settings, histories, logs and start files nothing is told."""
    line = f"ANTHROPIC_API_KEY={SECRET} claude -p 'secret {SECRET}'\n"
    plant(tmp_path, {
        ".bash_history": line, ".zsh_history": f": 1795608000:0;{line}",
        ".bashrc": f"export {line}",
        ".claude.json": json.dumps({"key": SECRET, "mcpServers": {SECRET: {"env": SECRET}}}),
        ".claude/settings.json": json.dumps({"env": {"K": SECRET}, "hooks": {SECRET: [SECRET]}}),
        ".claude/projects/a/1.jsonl": SECRET, ".codex/config.toml": f'key = "{SECRET}"\n',
        CLAUDE: npm_package("@anthropic-ai/claude-code", SECRET, bin={SECRET: SECRET}),
        ".npm/_logs/1-debug-0.log": npm_log("i", "-g", "codebuff", f"--//r/:_authToken={SECRET}"),
        ".config/systemd/user/a.service": f"ExecStart=claude --key {SECRET}\n",
    })  # fmt: skip
    ones = list(audited(tmp_path).ledger.findings())
    assert {one.tool for one in ones} == {"claude-code", "codex", "codebuff"}
    for one in ones:
        assert SECRET not in json.dumps(one.as_dict())
        assert SECRET not in " ".join(one.texts())


def test_an_image_is_audited_by_its_own_accounts(tmp_path: Path) -> None:
    """Homes come from its passwd, orphans from beside them; its links lead nowhere else."""
    outside = plant(tmp_path / "outside", {CLAUDE: npm_package("@anthropic-ai/claude-code")})
    image = plant(tmp_path / "image", {
        "etc/passwd": "root:x:0:0::/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
                      "bob:x:1001:1001::/data/home/bob:/bin/sh\nbad line\nnobody:x:65534:1::/:/x\n",
        f"home/alice/{GLOBAL}/@openai/codex/package.json": npm_package("@openai/codex"),
        f"home/gone/{GLOBAL}/@qwen-code/qwen-code/package.json":
            npm_package("@qwen-code/qwen-code"),
        "data/home/bob/.claude/history.jsonl": "{}",
        "data/home/former/.kimi/x": "",
        "usr/lib/node_modules/opencode-ai/package.json":
            npm_package("opencode-ai", bin={"opencode": "x"}),
        "var/lib/docker/overlay2/0123456789abcdef/diff/root/.codex/log/x": "",
        "var/spool/cron/crontabs/alice": "# m h dom mon dow command\n0 3 * * * claude -p x\n",
        "etc/cron.d/nightly": "SHELL=/bin/sh\n@daily bob aider --yes\n",
        "var/log/apt/history.log": "Start-Date: 2026-11-01  10:00:00\n"
                                   "Install: claude-code:amd64 (2.1.0), x:amd64 (1)\n",
    })  # fmt: skip
    (image / "var/lib/rpm").mkdir(parents=True)
    with closing(sqlite3.connect(image / "var/lib/rpm/rpmdb.sqlite")) as database, database:
        database.execute("CREATE TABLE Name (key TEXT, hnum INTEGER, idx INTEGER)")
        database.execute("INSERT INTO Name VALUES ('kimi-cli', 1, 0)")
    (image / "home/mallory").symlink_to(outside)
    (image / "home/alice/out").symlink_to(outside)
    (image / "home/alice/up").symlink_to("../../../outside")
    (image / "srv").symlink_to("/")
    audit = audited(root=image)
    rows = {
        (one.home.place.removeprefix(str(image)), one.home.path, one.home.user, one.tool,
         one.state.value)
        for one in audit.ledger.findings()
    }  # fmt: skip
    assert rows == {
        ("", "/home/alice", "alice", "codex", "installed"),
        ("", "/home/alice", "alice", "claude-code", "used"),
        ("", "/home/gone", "root", "qwen-code", "installed"),
        ("", "/data/home/bob", "bob", "claude-code", "used"),
        ("", "/data/home/former", "root", "kimi-cli", "used"),
        ("", None, None, "aider", "used"),
        ("", None, None, "claude-code", "hinted"),
        ("", None, None, "opencode", "installed"),
        ("", None, None, "kimi-cli", "hinted"),
        ("docker:0123456789ab", "/root", None, "codex", "used"),
    }
    assert audit.looked.layers == 1


def test_sessions_belong_to_their_users_home(tmp_path: Path) -> None:
    """One of which nobody knows a home is told without; with --home only those of it are."""
    trace = Trace(
        tool="codex",
        source=Source.SESSION,
        shows=Shows.USED,
        certainty=Certainty.CERTAIN,
        path="/x",
    )
    accounts = "alice:x:1000:1000::/home/alice:/bin/sh\n"
    image = plant(tmp_path, {"etc/passwd": accounts, "home/alice/x": ""})
    for homes in ((), ("/home/alice",)):
        audit = Audit(Atlas(shipped()))
        audit.run(Wanted(root=image, homes=homes))
        for user, uid in (("alice", 1000), (None, 1000), ("zoe", 7), (None, None)):
            audit.add(user, uid, trace)
        told = {(one.home.path, one.home.user) for one in audit.ledger.findings()}
        others = set() if homes else {(None, None), (None, "zoe")}
        assert told == {("/home/alice", "alice"), *others}


def test_hostile_trees_neither_hang_nor_mislead_it(tmp_path: Path) -> None:
    """FIFOs, loops, names with escapes or no UTF-8, depth: what is left out is counted."""
    home = plant(
        tmp_path / "home", {".codex/x": "1", CLAUDE: npm_package("@anthropic-ai/claude-code")}
    )
    os.mkfifo(home / ".bash_history")
    os.mkfifo(home / ".claude.json")
    (home / ".zsh_history").symlink_to("/dev/zero")
    (home / "loop").symlink_to("loop")
    (home / "self").symlink_to(".")
    plant(
        home / os.fsdecode(b"\xff\xfe\x1b[2J\n"),
        {
            ".local/bin/x": "",
            "node_modules/@openai/codex/package.json": npm_package("@openai/codex"),
        },
    )
    deep = home
    for _ in range(80):
        deep /= "d"
    deep.mkdir(parents=True)
    (home / ".gemini").symlink_to("/")
    audit = audited(home)
    by_tool = {one.tool: one for one in audit.ledger.findings()}
    assert {tool: one.state.value for tool, one in by_tool.items()} == {
        "claude-code": "installed", "codex": "installed", "gemini-cli": "hinted",
    }  # fmt: skip
    assert "\x1b" not in "".join(by_tool["codex"].texts())
    json.dumps(by_tool["codex"].as_dict()).encode("utf-8")
    assert audit.looked.left == {"deeper than 64 folders": 1}


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One closed folder costs what is in it, and nothing else."""
    home = plant(tmp_path / "home", {"closed/x": "", "open/CLAUDE.md": ""})
    real = os.open

    def refuse(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "closed":
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    audit = audited(home)
    assert [one.tool for one in audit.ledger.findings()] == ["claude-code"]
    assert audit.looked.left == {"that could not be read": 1}
    assert audit.looked.examples == {"that could not be read": f"{home}/closed"}


def test_a_home_that_is_closed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever reads that nothing was found knows of whom; places that are not there are no news."""
    image = plant(tmp_path, {"home/alice/x": "", "home/bob/x": ""})
    real = os.open

    def refuse(path: object, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        if path == "alice" and not flags & os.O_PATH:
            raise PermissionError(13, "Permission denied")
        return real(path, flags, mode, dir_fd=dir_fd)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    looked = audited(root=image).looked
    assert looked.left == {"that could not be read": 1}
    assert looked.examples["that could not be read"].endswith("/home/alice")


def test_access_times_stay(tmp_path: Path) -> None:
    """Whoever looks at a home afterwards does not see that it was audited."""
    home = plant(
        tmp_path, {".bash_history": "claude\n", CLAUDE: npm_package("@anthropic-ai/claude-code")}
    )
    read = [home / ".bash_history", home / CLAUDE]
    for path in read:
        os.utime(path, ns=(NOON_NS - 10**15, NOON_NS))
    assert set(states(home)) == {"claude-code"}
    assert {path.stat().st_atime_ns for path in read} == {NOON_NS - 10**15}


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            Wanted(homes=("/nowhere/at/all",)),
            "--home /nowhere/at/all: no folder that you can reach",
        ),
        (Wanted(users=("no-such-user-here",)), "--user no-such-user-here: nobody has a home"),
        (
            Wanted(root=Path("/nowhere")),
            "--root /nowhere: No such file or directory; name a folder",
        ),
    ],
)
def test_what_is_not_there_is_named(wanted: Wanted, message: str) -> None:
    """The error has the option and the remedy."""
    with pytest.raises(BadInputError, match=message):
        audited(*map(Path, wanted.homes), root=wanted.root, users=wanted.users)
