# SPDX-License-Identifier: Apache-2.0
"""Policies as files of this host, and what this host knows of whom they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sensor.core.policy.model import names
from sensor.core.policy.text import parse
from sensor.daemon.standby import DEFAULT
from sensor.edge.users import accounts, local_accounts
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from pathlib import Path

    from sensor.core.catalogue import Catalogue
    from sensor.core.policy.model import Accounts, Policy


def read(path: Path, catalogue: Catalogue) -> Policy:
    """Read a policy from a file.

    BadInputError names the place, the key and the remedy; OSError is the system's own.
    """
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as problem:
        raise BadInputError(f"{path}: {problem}; write it in UTF-8") from problem
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as problem:
        raise BadInputError(f"{path}: {problem.strerror}; name the file of a policy") from problem
    return parse(text, where=str(path), catalogue=catalogue)


def accounts_of(policy: Policy) -> Accounts:
    """Look up whom a policy names. Raises SensorError where the user database does not answer."""
    return accounts(*names(policy))


def local_accounts_of(policy: Policy) -> Accounts:
    """Look up whom a policy names in the host's own files alone."""
    return local_accounts(*names(policy))


__all__ = ["DEFAULT", "accounts_of", "local_accounts_of", "read"]
