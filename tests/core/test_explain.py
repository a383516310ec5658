# SPDX-License-Identifier: Apache-2.0
"""An event is explained by what spoke for it, what did not, and what would change it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from support.recorded import recorded
from support.story import CATALOGUE, StoryHost, events, exec_, name, path, tool

from sensor.core.catalogue import Catalogue
from sensor.core.engine import Engine
from sensor.core.event import Enforcement, Event, Evidence, Kind, Verdict
from sensor.core.explain import MARKS, enforced, explain, rule_said
from sensor.core.facts import Signal

TOLD = recorded()
START, RUN = TOLD[0], TOLD[1]
EMPTY = Catalogue(1, (), (), ())


def of_kind(kind: Kind) -> Event:
    """Return the first recorded event of a kind."""
    return next(event for event in TOLD if event.kind is kind)


def test_a_tool_is_explained_by_its_evidence() -> None:
    """With the weight of each piece, the arithmetic, what was absent, and the rule."""
    assert list(explain(RUN, START, CATALOGUE).lines()) == [
        RUN.line,
        "",
        "tool        claude-code (claude-code)",
        "session     awyyzsd3, judged when it began, at event 1",
        'evidence    name claude  weight 0.9 ("ran 1.0")',
        "confidence  0.9 = 1 - (1 - 0.9); 0.5 makes a tool",
        "absent      path @anthropic-ai/claude-code  weight 0.95",
        f"verdict     {rule_said(RUN)}",
        "changed by  without name claude: no tool, nothing else speaks for one",
        "            a rule that names claude-code: its verdict, in place of the default",
    ]


def test_what_a_session_does_is_explained_by_its_start() -> None:
    """A connection has no evidence of its own."""
    told = explain(of_kind(Kind.CONNECT), START, CATALOGUE)
    lines = list(told.lines())
    assert "session     awyyzsd3, judged when it began, at event 1" in lines
    assert "verdict     allow by rule default: no rule names what this session does" in lines
    assert told.confidence == 0.9


def test_two_weak_reasons_are_weighed_together() -> None:
    """Each of them alone is not enough."""
    facts = [exec_(10, "/usr/lib/block/goose", "up")]
    [start, *_] = events(Engine(CATALOGUE, StoryHost()), *facts)
    lines = list(explain(start, start, CATALOGUE).lines())
    weak = 'weight 0.3, weak: other software bears it too ("ran 1.0")'
    assert f"evidence    name goose  {weak}" in lines
    assert f"            path block/goose  {weak}" in lines
    assert "confidence  0.51 = 1 - (1 - 0.3) x (1 - 0.3); 0.5 makes a tool" in lines
    assert "changed by  without name goose: no tool, 0.3 is less than 0.5" in lines
    assert not any(line.startswith(("absent", "session ")) for line in lines)


def test_one_reason_of_several_may_be_enough() -> None:
    """Without it, the tool is the same."""
    exe = "/x/@anthropic-ai/claude-code/claude"
    [start, *_] = events(Engine(CATALOGUE, StoryHost()), exec_(10, exe))
    told = explain(start, None, CATALOGUE)
    assert told.would_change[0] == "without name claude: still claude-code, at 0.95"
    assert told.recomputed == 0.995


def test_a_session_whose_start_is_gone_has_no_reasons() -> None:
    """Retention took them."""
    lines = list(explain(of_kind(Kind.CONNECT), None, CATALOGUE).lines())
    assert "session     awyyzsd3, whose beginning is not stored" in lines
    assert not any(line.startswith(("evidence", "confidence")) for line in lines)


def test_a_catalogue_that_lacks_the_tool_says_so() -> None:
    """What was judged then stands; its weights are not made up."""
    told = explain(START, START, EMPTY)
    lines = list(told.lines())
    assert "tool        claude-code, which this catalogue lacks" in lines
    assert "evidence    name claude  weight unknown: this catalogue lacks the mark" in lines
    assert "confidence  0.9, by a catalogue that had weights which this one lacks" in lines
    assert told.recomputed is None
    assert told.absent == ()


def test_without_a_piece_of_unknown_weight_is_not_foretold() -> None:
    """Of two pieces, one is in the catalogue and one is not."""
    start = replace(START, evidence=(*START.evidence, Evidence("content", "marker")))
    told = explain(start, start, CATALOGUE)
    assert [reason.without for reason in told.reasons] == [None, 0.9]
    assert told.would_change[0] == "without content marker: still claude-code, at 0.9"


def test_another_confidence_than_then_is_told() -> None:
    """The catalogue has changed since."""
    start = replace(START, confidence=0.7)
    told = explain(start, start, CATALOGUE)
    assert any(line.endswith("it was 0.7 then, by another catalogue") for line in told.lines())


def test_absent_marks_without_end_are_cut_with_a_count() -> None:
    """JSON has them all."""
    marks = [name("claude"), *(path(f"a/b{number}") for number in range(MARKS + 3))]
    wide = Catalogue(1, (tool("claude-code", "anthropic", *marks),), (), ())
    told = explain(START, START, wide)
    assert "            [+3 marks]" in list(told.lines())
    assert len(json.loads(json.dumps(told.as_dict()))["absent"]) == MARKS + 3


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (Kind.LOSS, "it tells what the sensor lost, of whoever it was"),
        (Kind.GAP, "it tells of which time something may be missing"),
    ],
)
def test_what_is_of_no_tool_is_explained_by_its_kind(kind: Kind, why: str) -> None:
    """There is nothing else to say."""
    event = of_kind(kind)
    assert list(explain(event, None, CATALOGUE).lines()) == [
        event.line,
        "",
        f"tool        none: {why}",
        f"verdict     none: {kind.value} tells what happened, and nothing is decided about it",
    ]


def test_an_event_without_a_tool_is_of_no_session() -> None:
    """As a stream of another version may have them."""
    event = replace(of_kind(Kind.CONNECT), tool=None, session=None)
    assert "tool        none: it is part of no session" in list(
        explain(event, None, CATALOGUE).lines()
    )


def test_a_rule_of_the_policy_is_named() -> None:
    """And what would come before it; without one, the default is explained."""
    assert rule_said(RUN) == (
        "alert by rule default: no rule names this tool, and a tool that starts is told"
    )
    event = replace(RUN, rule="no external \x1b agents", verdict=Verdict.ALERT)
    assert rule_said(event) == 'alert by rule "no external \\x1b agents"'
    told = explain(event, START, CATALOGUE)
    assert told.would_change[-1] == (
        'an exception to rule "no external \\x1b agents", or a rule before it that matches'
    )
    nameless = replace(event, rule=None)
    assert rule_said(nameless) == "alert by rule -"
    assert len(explain(nameless, START, CATALOGUE).would_change) == 1


def test_plain_values_say_the_same() -> None:
    """JSON can hold them all."""
    plain = json.loads(json.dumps(explain(RUN, START, CATALOGUE).as_dict()))
    assert plain["seq"] == 2
    assert plain["session_start_seq"] == 1
    assert plain["evidence"] == [
        {
            "signal": "name",
            "value": "claude",
            "weight": 0.9,
            "weak": False,
            "source": "ran 1.0",
            "without": 0.0,
        }
    ]
    assert plain["rule"] == "default"
    lone = json.loads(json.dumps(explain(of_kind(Kind.LOSS), None, EMPTY).as_dict()))
    assert lone["session_start_seq"] is lone["confidence"] is lone["verdict"] is None


REFUSED = replace(
    RUN,
    verdict=Verdict.BLOCK,
    enforcement=Enforcement.LSM,
    rule="no-agents",
    reason="Use qwen: https://wiki.test",
    session=None,
)


def test_a_refusal_is_explained_by_its_rule_how_it_was_done_and_what_would_change_it() -> None:
    """With the rule's own words; there is no session whose start could say more."""
    assert list(explain(REFUSED, None, CATALOGUE).lines())[2:] == [
        "tool        claude-code (claude-code)",
        "session     none: it was refused before one began",
        'evidence    name claude  weight 0.9 ("ran 1.0")',
        "confidence  0.9 = 1 - (1 - 0.9); 0.5 makes a tool",
        "absent      path @anthropic-ai/claude-code  weight 0.95",
        "verdict     block by rule no-agents",
        "enforced    lsm: execve(2) failed with EPERM, before the new image was there",
        'message     "Use qwen: https://wiki.test"',
        "changed by  without name claude: no tool, nothing else speaks for one",
        "            mode shadow: it would have been told, and let go on",
        "            an exception to rule no-agents, or a rule before it that matches",
    ]
    plain = json.loads(json.dumps(explain(REFUSED, None, CATALOGUE).as_dict()))
    assert (plain["enforcement"], plain["message"]) == ("lsm", "Use qwen: https://wiki.test")


