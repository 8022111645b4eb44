"""Releases that lie at the same places among the limits get the same judgement."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.facts.fact import Value
from guiderail.policy import load_pack
from guiderail.policy.alike import Places
from guiderail.policy.stored_readings import Reader
from guiderail.policy.weigh import weigh
from tests.policy.calm import AT
from tests.policy.test_properties import LAWS, QUIET, releases
from tests.policy.test_stored_readings import stored

PACK = load_pack("model")
BOOK = PACK.rulebook("model", AT)
TYPES = PACK.tree["facts"]
PLACES = Places((PACK.tree,), (BOOK,), TYPES)
READER = Reader(TYPES)


def judged(facts: dict[str, Any]) -> Any:
    judgement = BOOK.judge(*READER.read(facts))
    hits = [(hit.rule.id, hit.rule.level, hit.truth) for hit in
            (*judgement.tier_hits, *judgement.track_hits)]  # fmt: skip
    return weigh(PACK, judgement), hits, judgement.weak


def nudged(value: Value, by: float) -> Value:
    """A number that is a little larger, everything else as it was."""
    if isinstance(value, Interval):
        return Interval(value.value + by, value.low + by, value.high + by)
    return value + by if isinstance(value, float) else value


@given(releases("model"), st.sampled_from([0.0, 0.001, 0.3, 4.0]))
@LAWS
def test_equal_places_mean_equal_judgements(values: dict[str, Value], by: float) -> None:
    one = stored(values)
    other = stored({name: nudged(value, by) for name, value in values.items()})
    if PLACES.of(one) == PLACES.of(other):
        assert judged(one) == judged(other)


@given(releases("model"))
@LAWS
def test_other_judgements_mean_other_places(values: dict[str, Value]) -> None:
    one, calm = stored(values), stored(QUIET["model"])
    if judged(one) != judged(calm):
        assert PLACES.of(one) != PLACES.of(calm)


def test_how_a_fact_is_known_and_comparisons_of_two_facts_are_told_apart() -> None:
    calm = stored(QUIET["model"])
    declared = json.loads(json.dumps(calm))
    declared["change.architecture"]["known_by"] = "declared"
    assert PLACES.of(declared) != PLACES.of(calm)
    dearer = stored({**QUIET["model"], "cost.ceiling": 320.0})
    assert PLACES.of(dearer) != PLACES.of(calm)
    same = stored({**QUIET["model"], "cost.ceiling": 390.0})
    assert PLACES.of(same) == PLACES.of(calm)
