# SPDX-License-Identifier: Apache-2.0
"""Debian's kernels from the mirror that this machine's apt uses; nothing is installed.

Each suite has apt lists of its own in the cache, so that a suite which the
machine does not follow can be asked as well, and its own lists stay as they are.
"""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# An image of hundreds of megabytes over a slow line; a mirror that says nothing fails sooner.
FETCH_S = 600
SILENCE_S = 15
# Since 6.17 or so the image is an empty package that depends on the parts.
PARTS = ("linux-image-", "linux-base-", "linux-binary-", "linux-modules-")


class UnavailableError(Exception):
    """The mirror does not have it, or cannot be reached; the text is the reason."""


@dataclass(frozen=True, slots=True)
class Suite:
    """One suite of the mirror, with apt's state for it under ``state``."""

    name: str
    state: Path

    def update(self) -> None:
        """Get the suite's package list, once a run: a mirror that is silent is waited for once.

        Raises:
            UnavailableError: The mirror has no such suite, or does not answer.

        """
        if self not in _asked:
            _asked[self] = self._update()
        if _asked[self]:
            raise UnavailableError(f"suite {self.name} of this machine's mirror: {_asked[self]}")

    def _update(self) -> str:
        """Give the reason why there is no list, or nothing."""
        for folder in (self.state / "lists/partial", self.state / "archives/partial"):
            folder.mkdir(parents=True, exist_ok=True)
        source = f"deb [signed-by={KEYRING}] {repository(self.name)} {self.name} main\n"
        (self.state / "sources.list").write_text(source)
        done = self._apt("apt-get", "-qq", "update")
        return _reason(done) if done.returncode else ""

    def packages(self, meta: str) -> list[str]:
        """List the packages that make up the kernel which the package ``meta`` stands for.

        Raises:
            UnavailableError: The suite has no such package.

        """
        found: list[str] = []
        wanted = [meta]
        while wanted:
            package = wanted.pop(0)
            shown = self._apt("apt-cache", "show", "--no-all-versions", package).stdout
            if not shown.strip():
                raise UnavailableError(f"suite {self.name} has no package {package}")
            found.append(package)
            wanted += [name for name in parts(shown) if name not in found + wanted]
        return [package for package in found if package != meta]

    def download(self, packages: list[str], into: Path) -> list[Path]:
        """Put the packages' files into the folder ``into``.

        Raises:
            UnavailableError: A download failed or did not end in time.

        """
        done = self._apt("apt-get", "-qq", "download", *packages, cwd=into)
        if done.returncode:
            raise UnavailableError(f"download of {' '.join(packages)}: {_reason(done)}")
        return sorted(into.glob("*.deb"))

    def _apt(
        self, tool: str, *arguments: str, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        options = (
            f"Dir::Etc::sourcelist={self.state}/sources.list",
            "Dir::Etc::sourceparts=/dev/null",
            f"Dir::State::lists={self.state}/lists",
            "Dir::State::status=/dev/null",
            f"Dir::Cache={self.state}",
            "APT::Sandbox::User=root",
            "APT::Update::Post-Invoke-Success::=true",
            "Acquire::Languages=none",
            "Acquire::Retries=1",
            # Or else a mirror that does not answer is a warning, and the old lists serve.
            "APT::Update::Error-Mode=any",
            f"Acquire::http::Timeout={SILENCE_S}",
            # The Release file of a suite that went to the archive has run out.
            "Acquire::Check-Valid-Until=false",
        )
        command = [tool, *(f"-o{option}" for option in options), *arguments]
        try:
            return subprocess.run(
                command, check=False, capture_output=True, text=True, cwd=cwd, timeout=FETCH_S
            )
        except subprocess.TimeoutExpired as error:
            raise UnavailableError(f"{tool} did not end within {FETCH_S} s") from error


# What came of it, by the suite that the mirror was asked for.
_asked: dict[Suite, str] = {}


def _reason(done: subprocess.CompletedProcess[str]) -> str:
    """Give the first thing that apt says went wrong, without the mirror's address."""
    said = [line for line in done.stderr.splitlines() if line.startswith(("E: ", "W: "))]
    words = said[0].split()[1:] if said else [f"{done.args[0]} ended with {done.returncode}"]
    return " ".join(word for word in words if "://" not in word)


def repository(suite: str) -> str:
    """Give the address that this machine's apt sources have for Debian or its security updates.

    Raises:
        UnavailableError: The sources name no Debian mirror.

    """
    listed = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(ORIGIN) $(RELEASE) $(REPO_URI)"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    security = suite.endswith("-security")
    for line in listed.splitlines():
        match line.split():
            case ["Debian", release, address] if release.endswith("-security") == security:
                return address
    raise UnavailableError(f"no apt source of this machine is a Debian mirror for {suite}")


def parts(shown: str) -> list[str]:
    """List the packages of the same kernel that the package shown depends on."""
    for line in shown.splitlines():
        if line.startswith("Depends: "):
            names = [entry.split()[0] for entry in line.removeprefix("Depends: ").split(",")]
            return [name for name in names if name.startswith(PARTS)]
    return []
