# SPDX-License-Identifier: Apache-2.0
"""What a reader wants to see: sets of values, all of which an event has to meet."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, NamedTuple

from sensor.core.quote import quote
from sensor.core.words import Enforcement, Kind, Verdict
from sensor.errors import BadInputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sensor.core.event import Event

MOST_VALUES = 256
"""In one set; a query takes them as parameters, of which SQLite takes 32766 in all sets."""

LONGEST_VALUE = 256
"""Characters; longer than any name in the catalogue, any user's (32) and any session's id."""


class Traits(NamedTuple):
    """What a filter looks at; of an event that went out this is all that is kept beside bytes.

    A tuple, since one is made for every event: it takes a third of a dataclass's time.
    """

    kind: str
    verdict: str | None
    tool: str | None
    vendor: str | None
    session: str | None
    user: str | None
    uid: int | None
    endpoint: str | None
    rule: str | None
    enforcement: str | None


def traits_of(event: Event) -> Traits:
    """Pick what filters look at."""
    whose, to = event.process or event.inventory, event.destination
    return Traits(
        event.kind.value,
        event.verdict.value if event.verdict else None,
        event.tool,
        event.vendor,
        event.session,
        whose.user if whose else None,
        whose.uid if whose else None,
        to.endpoint if to else None,
        event.rule,
        event.enforcement.value if event.enforcement else None,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One set of values for each name; an empty set lets everything pass.

    All values are text as the stream shows it: ``kinds`` holds ``exec``, not
    ``Kind.EXEC``. ``users`` holds names and uids. What an event does not have
    (a loss has no tool) is in no set.
    """

    tools: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    verdicts: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    endpoints: frozenset[str] = frozenset()
    rules: frozenset[str] = frozenset()
    enforcements: frozenset[str] = frozenset()

    def matches(self, event: Event) -> bool:
        """Tell whether the reader wants this event."""
        return self.accepts(traits_of(event))

    def accepts(self, traits: Traits) -> bool:
        """Tell whether the reader wants an event with these traits."""
        return (
            (not self.kinds or traits.kind in self.kinds)
            and (not self.tools or traits.tool in self.tools)
            and (not self.sessions or traits.session in self.sessions)
            and (not self.verdicts or traits.verdict in self.verdicts)
            and (not self.vendors or traits.vendor in self.vendors)
            and (not self.endpoints or traits.endpoint in self.endpoints)
            and (not self.rules or traits.rule in self.rules)
            and (not self.enforcements or traits.enforcement in self.enforcements)
            and (not self.users or self._names_user(traits))
        )

    def _names_user(self, traits: Traits) -> bool:
        return traits.user in self.users or (
            traits.uid is not None and str(traits.uid) in self.users
        )

    def as_dict(self) -> dict[str, list[str]]:
        """Return the sets that are not empty, sorted."""
        return {name: sorted(values) for name in NAMES if (values := getattr(self, name))}


NAMES = tuple(one.name for one in fields(Filter))

EVERYTHING = Filter()
"""The filter that lets every event pass."""

# Sets of which every possible value is known. A kind that is not among them
# would match nothing, and a reader who asked for it would wait in vain.
_CLOSED = {
    "kinds": frozenset(kind.value for kind in Kind),
    "verdicts": frozenset(verdict.value for verdict in Verdict),
    "enforcements": frozenset(enforcement.value for enforcement in Enforcement),
}


def filter_of(raw: object) -> Filter:
    """Read what ``as_dict`` wrote.

    Raises BadInputError at any name or value that is not understood: a filter
    that is understood in part would show what was not asked for.
    """
    if not isinstance(raw, dict):
        raise BadInputError(f"filter: expected a map of names to lists, got {_kind_of(raw)}")
    return Filter(**{name: _values(name, raw) for name in map(_name, raw)})


def _name(raw: object) -> str:
    if not isinstance(raw, str) or raw not in NAMES:
        raise BadInputError(f"filter: unknown name {quote(str(raw))}: expected {', '.join(NAMES)}")
    return raw


def _values(name: str, raw: Mapping[str, object]) -> frozenset[str]:
    values = raw[name]
    if not isinstance(values, list | tuple) or len(values) > MOST_VALUES:
        raise BadInputError(f"filter: {name}: expected a list of at most {MOST_VALUES} values")
    for value in values:
        if not isinstance(value, str) or len(value) > LONGEST_VALUE:
            raise BadInputError(
                f"filter: {name}: expected text of at most {LONGEST_VALUE} characters, "
                f"got {_kind_of(value)}"
            )
        if value not in _CLOSED.get(name, {value}):
            known = ", ".join(sorted(_CLOSED[name]))
            raise BadInputError(f"filter: {name}: unknown {quote(value)}: expected {known}")
    return frozenset(values)


def _kind_of(raw: object) -> str:
    return f"{len(raw)} characters" if isinstance(raw, str) else type(raw).__name__
