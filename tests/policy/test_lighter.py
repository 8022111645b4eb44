"""Ways to a lighter track: smallest, verified by deciding again, and the same every time."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy, Track
from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact import Fact, FactSet, Unknown, Value
from guiderail.policy import Decision, Pack, decide
from guiderail.policy.decision import Change, Lighter
from guiderail.policy.readings import readings_of
from guiderail_verify.judge import TRACKS, Judgement
from tests.policy import small_pack
from tests.policy.calm import AT, CALM, HIGH_GATES, decided, facts_of, where
from tests.policy.test_properties import EVERY_KIND, PACKS, releases

LAWS = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Pack:
    return small_pack.write(tmp_path_factory.mktemp("small"))


def small_releases() -> st.SearchStrategy[dict[str, Value]]:
    return st.fixed_dictionaries(
        {name: st.sampled_from(values) for name, values in small_pack.VALUES.items()}
    )


def decided_on(pack: Pack, facts: FactSet) -> Decision:
    return decide(pack, facts, kind=pack.kinds[0], at=AT, place=where)


def applied(facts: FactSet, changes: tuple[Change, ...]) -> FactSet:
    """The facts with the changes, each known as well as can be."""
    changed = {one.fact: Fact(one.fact, one.value, "the test", KnownBy.ATTESTED) for one in changes}
    return {**facts, **changed}


def failing(decision: Decision) -> set[str]:
    return {gate.id for gate in decision.gates if gate.enforced and gate.verdict == "fail"}


def design_facts(facts: FactSet) -> set[str]:
    """Known facts that evidence alone cannot change."""
    return {
        name
        for name, fact in facts.items()
        if not fact.is_unknown and BY_NAME[name].can_change != "evidence"
    }


def check_ways(pack: Pack, facts: FactSet, decision: Decision) -> None:
    for way in decision.lighter:
        again = decided_on(pack, applied(facts, way.changes))
        assert again.track is way.to
        assert way.to.rank < decision.track.rank
        assert failing(again) <= failing(decision)
        assert {change.action for change in way.changes} == set(way.actions)
        if way.by == "evidence":
            assert all(change.how == "evidence" for change in way.changes)


@EVERY_KIND
@given(st.data())
@LAWS
def test_deciding_again_with_the_changes_gives_exactly_the_promised_track(
    kind: str, data: st.DataObject
) -> None:
    facts = facts_of(data.draw(releases(kind)))
    check_ways(PACKS[kind], facts, decided_on(PACKS[kind], facts))


@given(small_releases(), st.sampled_from([KnownBy.DECLARED, KnownBy.MEASURED]))
@LAWS
def test_that_holds_for_other_packs_and_for_facts_that_are_only_declared(
    small: Pack, values: dict[str, Value], known_by: KnownBy
) -> None:
    facts = facts_of(values, known_by)
    check_ways(small, facts, decided_on(small, facts))


@EVERY_KIND
@given(st.data())
@LAWS
def test_evidence_changes_no_design_and_nothing_changes_what_the_use_is(
    kind: str, data: st.DataObject
) -> None:
    facts = facts_of(data.draw(releases(kind)))
    fixed = design_facts(facts)
    for way in decided_on(PACKS[kind], facts).lighter:
        for change in way.changes:
            before = facts[change.fact].value if change.fact in facts else None
            if change.fact in fixed and change.fact.startswith("use."):
                raise AssertionError(f"{change.fact} is what the use is")
            if way.by == "evidence" and change.fact in fixed:
                # More rows narrow an interval; the value in it stays.
                assert isinstance(before, Interval)
                assert change.value == Interval(before.value, before.value, before.value)


@EVERY_KIND
@given(st.data(), st.randoms(use_true_random=False))
@LAWS
def test_the_order_of_the_facts_makes_no_difference(
    kind: str, data: st.DataObject, chance: Any
) -> None:
    values = data.draw(releases(kind))
    names = list(values)
    chance.shuffle(names)
    shuffled = facts_of({name: values[name] for name in names})
    assert decided_on(PACKS[kind], shuffled) == decided_on(PACKS[kind], facts_of(values))


# Smallest: no set of fewer changes does it, whichever facts and whichever values.


def allowed(name: str, old: Value, by: str, choices: tuple[Value, ...]) -> list[Value]:
    """What a fact may become, written down independently of the product's own search."""
    kind = BY_NAME[name]
    if isinstance(old, Interval) and (by == "evidence" or name.startswith("use.")):
        return [Interval(old.value, old.value, old.value)]
    if not isinstance(old, Unknown):
        if by == "evidence" and kind.can_change != "evidence":
            return []
        if kind.can_change == "no" or (name.startswith("use.") and kind.can_change == "design"):
            return []
    found = [value for value in choices if not isinstance(value, Unknown) and value != old]
    if isinstance(old, Interval):
        found.append(Interval(old.value, old.value, old.value))
    return [value for value in found if not riskier(name, value, old)]


