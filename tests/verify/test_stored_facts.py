"""Stored facts read by the verifier are what the product reads before it gives a permit."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Unknown, Value, known
from guiderail.policy.pack import load_pack
from guiderail.policy.readings import readings_of
from guiderail.service.snapshot import facts_from_json, facts_to_json
from guiderail_verify.evaluate import UNKNOWN
from guiderail_verify.stored_facts import read_facts

TYPES: dict[str, Any] = load_pack("model").tree["facts"]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    NUMBERS,
    st.text(max_size=5),
    st.sampled_from([one for kind in TYPES.values() for one in kind.get("values") or ()]),
    st.tuples(st.text(max_size=5)),
    st.builds(Unknown, st.text(max_size=5)),
    st.lists(NUMBERS, min_size=3, max_size=3).map(sorted).map(
        lambda bounds: Interval(bounds[1], bounds[0], bounds[2])
    ),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(sorted(TYPES)), VALUES), st.sampled_from(list(KnownBy)))
def test_whatever_is_stored_is_read_as_the_product_reads_it(
    values: dict[str, Value], known_by: KnownBy
) -> None:
    facts = {name: known(name, value, "test", known_by) for name, value in values.items()}
    stored = json.loads(json.dumps(facts_to_json(facts)))
    right = readings_of(facts_from_json(stored), TYPES)
    found, ranks = read_facts(stored, TYPES)
    assert found == right.values
    assert ranks == right.known_by


@pytest.mark.parametrize(
    "value",
    [
        {"number": "nan"},
        {"number": "1.5e999"},
        {"unknown": "not measured"},
        None,
        "0.5",
        0.5,
        math.nan,
    ],
)
def test_what_is_no_finite_number_is_unknown_or_refused(value: object) -> None:
    name = next(name for name in TYPES if TYPES[name]["type"] == "number")
    try:
        values, ranks = read_facts({name: {"value": value, "known_by": "measured"}}, TYPES)
    except ValueError:
        return
    assert (values[name], ranks) == (UNKNOWN, {})
