"""Reading stored facts straight away gives what reading them the long way gives."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from guiderail.facts.fact import Value, from_json, to_json
from guiderail.policy import load_pack
from guiderail.policy.readings import readings_of
from guiderail.policy.stored_readings import Reader
from guiderail_verify.evaluate import UNKNOWN
from tests.policy.calm import facts_of
from tests.policy.test_properties import LAWS, releases

TYPES = load_pack("model").tree["facts"]
READER = Reader(TYPES)


def stored(values: dict[str, Value]) -> dict[str, Any]:
    return {
        name: {"value": to_json(value), "known_by": "measured"} for name, value in values.items()
    }


@given(releases("model"))
@LAWS
def test_both_ways_of_reading_agree(values: dict[str, Value]) -> None:
    back = {name: from_json(row["value"]) for name, row in stored(values).items()}
    whole = readings_of(facts_of(back), TYPES)
    read, known_by = READER.read(stored(values))
    assert read == whole.values
    assert known_by.keys() == whole.known_by.keys()


def test_what_is_missing_unknown_or_of_another_type_is_unknown() -> None:
    read, known_by = READER.read(
        {
            "use.regulated": {"value": {"unknown": "not asked"}, "known_by": "declared"},
            "use.domain": {"value": "gardening", "known_by": "declared"},
            "tests.ran": {"value": {"number": "1.5"}, "known_by": "measured"},
            "change.performance": {"value": {"number": "3"}, "known_by": "measured"},
            "security.age_days": {"value": {"number": "1e999"}, "known_by": "measured"},
        }
    )
    assert set(map(id, read.values())) == {id(UNKNOWN)}
    assert known_by == {}


@pytest.mark.parametrize(
    "row",
    [
        {"value": {"value": "1", "low": "2", "high": "3"}, "known_by": "measured"},
        {"value": {"value": "1", "low": "0", "high": "inf"}, "known_by": "measured"},
        {"value": {"value": "one", "low": "0", "high": "2"}, "known_by": "measured"},
        {"known_by": "measured"},
        {"value": {"value": "1", "low": "0", "high": "2"}, "known_by": "guessed"},
    ],
)
def test_facts_that_no_decision_stored_are_refused(row: dict[str, Any]) -> None:
    with pytest.raises((ValueError, KeyError)):
        READER.read({"change.performance": row})
