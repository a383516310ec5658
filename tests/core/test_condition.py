# SPDX-License-Identifier: Apache-2.0
"""How the daemon is: its own word on problems, everything else as it comes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sensor.core.condition import exit_code, lines, problems
from sensor.errors import ExitCode

FINE: dict[str, object] = {
    "mode": "observe",
    "lost": 0,
    "hooks": {"seen_exec": True, "seen_dns": False},
    "store": {"file_bytes": 12595, "problem": None, "path": "/var/lib/x y"},
    "readers": [{"pid": 7, "uid": 0}, {"pid": 8, "uid": 1000}],
    "hub": {"readers": [{"pid": 7}], "names": ["a", "b"], "none": []},
    "uptime_s": 75,
    "proved_ns": 1_200_000_000,
    "memory_bytes": True,
    "rules": ["one", "two"],
    "empty": {},
    "problems": [],
}


def test_all_is_well_without_problems() -> None:
    """Units are shown in place of the ends of names."""
    assert list(lines(FINE)) == [
        "fine",
        "mode          observe",
        "lost          0",
        "hooks         seen exec yes, seen dns no",
        'store         file 12.3 KiB, problem -, path "/var/lib/x y"',
        "readers       (pid 7, uid 0)",
        "              (pid 8, uid 1000)",
        "hub           readers (pid 7), names a b, none none",
        "uptime        1 min 15 s",
        "proved        1.2 s",
        "memory bytes  yes",
        "rules         one, two",
        "empty         none",
    ]
    assert exit_code(FINE) is ExitCode.OK


def test_a_problem_comes_first_and_decides_the_exit_code() -> None:
    """Whatever is hostile in it is quoted."""
    status = {"problems": ["3 records lost", "not seen: \x1b[2J"], "mode": "observe"}
    assert list(lines(status)) == [
        "degraded",
        '  problem: "3 records lost"',
        '  problem: "not seen: \\x1b[2J"',
        "mode  observe",
    ]
    assert exit_code(status) is ExitCode.DEGRADED


def test_a_problem_is_shown_with_its_remedy() -> None:
    """Which is the end of its sentence, however long that is."""
    problem = f"store: {'/deep' * 40}: others can read it; run chmod 600 on it"
    assert list(lines({"problems": [problem]}))[1] == f'  problem: "{problem}"'


def test_what_does_not_fit_on_one_line_takes_several() -> None:
    """One part a line."""
    hooks = {f"hook_{number}": True for number in range(12)}
    told = list(lines({"hooks": hooks}))
    assert told[1] == "hooks  hook 0 yes"
    assert told[2] == "       hook 1 yes"
    assert len(told) == 13


def test_problems_that_are_none_are_not_made_up() -> None:
    """A daemon of another version may not name any."""
    assert problems({}) == problems({"problems": "lost"}) == []
    assert list(lines({})) == ["fine"]


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.text(), PLAIN, max_size=4))
def test_any_status_is_shown(status: dict[str, object]) -> None:
    """Whatever a daemon says, each line is one line."""
    assert not any("\n" in line or "\x1b" in line for line in lines(status))