def riskier(name: str, value: Value, old: Value) -> bool:
    kind = BY_NAME[name]
    if kind.risk_direction == "none":
        return False
    scale: tuple[Any, ...] = (False, True) if kind.type == "bool" else kind.values
    up = kind.risk_direction == "up"
    if scale:
        best = scale[0 if up else -1]
        if isinstance(old, Unknown):
            return value != best
        rank, before = scale.index(value), scale.index(old)
        return rank > before if up else rank < before
    if isinstance(old, Unknown):
        return False
    new, present = number(value), number(old)
    return new > present if up else new < present


def number(value: Value) -> float:
    if isinstance(value, Interval):
        return value.value
    assert isinstance(value, int | float)
    return value


def smaller_ways(
    pack: Pack,
    values: Mapping[str, Value],
    choices: Mapping[str, tuple[Value, ...]],
    base: Judgement,
    way: Lighter | None,
    target: int,
    by: str,
    most: int,
) -> Iterator[dict[str, Value]]:
    """Sets of fewer changes than `way`, at most `most`, that reach the target too."""
    book = pack.rulebook(pack.kinds[0], AT)
    known = {name: 3 for name, value in values.items() if not isinstance(value, Unknown)}
    failed = {gate.gate.id for gate in base.gates if gate.enforced and gate.verdict == "fail"}
    options = {name: allowed(name, values[name], by, choices[name]) for name in choices}
    names = sorted(name for name, found in options.items() if found)
    size = min(most, len(way.changes) - 1 if way is not None else most)
    for count in range(size + 1):
        for some in itertools.combinations(names, count):
            for chosen in itertools.product(*(options[name] for name in some)):
                changed = {**values, **dict(zip(some, chosen, strict=True))}
                readings = readings_of(facts_of(changed), pack.tree["facts"])
                judged = book.judge(readings.values, {**known, **dict.fromkeys(some, 3)})
                fails = {
                    gate.gate.id for gate in judged.gates
                    if gate.enforced and gate.verdict == "fail"
                }  # fmt: skip
                if judged.track <= target and fails <= failed:
                    yield dict(zip(some, chosen, strict=True))


@given(small_releases())
@settings(LAWS, max_examples=40)
def test_no_smaller_set_of_changes_reaches_the_track(small: Pack, values: dict[str, Value]) -> None:
    decision = decided_on(small, facts_of(values))
    book = small.rulebook("model", AT)
    readings = readings_of(facts_of(values), small.tree["facts"])
    base = book.judge(readings.values, readings.known_by)
    for target in range(base.track):
        for by in ("evidence", "design"):
            reaching = [way for way in decision.lighter
                        if way.to.rank <= target and way.by in (by, "evidence")]  # fmt: skip
            assert all(way.smallest for way in reaching)
            shortest = min(reaching, key=lambda way: len(way.changes), default=None)
            missed = smaller_ways(small, values, small_pack.VALUES, base, shortest, target, by, 3)
            assert next(missed, None) is None, (TRACKS[target], by, shortest)


NEAR_LIMITS: Mapping[str, tuple[Value, ...]] = {
    "bool": (False, True),
    "integer": (0, 1),
    "number": (0.0, 24.0, 1000.0),
    "interval": (Interval(0.0, 0.0, 0.0), Interval(1.0, 1.0, 1.0), Interval(-10.0, -10.0, -10.0)),
    "set": ((),),
    "text": ("text",),
}


@EVERY_KIND
@given(st.data())
@settings(LAWS, max_examples=25)
def test_no_single_change_does_what_a_way_needs_more_for(kind: str, data: st.DataObject) -> None:
    """Bounded: sets of at most one change, over every fact of the release."""
    pack, values = PACKS[kind], data.draw(releases(kind))
    decision = decided_on(pack, facts_of(values))
    choices = {name: BY_NAME[name].values or NEAR_LIMITS[BY_NAME[name].type] for name in values}
    readings = readings_of(facts_of(values), pack.tree["facts"])
    base = pack.rulebook(kind, AT).judge(readings.values, readings.known_by)
    for way in decision.lighter:
        missed = smaller_ways(pack, values, choices, base, way, way.to.rank, way.by, 1)
        assert next(missed, None) is None, way


