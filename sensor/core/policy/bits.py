# SPDX-License-Identifier: Apache-2.0
"""Conditions as bits: equal ones share one, and each dimension says which it does not rule out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sensor.core.policy.rows import CONDITIONS
from sensor.core.words import UNKNOWN_CLIENT
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sensor.core.policy.model import Condition

ROOT = "/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Who:
    """A condition without names. None and empty are for whoever it is.

    ``tools`` of nobody's session are none; ``strangers`` are in no session.
    """

    tools: frozenset[str] | None = None
    uids: frozenset[int] | None = None
    cgroups: frozenset[str] = frozenset()
    container: bool | None = None
    paths: frozenset[str] = frozenset()
    strangers: bool = False

    @classmethod
    def of(cls, condition: Condition, *, with_tools: bool) -> Self:
        """Give a condition; without its tools where a list is about one of them already."""
        return cls(
            tools=condition.tools if with_tools else None,
            uids=condition.uids if condition.names_users else None,
            cgroups=frozenset(() if ROOT in condition.cgroups else condition.cgroups),
            container=condition.container,
            paths=frozenset(condition.paths),
        )


EVERYBODY = Who()
STRANGERS = Who(strangers=True)


class Bits:
    """Gives out a bit for each condition that is asked for."""

    def __init__(self) -> None:
        self._bits: dict[Who, int] = {}

    def of(self, who: Who, at: str) -> int:
        """Give the mask that a row needs: none where it holds for everybody.

        BadInputError begins with ``at``.
        """
        return 0 if who == EVERYBODY else self.always(who, at)

    def always(self, who: Who, at: str) -> int:
        """Give the bit of a condition, also of the one that always holds."""
        if who not in self._bits:
            if len(self._bits) == CONDITIONS:
                raise BadInputError(
                    f"{at}: there are {CONDITIONS} other combinations of tools, users, groups,"
                    " cgroups, container and paths already; give rules the same ones"
                )
            self._bits[who] = 1 << len(self._bits)
        return self._bits[who]

    def tool(self, tool: str | None) -> int:
        """Give what holds in sessions of a tool, None for whoever is in none."""
        if tool is None:
            return self._mask(lambda who: who.tools is None or UNKNOWN_CLIENT in who.tools)
        return self._mask(
            lambda who: not who.strangers and (who.tools is None or tool in who.tools)
        )

    def any_user(self) -> int:
        """Give what holds for a user whom no condition names."""
        return self._mask(lambda who: who.uids is None)

    def users(self) -> dict[int, int]:
        """Give all that holds for each user who is named."""
        named = {uid for who in self._bits for uid in who.uids or ()}
        some = self.any_user()
        masks = dict.fromkeys(sorted(named), some)
        for who, bit in self._bits.items():
            for uid in who.uids or ():
                masks[uid] |= bit
        return masks

    def any_cgroup(self) -> int:
        """Give what holds in every cgroup."""
        return self._mask(lambda who: not who.cgroups)

    def cgroups(self) -> dict[str, int]:
        """Give what holds in and below each cgroup besides."""
        return self._each(lambda who: who.cgroups)

    def any_path(self) -> int:
        """Give what holds wherever the file is."""
        return self._mask(lambda who: not who.paths)

    def paths(self) -> dict[str, int]:
        """Give what holds below each folder besides."""
        return self._each(lambda who: who.paths)

    def container(self, *, inside: bool) -> int:
        """Give what holds in a container, or outside of all."""
        return self._mask(lambda who: who.container in {None, inside})

    @property
    def tells_containers(self) -> bool:
        """Say whether it matters to any condition."""
        return any(who.container is not None for who in self._bits)

    def _mask(self, holds: Callable[[Who], bool]) -> int:
        return sum(bit for who, bit in self._bits.items() if holds(who))

    def _each(self, words: Callable[[Who], Iterable[str]]) -> dict[str, int]:
        masks: dict[str, int] = {}
        for who, bit in self._bits.items():
            for word in sorted(words(who)):
                masks[word] = masks.get(word, 0) | bit
        return masks