@pytest.mark.parametrize("how", Enforcement)
def test_each_way_to_refuse_is_explained(how: Enforcement) -> None:
    """Also that nothing was done."""
    said = enforced(replace(REFUSED, enforcement=how))
    assert said
    assert said.startswith(f"{how.value}: ")


def test_what_would_have_been_refused_says_so() -> None:
    """What was not to be refused says nothing of it."""
    shadow = replace(REFUSED, verdict=Verdict.WOULD_BLOCK, enforcement=Enforcement.NONE)
    said = "not at all, in shadow mode; in enforce mode it would have been refused"
    assert enforced(shadow) == said
    assert enforced(RUN) is None


def test_an_unknown_client_is_explained_as_one() -> None:
    """It has no evidence but what it reached."""
    event = replace(
        of_kind(Kind.CONNECT),
        tool="unknown-client",
        session=None,
        verdict=Verdict.ALERT,
        evidence=(),
    )
    lines = list(explain(event, None, CATALOGUE).lines())
    assert lines[2:] == [
        "tool        unknown-client: in no session, and it reached an AI service",
        f"verdict     {rule_said(event)}",
        "changed by  a rule that names the endpoint: its verdict, in place of the default",
    ]
    assert rule_said(event) == (
        "alert by rule default: what [defaults] unknown_client says of whoever reaches an AI"
        " service"
    )


