# SPDX-License-Identifier: Apache-2.0
"""The policy that a run before had in force, as far as rulings are told by it.

A kill leaves it in force, and the next run reads what the kernel said by it in the
meantime. So each run notes what the numbers of its policy mean.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.enforced import Enforced

VERSION = 1
"""The format of the text."""


@dataclass(frozen=True, slots=True)
class Former:
    """Rules by their numbers, each an id with what it says to people.

    ``seed`` is drawn for each load of the probes: by it the generation is that of
    these tables. ``domains`` are names by the hashes that the kernel tells.
    """

    seed: int
    generation: int
    rules: tuple[tuple[str, str | None], ...] = ()
    domains: Mapping[int, str] = field(default_factory=dict)

    def told(self, index: int) -> tuple[str, str | None] | None:
        """Give the id of a rule by its number, and what it says to people."""
        return self.rules[index] if index < len(self.rules) else None


def noted(enforced: Enforced, seed: int) -> Former:
    """Take of a policy in force what is to be known of it later."""
    told = (enforced.told(index) for index in range(len(enforced.policy.rules)))
    return Former(seed, enforced.generation, tuple(filter(None, told)), enforced.domains)


def text_of(former: Former) -> str:
    """Write it as it is kept."""
    kept = {
        "version": VERSION,
        "seed": former.seed,
        "generation": former.generation,
        "rules": former.rules,
        "domains": {str(number): name for number, name in former.domains.items()},
    }
    return json.dumps(kept, ensure_ascii=False) + "\n"


def former_of(text: str) -> Former:
    """Read what was kept. Raises BadInputError where that is damaged, or of another version."""
    try:
        kept = json.loads(text)
        if kept["version"] != VERSION:
            raise BadInputError(f"version {kept['version']!a}; this one reads {VERSION}")
        return Former(
            int(kept["seed"]),
            int(kept["generation"]),
            tuple((str(rule), says and str(says)) for rule, says in kept["rules"]),
            {int(number): str(name) for number, name in kept["domains"].items()},
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as problem:
        raise BadInputError(f"damaged ({type(problem).__name__}: {problem})") from problem