def test_one_fact_that_two_rules_share_is_changed_rather_than_one_for_each(small: Pack) -> None:
    values = {name: options[0] for name, options in small_pack.VALUES.items()}
    values |= {
        "use.confirmed": True, "cost.ceiling": 60.0, "tests.ran": 4,
        "change.new_features": 2, "change.removed_features": 1, "change.architecture": True,
    }  # fmt: skip
    decision = decided_on(small, facts_of(values))
    assert decision.track is Track.YELLOW
    (way,) = decision.lighter
    assert [(change.fact, change.before, change.after) for change in way.changes] == [
        ("change.removed_features", "1", "0")
    ]
    assert way.rules == ("new-and-removed", "removed-and-rebuilt")


# What the ways say.


def only(pack: Pack, facts: dict[str, Value], by: str, **details: Mapping[str, object]) -> Lighter:
    named = {name.replace("__", "."): value for name, value in details.items()}
    ways = [way for way in decided(pack, facts, details=named).lighter if way.by == by]
    assert len(ways) == 1
    return ways[0]


NEW: dict[str, Value] = {"change.new_features": 1, "change.unapproved_features": 1}
NAMED = {
    "change__new_features": {"features": ["debt_ratio"]},
    "change__unapproved_features": {"features": ["debt_ratio"]},
}


def test_the_feature_to_be_approved_is_named(pack: Pack) -> None:
    way = only(pack, NEW, "evidence", **NAMED)
    assert way.to is Track.YELLOW
    assert way.actions == ("Get the new feature `debt_ratio` approved in the feature registry.",)


def test_leaving_a_feature_out_is_one_thing_to_do_though_two_facts_change(pack: Pack) -> None:
    way = only(pack, NEW, "design", **NAMED)
    assert way.to is Track.GREEN
    assert way.actions == ("Leave the new feature `debt_ratio` out.",)
    assert [(change.fact, change.value, change.how) for change in way.changes] == [
        ("change.new_features", 0, "design"),
        ("change.unapproved_features", 0, "design"),
    ]


def test_a_boundary_case_says_how_many_more_rows_would_settle_it(pack: Pack) -> None:
    wide: dict[str, Value] = {"change.performance": Interval(0.4, -6.0, 7.0)}
    way = only(pack, wide, "evidence", change__performance={"metric": "roc_auc", "n": 1000})
    assert way.actions == (
        "Measure the change of AUC against production on more evaluation rows; about 1,059 more "
        "would settle it if the value stays at 0.4 %.",
    )
    (change,) = way.changes
    assert change.after == "0.4 %, with an interval that no longer reaches the limit"


def test_a_fairness_ratio_on_both_sides_of_its_limit_says_it_too(pack: Pack) -> None:
    wide: dict[str, Value] = {
        "data.protected": True, **HIGH_GATES,
        "fairness.selection_ratio": Interval(0.85, 0.75, 0.95),
    }  # fmt: skip
    detail = {"fairness.selection_ratio": {"n": 500}}
    decision = decided(pack, wide, details=detail)
    (gate,) = [gate for gate in decision.gates if gate.id == "fairness"]
    assert gate.sentence.endswith("About 2,001 evaluation rows would settle it.")
    (way,) = decision.lighter
    assert "about 1,501 more would settle it" in way.actions[0]


def test_a_value_on_the_limit_is_settled_by_no_number_of_rows(pack: Pack) -> None:
    wide: dict[str, Value] = {"change.performance": Interval(-5.0, -6.0, -4.0)}
    decision = decided(pack, wide, details={"change.performance": {"n": 1000}})
    assert [way.by for way in decision.lighter] == ["design"]
    (reason,) = [one for one in decision.track_reasons if one.rule == "performance-medium"]
    assert "would settle" not in reason.sentence


def test_a_better_model_is_told_by_the_limits_and_not_by_one_value(pack: Pack) -> None:
    worse: dict[str, Value] = {"change.performance": Interval(-7.1, -9.0, -5.2)}
    (change,) = only(pack, worse, "design").changes
    assert change.before == "-7.1 % (95 % interval -9.0 to -5.2)"
    assert change.after == "above -5 % and below 5 %, with its whole interval"


def test_a_weak_source_becomes_a_better_one_with_the_value_as_it_is(pack: Pack) -> None:
    facts = {**facts_of(CALM), **facts_of({"change.removed_features": 0}, KnownBy.DECLARED)}
    (way,) = decided_on(pack, facts).lighter
    (change,) = way.changes
    assert (change.before, change.after) == ("0, declared", "0, measured or better")
    assert (change.value, change.how) == (0, "evidence")
