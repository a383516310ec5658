# SPDX-License-Identifier: Apache-2.0
"""What the answers of a host come to, and how they are told."""

from __future__ import annotations

import pytest

from sensor.core.checkup import ASK_AS_ROOT, Answer, Checkup, Finding, State, Verdict
from sensor.core.features import FEATURES, Feature, Need
from sensor.errors import ExitCode

YES, NO, UNKNOWN = Answer(State.YES), Answer(State.NO), ASK_AS_ROOT


def feature(need: Need = Need.REQUIRED, remedy: str | None = "Run that") -> Feature:
    """Give a feature named after its need."""
    return Feature(need.value, need.value, need, "it is seen", "it is not seen", remedy)


def checkup(**answers: Answer) -> Checkup:
    """Give a checkup of features with these needs and answers."""
    findings = tuple(Finding(feature(Need(need)), answer) for need, answer in answers.items())
    return Checkup("1.2.3-any", "x86_64", findings)


@pytest.mark.parametrize(
    ("answers", "verdict", "exit_code"),
    [
        ({"required": YES, "optional": YES, "none": YES}, Verdict.READY, ExitCode.OK),
        ({"required": YES, "optional": YES, "none": NO}, Verdict.READY, ExitCode.OK),
        ({"required": YES, "optional": YES, "none": UNKNOWN}, Verdict.READY, ExitCode.OK),
        ({"required": YES, "optional": UNKNOWN}, Verdict.UNSURE, ExitCode.OK),
        ({"required": UNKNOWN, "optional": YES}, Verdict.UNSURE, ExitCode.OK),
        ({"required": YES, "optional": NO}, Verdict.DEGRADED, ExitCode.DEGRADED),
        ({"required": UNKNOWN, "optional": NO}, Verdict.DEGRADED, ExitCode.DEGRADED),
        ({"required": NO, "optional": NO}, Verdict.UNSUPPORTED, ExitCode.UNSUPPORTED),
        ({"required": NO, "optional": UNKNOWN}, Verdict.UNSUPPORTED, ExitCode.UNSUPPORTED),
    ],
)
def test_the_verdict_is_that_of_the_worst_answer(
    answers: dict[str, Answer], verdict: Verdict, exit_code: ExitCode
) -> None:
    """What watch has no use for does not count; what is missing counts before what is not known."""
    assert checkup(**answers).verdict is verdict
    assert verdict.exit_code is exit_code


@pytest.mark.parametrize(
    ("need", "bpffs", "end"),
    [
        (YES, NO, "with everything that it uses; run cannot, without bpffs"),
        (YES, YES, "with everything that it uses"),
        (UNKNOWN, NO, "not looked at: required; run cannot, without bpffs"),
        (NO, NO, "watch cannot run here without required"),
    ],
)
def test_what_run_needs_and_watch_does_not_is_named(need: Answer, bpffs: Answer, end: str) -> None:
    """It changes no verdict: that is of watch."""
    [own] = [one for one in FEATURES if one.id == "bpffs"]
    alone = checkup(required=need)
    both = Checkup("1.2.3-any", "x86_64", (*alone.findings, Finding(own, bpffs)))
    assert both.verdict is alone.verdict
    assert both.summary.endswith(end)
    assert both.lines[-1] == both.summary


@pytest.mark.parametrize(
    ("answers", "summary"),
    [
        ({"required": NO, "optional": NO}, "unsupported: watch cannot run here without required"),
        ({"optional": NO, "none": NO}, "degraded: watch can run here, without optional"),
        (
            {"required": UNKNOWN, "optional": UNKNOWN, "none": UNKNOWN},
            (
                "unsure: nothing that watch uses is known to be missing;"
                " not looked at: required, optional"
            ),
        ),
        ({"required": YES}, "ready: watch can run here, with everything that it uses"),
    ],
)
def test_the_summary_names_what_the_verdict_rests_on(
    answers: dict[str, Answer], summary: str
) -> None:
    """Its first word is the verdict."""
    found = checkup(**answers)
    assert found.summary == summary
    assert summary.split(":", maxsplit=1)[0] == found.verdict.value


@pytest.mark.parametrize(
    ("answer", "remedy", "said"),
    [
        (YES, "Run that", "it is seen"),
        (Answer(State.YES, "v1"), "Run that", "it is seen (v1)"),
        (NO, "Run that", "it is not seen. Run that"),
        (NO, None, "it is not seen"),
        (Answer(State.NO, "EPERM"), "Run that", "it is not seen (EPERM). Run that"),
        (Answer(State.NO, None, "Run this"), "Run that", "it is not seen. Run this"),
        (UNKNOWN, "Run that", "needs root: run sudo agent-sensor doctor"),
        (Answer(State.UNKNOWN, "not shown here"), "Run that", "not shown here"),
    ],
)
def test_a_line_says_what_there_is_to_know(answer: Answer, remedy: str | None, said: str) -> None:
    """What it serves, or what its absence costs and what to do, or why it is not known."""
    line = Finding(feature(remedy=remedy), answer).line
    mark = "?" if answer.state is State.UNKNOWN else answer.state.value
    assert line.split(maxsplit=2) == [mark, "required", said]


def test_the_texts_of_all_lines_begin_in_one_column() -> None:
    """The eye goes down: marks and names have as much room as the longest needs."""
    at = {
        Finding(each, answer).line.index("  it is here")
        for own in FEATURES
        for each in [Feature(own.id, own.name, Need.NONE, "it is here", "it is here")]
        for answer in (YES, NO)
    }
    assert len(at) == 1


def test_the_lines_are_the_kernel_then_the_features_then_the_verdict() -> None:
    """Who reads only the last line knows what it comes to."""
    first, one, last = checkup(none=NO).lines
    assert first == "kernel 1.2.3-any x86_64"
    assert one.startswith("no ")
    assert last.startswith("ready: ")


def test_json_has_all_that_the_lines_say() -> None:
    """Names are those of the documentation; absent is null."""
    found = checkup(required=Answer(State.NO, "EPERM"), none=YES)
    assert found.as_dict() == {
        "kernel": {"release": "1.2.3-any", "machine": "x86_64"},
        "verdict": "unsupported",
        "summary": found.summary,
        "features": [
            {
                "id": "required", "name": "required", "state": "no", "need": "required",
                "serves": "it is seen", "cost": "it is not seen", "remedy": "Run that",
                "detail": "EPERM",
            },
            {
                "id": "none", "name": "none", "state": "yes", "need": "none",
                "serves": "it is seen", "cost": "it is not seen", "remedy": None,
                "detail": None,
            },
        ],
    }  # fmt: skip