def test_a_default_that_blocks_is_explained() -> None:
    """As what it is."""
    event = replace(REFUSED, rule="default", reason=None)
    assert rule_said(event) == (
        "block by rule default: what [defaults] tool says of a tool that no rule names"
    )


LOOKED = replace(
    CATALOGUE,
    tools=(replace(CATALOGUE.tools[0], packages=("npm:a", "npm:b")), *CATALOGUE.tools[1:]),
)


def test_what_a_look_showed_is_weighed_and_what_it_did_not_is_absent() -> None:
    """Without a look, nothing is said to be absent that takes one."""
    start = replace(
        START,
        looked=True,
        confidence=0.995,
        evidence=(*START.evidence, Evidence("package", "npm:a"), Evidence("marker", "codex X")),
        risk=(Evidence("unguarded", "--yolo"),),
    )
    lines = list(explain(start, start, LOOKED).lines())
    assert "            package npm:a  weight 0.95" in lines
    assert '            marker "codex X"  says who started it, not what it is' in lines
    assert "            package npm:b  weight 0.95" in lines
    assert "risk        unguarded --yolo" in lines
    told = explain(start, start, LOOKED).as_dict()
    assert (told["looked"], told["risk"]) == (True, [{"signal": "unguarded", "value": "--yolo"}])
    blind = list(explain(START, START, LOOKED).lines())
    assert "            not looked for: package, settings, state" in blind
    assert not any("npm:b" in text for text in blind)


def test_an_unknown_client_is_explained_by_what_is_known_of_it() -> None:
    """Each piece; none has a weight, as there is no tool."""
    evidence = (Evidence("endpoint", "lab"), Evidence("runner", "pytest"))
    event = of_kind(Kind.CONNECT)
    event = replace(event, tool="unknown-client", session=None, evidence=evidence)
    lines = list(explain(event, None, CATALOGUE).lines())
    assert "evidence    endpoint lab" in lines
    assert "            runner pytest" in lines


def test_what_is_inside_a_file_has_a_weight_as_a_name_has() -> None:
    """Absent or present."""
    texts = ("FIRST_TEXT_IN_IT", "SECOND_TEXT")
    catalogue = replace(CATALOGUE, tools=(replace(CATALOGUE.tools[0], contents=texts),))
    text = 'content "FIRST_TEXT_IN_IT + SECOND_TEXT"  weight 0.98'
    assert f"            {text}" in list(explain(RUN, START, catalogue).lines())
    fact = replace(exec_(9, "/opt/x", tool=1), signals=Signal.CONTENT)
    [start, *_] = events(Engine(catalogue, StoryHost()), fact)
    told = explain(start, start, catalogue).lines()
    assert f'evidence    {text} ("found in its program")' in told
