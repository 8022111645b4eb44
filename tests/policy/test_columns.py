"""Facts read as columns, and conditions worked out for all of them, say what each alone says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.core.digest import canonical_json
from guiderail.facts.fact import Value, from_json, to_json
from guiderail.policy import load_pack
from guiderail.policy.columns import (
    FALSE,
    OPEN,
    TRUE,
    Columns,
    condition,
)
from guiderail.policy.readings import readings_of
from guiderail.policy.stored_columns import ColumnReader, UnreadableError
from guiderail_verify.evaluate import UNKNOWN, compile_expression, fact_names
from tests.policy.calm import facts_of
from tests.policy.calm_kinds import CALM_OF
from tests.policy.test_properties import EVERY_KIND, LAWS, PACKS, releases

TYPES = load_pack("model").tree["facts"]
TRUTHS = {FALSE: False, OPEN: UNKNOWN, TRUE: True}


def stored(values: dict[str, Value]) -> bytes:
    return canonical_json(
        {name: {"value": to_json(value), "known_by": "measured"} for name, value in values.items()}
    )


def columns_of(*records: bytes, types: Any = TYPES) -> Columns:
    reader = ColumnReader(types)
    for record in records:
        reader.take(reader.read(record))
    return reader.columns()


def conditions(tree: Any) -> list[Any]:
    """Every expression in a pack that needs nothing which a judgement works out first."""
    keys = ("when", "applies_when", "pass_when", "fail_when")
    parts = [part for section in ("tiers", "tracks", "gates") for part in tree[section]]
    found = [part[key] for part in parts for key in keys if part.get(key)]
    return [one for one in found if fact_names(one).isdisjoint(("tier", "evidence.weak"))]


CONDITIONS = {kind: conditions(PACKS[kind].tree) for kind in CALM_OF}


@EVERY_KIND
@given(st.data())
@settings(LAWS, max_examples=60)
def test_a_condition_says_of_each_release_what_it_says_of_it_alone(
    kind: str, data: st.DataObject
) -> None:
    types = PACKS[kind].tree["facts"]
    those = data.draw(st.lists(releases(kind), min_size=1, max_size=4))
    columns = columns_of(*map(stored, those), types=types)
    back = [{name: from_json(to_json(value)) for name, value in values.items()} for values in those]
    alone = [readings_of(facts_of(values), types).values for values in back]
    for tree in CONDITIONS[kind]:
        told = [TRUTHS[code] for code in condition(tree, types)(columns).tolist()]
        assert told == [compile_expression(tree)(values) for values in alone], tree


@given(releases("model"), releases("model"))
@settings(LAWS, max_examples=100)
def test_both_ways_of_reading_agree(first: dict[str, Value], second: dict[str, Value]) -> None:
    columns = columns_of(stored(first), stored(second))
    for index, values in enumerate((first, second)):
        back = {name: from_json(to_json(value)) for name, value in values.items()}
        whole = readings_of(facts_of(back), TYPES)
        read, known_by = columns.release(index)
        assert read == whole.values
        assert known_by.keys() == whole.known_by.keys()


def test_what_is_missing_unknown_or_of_another_type_is_unknown() -> None:
    columns = columns_of(canonical_json(
        {
            "use.regulated": {"value": {"unknown": "not asked"}, "known_by": "declared"},
            "use.domain": {"value": "gardening", "known_by": "declared"},
            "tests.ran": {"value": {"number": "1.5"}, "known_by": "measured"},
            "change.performance": {"value": {"number": "3"}, "known_by": "measured"},
            "security.age_days": {"value": {"number": "1e999"}, "known_by": "measured"},
        }
    ))  # fmt: skip
    read, known_by = columns.release(0)
    assert set(map(id, read.values())) == {id(UNKNOWN)}
    assert known_by == {}


@pytest.mark.parametrize(("given", "read"), [(2.0, 2), (1e30, 10**30), (2.5, UNKNOWN), (3, 3)])
def test_a_whole_number_is_the_same_before_and_after_it_is_stored(given: Value, read: Any) -> None:
    fact = "code.approvals"
    first = readings_of(facts_of({fact: given}), TYPES)
    values, known_by = columns_of(stored({fact: given})).release(0)
    assert first.values[fact] == values[fact] == read
    assert (fact in first.known_by) == (fact in known_by) == (read is not UNKNOWN)


def compared(sign: str, limit: str, *numbers: str) -> list[Any]:
    """A comparison of stored whole numbers."""
    types = {"code.approvals": TYPES["code.approvals"]}
    rows = [
        {"code.approvals": {"value": {"number": one}, "known_by": "measured"}} for one in numbers
    ]
    columns = columns_of(*map(canonical_json, rows), types=types)
    tree = {"compare": sign, "left": {"fact": "code.approvals"}, "right": {"number": limit}}
    return [TRUTHS[code] for code in condition(tree, types)(columns).tolist()]


def test_numbers_that_a_float_does_not_hold_are_compared_exactly() -> None:
    """2**53 + 1 and 2**53 are the same float."""
    large, larger = str(2**53), str(2**53 + 1)
    assert compared("<", larger, large, larger) == [True, False]
    assert compared("==", large, large, larger, "3") == [True, False, False]
    assert compared(">", "2", large, larger, "2") == [True, True, False]


def test_a_reader_begins_anew_after_each_batch() -> None:
    reader = ColumnReader(TYPES)
    first, second = (
        stored({**CALM_OF["model"], "use.regulated": value}) for value in (True, False)
    )
    for record, expected in ((first, True), (second, False), (first, True)):
        reader.take(reader.read(record))
        columns = reader.columns()
        assert (columns.count, columns.release(0)[0]["use.regulated"]) == (1, expected)


@pytest.mark.parametrize(
    "row",
    [
        {"value": {"value": "1", "low": "2", "high": "3"}, "known_by": "measured"},
        {"value": {"value": "1", "low": "0", "high": "inf"}, "known_by": "measured"},
        {"value": {"value": "one", "low": "0", "high": "2"}, "known_by": "measured"},
        {"value": {"low": "0", "high": "2"}, "known_by": "measured"},
        {"known_by": "measured"},
        {"value": {"value": "1", "low": "0", "high": "2"}, "known_by": "guessed"},
        None,
        "3",
    ],
)
def test_facts_that_no_decision_stored_are_refused(row: Any) -> None:
    reader = ColumnReader(TYPES)
    calm = reader.read(stored(CALM_OF["model"]))
    with pytest.raises(UnreadableError, match=r"change\.performance"):
        reader.read(canonical_json({"change.performance": row}))
    assert reader.read(stored(CALM_OF["model"])).codes == calm.codes


DEEP = b'{"use.domain":' + b"[" * 100_000


@pytest.mark.parametrize(
    "text", [b"", b"[]", b"{", b'{"use.domain":{"value":"\xff"}}', b"null", DEEP]
)
def test_text_that_is_no_record_is_refused(text: bytes) -> None:
    with pytest.raises(UnreadableError):
        ColumnReader(TYPES).read(text)
