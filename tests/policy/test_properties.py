"""Laws of the whole decision, over random releases."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.core.scales import Tier
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Unknown, Value
from guiderail.facts.fact_type import FactType
from guiderail.policy import Decision, decide, load_pack
from guiderail.policy.pack import make_pack
from guiderail_verify.judge import TRACKS, Judgement
from tests.policy.calm import AT, facts_of, where
from tests.policy.calm_kinds import CALM_OF

PACKS = {kind: load_pack(kind) for kind in CALM_OF}
OPEN = Unknown("it was not measured")
QUIET: dict[str, dict[str, Value]] = {kind: dict(calm) for kind, calm in CALM_OF.items()}
REST: dict[str, Value] = {
    "code.approvals": 2,
    "change.flips_null": 1.0,
    "performance.floor": -10.0,
    "experiment.sound": True,
    "experiment.conflict": False,
}
"""Facts that a calm release does without."""
LIMITS = (-20.0, -15.0, -5.0, -1.0, 0.0, 0.7, 0.8, 2.0, 5.0, 10.0, 25.0, 90.0, 101.0)
NUMBERS = st.sampled_from(LIMITS)
LAWS = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def values_of(kind: FactType) -> st.SearchStrategy[Value]:
    """Any value of a fact, near the limits of the pack."""
    match kind.type:
        case "bool":
            return st.booleans()
        case "integer":
            return st.integers(0, 3)
        case "number":
            return NUMBERS
        case "interval":
            return st.lists(NUMBERS, min_size=3, max_size=3).map(
                lambda three: Interval(sorted(three)[1], min(three), max(three))
            )
        case "enum":
            return st.sampled_from(kind.values)
        case "set":
            return st.sampled_from([(), ("email",)])
    return st.just("text")


@st.composite
def releases(draw: st.DrawFn, kind: str) -> dict[str, Value]:
    """A calm release with a handful of facts changed or unknown."""
    values = dict(QUIET[kind])
    for name in draw(st.lists(st.sampled_from(sorted(values)), max_size=8, unique=True)):
        values[name] = draw(st.one_of(values_of(BY_NAME[name]), st.just(OPEN)))
    return values


EVERY_KIND = pytest.mark.parametrize("kind", sorted(CALM_OF))


def judged(kind: str, values: dict[str, Value]) -> Decision:
    return decide(PACKS[kind], facts_of(values), kind=kind, at=AT, place=where)


@EVERY_KIND
def test_the_calm_release_is_green_and_states_every_fact_that_decides(kind: str) -> None:
    assert judged(kind, QUIET[kind]).outcome == "go"
    rests_on = {name for name, _ in PACKS[kind].rulebook(kind, AT).minimum[Tier.HIGH.rank]}
    assert rests_on <= set(QUIET[kind]) | set(REST)


@EVERY_KIND
@given(st.data())
@LAWS
def test_unknown_is_never_lighter_than_any_value_it_could_take(
    kind: str, data: st.DataObject
) -> None:
    values = data.draw(releases(kind))
    name = data.draw(st.sampled_from(sorted(QUIET[kind])))
    if name == "use.prohibited":
        name = "use.regulated"  # an open screen is high and blocked; a prohibited use is stopped
    value = data.draw(values_of(BY_NAME[name]))
    open_one, closed = judged(kind, {**values, name: OPEN}), judged(kind, {**values, name: value})
    assert open_one.tier.rank >= closed.tier.rank
    assert open_one.track.rank >= closed.track.rank


def heaviness(decision: Decision) -> tuple[int, int]:
    """Blocked is heavier than any track: what fails does not start at all."""
    blocked = decision.outcome == "blocked"
    return (1, 0) if blocked else (0, decision.track.rank)


def riskier(kind: FactType, value: Any, step: Any) -> Any:
    """A riskier value than the given one, or the same when there is none."""
    up = kind.risk_direction == "up"
    if kind.type == "bool":
        return up
    if kind.type == "enum":
        return kind.values[-1 if up else 0]
    sign = 1 if up else -1
    if isinstance(value, Interval):
        return Interval(*(bound + sign * step for bound in (value.value, value.low, value.high)))
    return max(0, value + sign * round(step)) if kind.type == "integer" else value + sign * step


DIRECTED = {
    kind: sorted(
        name
        for name in quiet
        if name != "evaluation.labels"  # without labels there is no measured performance to compare
        and BY_NAME[name].risk_direction != "none"
        and BY_NAME[name].type not in ("set", "text")
    )
    for kind, quiet in QUIET.items()
}


@EVERY_KIND
@given(st.data())
@LAWS
def test_a_riskier_value_is_never_lighter(kind: str, data: st.DataObject) -> None:
    values = data.draw(releases(kind))
    name = data.draw(st.sampled_from(DIRECTED[kind]))
    step = data.draw(st.sampled_from([1.0, 3.0, 30.0]))
    if isinstance(values[name], Unknown):
        values[name] = QUIET[kind][name]
    worse = riskier(BY_NAME[name], values[name], step)
    before, after = judged(kind, values), judged(kind, {**values, name: worse})
    assert after.tier.rank >= before.tier.rank
    assert heaviness(after) >= heaviness(before)


@EVERY_KIND
@given(st.data())
@LAWS
def test_a_regulated_automated_use_is_never_green(kind: str, data: st.DataObject) -> None:
    """For a model it is high too; for the others the tier is of another thing than the use."""
    values = data.draw(releases(kind))
    decision = judged(
        kind,
        {**values, "use.regulated": True, "use.influence": "automated", "use.prohibited": False},
    )
    assert decision.track != "green"
    if kind == "model":
        assert decision.tier == "high"


@EVERY_KIND
@given(st.data())
@LAWS
def test_green_and_go_means_that_every_enforced_gate_passed(kind: str, data: st.DataObject) -> None:
    decision = judged(kind, data.draw(releases(kind)))
    if decision.outcome == "go":
        assert {gate.verdict for gate in decision.gates if gate.enforced} <= {
            "pass",
            "not_applicable",
        }
        assert decision.track == "green"
        assert decision.reviewers == ()


@EVERY_KIND
@given(st.data())
@LAWS
def test_the_best_case_is_never_heavier_and_equal_when_nothing_is_unknown(
    kind: str, data: st.DataObject
) -> None:
    values = data.draw(releases(kind))
    decision = judged(kind, values)
    assert decision.best_case.rank <= decision.track.rank
    known = {name: QUIET[kind][name] if isinstance(value, Unknown) else value
             for name, value in values.items()}  # fmt: skip
    complete = judged(kind, {**REST, **known})
    assert complete.best_case is complete.track


@EVERY_KIND
@given(st.data())
@LAWS
def test_every_way_to_a_lighter_track_names_rules_and_something_to_do(
    kind: str, data: st.DataObject
) -> None:
    decision = judged(kind, data.draw(releases(kind)))
    ways = [(way.to, way.by) for way in decision.lighter]
    assert all(to.rank < decision.track.rank for to, _ in ways)
    assert len(ways) == len(set(ways))
    assert all(way.actions and way.rules for way in decision.lighter)


@EVERY_KIND
@given(st.data())
@LAWS
def test_sentences_are_whole_sentences_without_leftovers(kind: str, data: st.DataObject) -> None:
    decision = judged(kind, data.draw(releases(kind)))
    told = [reason.sentence for reason in (*decision.tier_reasons, *decision.track_reasons)]
    told += [gate.sentence for gate in decision.gates]
    told += [text for finding in decision.findings for text in (finding.sentence, finding.fix)]
    told += [action for way in decision.lighter for action in way.actions]
    for sentence in told:
        assert sentence[0].isupper() or sentence[0].isdigit() or sentence[0] in "-+", sentence
        assert sentence.endswith((".", "?")), sentence
        assert not set("{}[]") & set(sentence), sentence
        assert "  " not in sentence, sentence


@EVERY_KIND
@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_a_pack_has_prepared_for_one_release_changes_nothing_about_another(
    kind: str, data: st.DataObject
) -> None:
    values = {name: value for name, value in data.draw(releases(kind)).items()
              if data.draw(st.booleans())}  # fmt: skip
    fresh = make_pack(PACKS[kind].tree, PACKS[kind].texts)
    alone = decide(fresh, facts_of(values), kind=kind, at=AT, place=where)
    assert judged(kind, {}).lighter
    assert judged(kind, values) == alone


@EVERY_KIND
def test_a_waiver_never_changes_the_track(kind: str) -> None:
    pack = PACKS[kind]
    gates = frozenset(gate["id"] for gate in pack.tree["gates"])
    for name in QUIET[kind]:
        values: dict[str, Value] = {**QUIET[kind], name: OPEN}
        plain = judged(kind, values)
        waived = decide(
            pack, facts_of(values), kind=kind, at=AT, place=where, waived=gates, accepted=gates
        )
        assert (plain.track, plain.tier) == (waived.track, waived.tier), name


@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, calm in CALM_OF.items() for name in sorted(calm)]
)
def test_the_verifier_decides_the_same_from_values_alone(kind: str, name: str) -> None:
    """The judgement needs typed values and the compiled tree, nothing of the product."""
    import json

    from guiderail.policy.readings import readings_of
    from guiderail_verify.judge import compile_rulebook

    values: dict[str, Value] = {**QUIET[kind], name: OPEN}
    tree = json.loads(json.dumps(PACKS[kind].tree))
    book = compile_rulebook(tree, kind, AT.date().isoformat())
    readings = readings_of(facts_of(values), tree["facts"])
    again: Judgement = book.judge(readings.values, readings.known_by)
    assert TRACKS[again.track] == judged(kind, values).track
