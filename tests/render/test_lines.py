"""Lines, words and figures: 80 columns, the same words everywhere, nothing that looks known."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy, Outcome, Track, Verdict
from guiderail.facts.fact import Unknown
from guiderail.render import words
from guiderail.render.lines import WIDTH, columns, heading, paragraph, plain_text

sentences = st.lists(st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20)).map(
    " ".join
)


@given(sentences, st.integers(0, 8), st.integers(0, 8))
def test_a_paragraph_keeps_every_word_within_the_width(text: str, indent: int, hang: int) -> None:
    lines = paragraph(text, indent=indent, hang=hang)
    assert all(len(line.text) <= WIDTH for line in lines)
    assert " ".join(line.text for line in lines).split() == text.split()


def test_an_empty_paragraph_is_one_blank_line() -> None:
    assert [line.text for line in paragraph("")] == [""]


def test_a_long_word_is_never_broken() -> None:
    digest = "sha256:" + "0" * 90
    assert digest in plain_text(paragraph(f"The release is {digest} and no other.", indent=2))


def test_columns_are_aligned_and_the_last_one_wraps_below_itself() -> None:
    lines = columns([("a", "first"), ("long name", "word " * 30)])
    assert lines[0].text == "  a          first"
    assert lines[1].text.index("word") == lines[0].text.index("first")
    assert lines[2].text.startswith(" " * lines[1].text.index("word"))
    assert columns([]) == []


def test_a_heading_has_air_above_it() -> None:
    assert [(line.text, line.style) for line in heading("Why")] == [("", "plain"), ("Why", "bold")]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (3.0, "3"),
        (0.123456, "0.1235"),
        (1234.56, "1234.6"),
        ((), "none"),
        (("a", "b"), "a, b"),
        (Interval(0.5, 0.25, 0.75), "0.5 (95 % interval 0.25 to 0.75)"),
        (Unknown("nobody said"), "not known (nobody said)"),
        ("credit", "credit"),
    ],
)
def test_values_are_said_in_words(value: object, text: str) -> None:
    assert words.value(value) == text  # type: ignore[arg-type]  # the parameters are values of facts


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_figure_reads_back_as_about_the_same_number(value: float) -> None:
    assert math.isclose(float(words.number(value)), value, rel_tol=1e-3, abs_tol=0.05)


def test_every_member_of_every_scale_has_its_words() -> None:
    assert set(words.TRACK_SENTENCE) == set(Track) == set(words.TRACK_STYLE)
    assert set(words.VERDICT_SIGN) == set(Verdict) == set(words.VERDICT_STYLE)
    assert set(words.OUTCOME_SENTENCE) == set(Outcome)
    assert set(words.KNOWN_BY) == set(KnownBy)
    assert len(set(words.VERDICT_SIGN.values())) == len(Verdict), "readable without colour"


def test_roles_are_written_as_people_say_them() -> None:
    assert words.role("ml-platform-engineer") == "ML platform engineer"
    assert words.role("risk-officer") == "risk officer"
