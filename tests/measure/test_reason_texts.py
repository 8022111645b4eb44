"""Texts that people are given as reasons, and reasons of single refusals."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from guiderail.core.errors import InputError
from guiderail.manifest.reason_file import read_reasons
from guiderail.measure.attribution_agreement import Explained
from guiderail.measure.reason_codes import directions_of, reason_codes
from guiderail.measure.reason_texts import (
    ReasonText,
    ReasonTexts,
    check_texts,
    protected_phrase,
    reading_ease,
    vague_phrase,
)

GOOD = "Your income has varied by more than a third over the last year."


def texts(text: str) -> ReasonTexts:
    return ReasonTexts(("person",), {"income": {"person": ReasonText(text, text)}})


def faults(text: str, **other: tuple[str, ...]) -> list[str]:
    return [problem.fault for problem in check_texts(texts(text), ["income"], **other)]


def test_a_specific_sentence_passes() -> None:
    assert faults(GOOD) == []


@pytest.mark.parametrize(
    "text",
    [
        "Other",
        "score too low",
        "Your SCORE  was too low.",
        "Internal policy",
        "This did not meet our internal standards.",
        "Insufficient income profile",
        "You failed to achieve a qualifying score.",
        "Risk",
        "",
        "The algorithm decided so.",
        "inter\u200bnal policy",
        "\uff33\uff43\uff4f\uff52\uff45 too low",
    ],
)
def test_text_that_says_nothing_is_refused(text: str) -> None:
    assert faults(text) == ["vague"]


@pytest.mark.parametrize(
    "text",
    [
        "Your age is below what we lend to.",
        "Women pay back later than others do.",
        "You are not married to anybody.",
        "You hold the nationality of another country.",
    ],
)
def test_text_that_names_a_protected_attribute_is_refused(text: str) -> None:
    assert faults(text) == ["protected"]


@pytest.mark.parametrize(
    "text",
    [
        "The age of your oldest account is under a year.",
        "Your mortgage takes half of your wages.",
        "You manage several other loans at once.",
        "Another bank reported a late payment last March.",
    ],
)
def test_words_that_only_look_protected_or_vague_pass(text: str) -> None:
    assert protected_phrase(text) is None
    assert vague_phrase(text) is None


def test_a_protected_input_can_be_no_reason_whatever_its_text() -> None:
    assert faults(GOOD, protected=("income",)) == ["protected"]


def test_every_input_needs_a_text_for_every_audience() -> None:
    given = ReasonTexts(("person", "sales"), texts(GOOD).texts)
    found = check_texts(given, ["income", "month"])
    assert [(one.input, one.audience, one.fault) for one in found] == [
        ("income", "sales", "missing"),
        ("month", "person", "missing"),
        ("month", "sales", "missing"),
    ]
    assert all(one.breaks for one in found)


def test_a_long_or_difficult_sentence_only_warns() -> None:
    long = "Your income " + "and also what you told us " * 5 + "is lower than it was."
    hard = (
        "Considerable irregularities characterise remuneration documentation accompanying "
        "applications previously submitted."
    )
    assert faults(long) == ["too long"]
    assert faults(hard) == ["hard to read"]
    assert not any(problem.breaks for problem in check_texts(texts(long), ["income"]))


def test_reading_ease_follows_flesch() -> None:
    # Nine words in one sentence, eleven syllables: counted by hand.
    text = "The cat sat on the mat under a table."
    assert reading_ease(text) == pytest.approx(206.835 - 1.015 * 9 - 84.6 * 11 / 9, abs=0.01)
    assert reading_ease("Too short to judge") is None


def test_a_file_of_reasons_has_one_text_or_one_for_each_direction(tmp_path: Path) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(
        "audiences: [person]\nreasons:\n  month: {person: {high: Long., low: Short.}}\n"
        "  income: Varied.\n"
    )
    audiences, table = read_reasons(path)
    assert audiences == ("person",)
    assert table == {
        "month": {"person": ("Long.", "Short.")},
        "income": {"person": ("Varied.",) * 2},
    }


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "reasons: []",
        "audiences: []\nreasons: {a: b}",
        "audiences: [x, x]\nreasons: {a: b}",
        "reasons: {a: 3}",
        "reasons: {a: {sales: b}}",
        "reasons: {a: {person: {high: b}}}",
        "other: 1\nreasons: {a: b}",
    ],
)
def test_a_wrong_file_says_where(tmp_path: Path, text: str) -> None:
    path = tmp_path / "reasons.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as raised:
        read_reasons(path)
    assert raised.value.code == "reasons/invalid"
    assert raised.value.place is not None


def test_the_texts_of_the_credit_example_pass() -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "credit" / "reasons.yaml"
    audiences, table = read_reasons(example)
    given = ReasonTexts(
        audiences,
        {
            name: {who: ReasonText(*pair) for who, pair in row.items()}
            for name, row in table.items()
        },
    )
    assert check_texts(given, list(table)) == ()


VALUES = np.array([[-3.0, -2.0, -1.0, -0.5, -0.2, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
EXPLAINED = Explained(tuple("abcdef"), VALUES, "margin", np.array([True, False]), -1.0)


def test_a_refusal_has_at_most_four_reasons_strongest_first() -> None:
    cases = reason_codes(EXPLAINED, {})
    assert [case.place for case in cases] == [0]
    assert [reason.input for reason in cases[0].reasons] == ["a", "b", "c", "d"]


def test_a_protected_input_is_left_out_and_counted() -> None:
    (case,) = reason_codes(EXPLAINED, {}, protected=("a", "e"))
    assert [reason.input for reason in case.reasons] == ["b", "c", "d"]
    assert case.hidden == ("a", "e")


def test_a_reason_within_its_sampling_error_is_not_clear() -> None:
    errors = np.full(VALUES.shape, 0.6)
    (case,) = reason_codes(EXPLAINED, {}, errors=errors)
    assert [reason.clear for reason in case.reasons] == [True, True, False, False]


def test_the_direction_is_that_of_the_value_against_the_median() -> None:
    column = np.array([1.0, 5.0, 9.0, np.nan])
    assert directions_of(column, np.array([0, 2, 3])).tolist() == ["low", "high", "value"]
    words = np.array(["x", "y"], dtype=object)
    assert directions_of(words, np.array([1])).tolist() == ["value"]
    (case,) = reason_codes(EXPLAINED, {"a": np.array(["low", "high"])})
    assert case.reasons[0].direction == "low"
