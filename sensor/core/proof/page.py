# SPDX-License-Identifier: Apache-2.0
"""docs/bypasses.md, and the table that people read: written from the techniques themselves."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

from sensor.core.proof.technique import BY_WORDS, Reach, Result
from sensor.core.proof.techniques import NOT_TRIED, TECHNIQUES
from sensor.core.quote import quote
from sensor.core.table import table
from sensor.core.units import count

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sensor.core.proof.technique import Row, Technique

HEADS = ("TECHNIQUE", "EXPECTED", "RESULT", "DETAIL")
_ROOM = 100
_HEAD = """\
<!-- SPDX-License-Identifier: Apache-2.0 -->
# Bypasses

Made from `sensor/core/proof/techniques.py`; not written by hand. The ways around a policy that can be tried without harm, as
`agent-sensor prove` tries each against the policy in force: `sudo agent-sensor prove`, or with `--json` for CI. It ends with 0 if all
is as expected, with 6 if something is not.

What is expected follows from the policy: `refused` where a rule that is enforced blocks, `detected` in shadow or observe, `missed` where
the table says so, `nothing to prove` where the policy blocks nothing of the sort for root. What cannot be tried on a kernel or host proves
nothing and fails nothing. `failed` is never expected: the attempt came to nothing by itself, or what the sensor says of it is not so.

A refusal counts where the mark was not made, or the listener has not heard it, **and** the stream says so, with the rule and with the way
that was really taken: `lsm` where the kernel has BPF among its security modules, else `kill`; `cgroup`, `tls`, `proxy`. `tests/kernel/test_prove.py` holds
each row to it.

Everything happens in a cgroup below the daemon's scope, in a network of its own whose addresses, blocked ones too, exist only there, and in
a folder in memory. The tool is a copy of the shell under a name of a tool that the policy blocks; it makes a mark, an empty file. Nothing
leaves, and nothing is left behind but the events on the stream: each attempt is one, as it would be of anybody else. The cgroup's name,
`agent-sensor-prove-PID`, marks them: `sessions` and `report` say `(prove)`, `audit` and `policy test` leave them out. It counts for root
alone, and not below a user's service manager or in a container, where others make cgroups. Addresses that were
looked up, all of the documentation range, stand for another name in the end.
"""  # noqa: E501  # Markdown, written out as it stands here


def page() -> str:
    """Write docs/bypasses.md."""
    return "".join(_parts())


def _parts() -> Iterator[str]:
    yield _HEAD
    by_family = sorted(TECHNIQUES, key=lambda one: _FAMILIES.index(one.family))
    for family, members in groupby(by_family, key=lambda one: one.family):
        yield f"\n## {family[0].upper()}{family[1:]}\n\n"
        yield "| technique | what is tried | expected |\n|---|---|---|\n"
        for one in members:
            yield f"| `{one.id}` | {one.tries} | {_expected(one)} |\n"
    yield "\n## Not tried\n\n| what | why |\n|---|---|\n"
    for what, why in NOT_TRIED.items():
        yield f"| {what} | {why} |\n"


_FAMILIES = list(dict.fromkeys(one.family for one in TECHNIQUES))


def _expected(technique: Technique) -> str:
    if technique.blind:
        return f"missed: {technique.blind}"
    if technique.late:
        end = "ended a moment later (kill)"
        if technique.as_running:
            end = f'cut off, or {end} where the rule says `running = "kill"`'
        return f"detected, and {end}: {technique.late}"
    way = technique.way
    by = _by(way) if isinstance(way, Reach) else "lsm or kill" if way.by_name else "kill"
    defect = f"; today it is missed: {technique.defect}" if technique.defect else ""
    return f"refused: {by}{defect}"


def _by(way: Reach) -> str:
    by = BY_WORDS.get(way.says)
    return by.value if by else "cgroup"


def lines(rows: Sequence[Row]) -> list[str]:
    """Lay the rows out for a terminal."""
    return table(
        HEADS,
        [
            (row.technique, row.expected.value, row.result.value, quote(row.detail, _ROOM))
            for row in rows
        ],
    )


def summary(rows: Sequence[Row]) -> Iterator[str]:
    """Count the results, and name what is not as expected."""
    counts = Counter(row.result for row in rows)
    parts = [f"{counts[result]} {result.value}" for result in Result if counts[result]]
    yield f"{count(len(rows), 'technique', 'techniques')}: {', '.join(parts)}"
    for row in rows:
        if not row.is_as_expected:
            yield f"not as expected: {row.technique}: {row.result.value}, not {row.expected.value}"
    if all(row.result is Result.NOTHING for row in rows):
        yield "nothing was proved: the policy in force blocks nothing that could be tried"
