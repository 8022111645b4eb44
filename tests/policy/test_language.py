"""The policy language: what may be written, and what is said about what may not."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.policy.check_types import compile_text
from guiderail.policy.formula_text import formula_text
from guiderail.policy.parse import DEEPEST, LONGEST, ExpressionError, parse
from guiderail.policy.syntax import Mistake


def mistakes(text: str) -> list[tuple[int, str]]:
    with pytest.raises(ExpressionError) as caught:
        compile_text(text)
    return [(mistake.at, f"{mistake.message} {mistake.hint}") for mistake in caught.value.mistakes]


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("use.regulated", {"fact": "use.regulated"}),
        ("!use.regulated", {"not": {"fact": "use.regulated"}}),
        ("true", {"bool": True}),
        (
            "tests.ran > 0 && use.regulated",
            {
                "all": [
                    {"compare": ">", "left": {"fact": "tests.ran"}, "right": {"number": "0"}},
                    {"fact": "use.regulated"},
                ]
            },
        ),
        (
            "change.flips.low > change.flips_null",
            {
                "compare": ">",
                "left": {"fact": "change.flips.low"},
                "right": {"fact": "change.flips_null"},
            },
        ),
        (
            "use.domain in [\"credit\", 'fraud']",
            {"in": {"fact": "use.domain"}, "items": [{"text": "credit"}, {"text": "fraud"}]},
        ),
        (
            '"email" in data.personal_columns',
            {"has": {"fact": "data.personal_columns"}, "item": "email"},
        ),
        (
            'use.exposure >= "material"',
            {
                "compare": ">=",
                "left": {"fact": "use.exposure"},
                "right": {"text": "material"},
                "order": ["small", "material", "large"],
            },
        ),
    ],
)
def test_an_expression_compiles_to_a_tree_of_plain_json(text: str, tree: object) -> None:
    assert compile_text(text) == tree


def test_and_binds_tighter_than_or_and_line_breaks_are_spaces() -> None:
    assert compile_text("use.regulated\n|| use.confirmed && use.prohibited") == {
        "any": [
            {"fact": "use.regulated"},
            {"all": [{"fact": "use.confirmed"}, {"fact": "use.prohibited"}]},
        ]
    }


def test_the_same_number_written_in_two_ways_compiles_to_the_same_bytes() -> None:
    assert compile_text("security.age_days > 7") == compile_text("security.age_days > 7.0")


@pytest.mark.parametrize(
    ("text", "at", "said"),
    [
        ("use.domian == 'credit'", 0, "There is no fact use.domian. Did you mean use.domain?"),
        ("use.influence == 'automatic'", 17, "Did you mean automated?"),
        ("use.domain in ['credit', 'frud']", 25, "Did you mean fraud?"),
        ("use.domain >= 'law'", 0, "has no order"),
        ("use.regulated > false", 0, "is true or false"),
        ("use.exposure", 0, "Compare it"),
        ("use.regulated && tests.ran", 17, "not true or false"),
        ("tests.ran > 0.5", 12, "is a whole number"),
        ("tests.ran == 'many'", 13, "is a whole number"),
        ("5 < tests.ran", 0, "starts with a fact"),
        ("1 == 1", 0, "starts with a fact"),
        ("change.flips > tests.ran", 15, "counts in %"),
        ("use.exposure == use.decision", 16, "same type"),
        ("data.personal_columns == 'x'", 0, "set of texts"),
        ("data.personal_columns in ['x']", 0, "set of texts"),
        ("'x' in use.domain", 7, "is not a set"),
        ("3 in data.personal_columns", 0, "Only a text can be in a set"),
        ("'a' in ['a']", 0, "`in` starts with a fact"),
        ("change.performance.middle > 3", 0, "There is no fact change.performance.middle"),
        ("use.regulated.low", 0, "There is no fact use.regulated.low"),
        ("use.regulated = true", 14, "Write == to compare"),
        ("use.regulated and use.confirmed", 14, "Write &&"),
        ("not use.regulated", 4, "Join conditions"),
        ("use.regulated & use.confirmed", 14, "Write &&"),
        ("tests.ran + 1 > 2", 10, "no arithmetic"),
        ("has(use.regulated)", 3, "no functions"),
        ("!use.exposure == 'small'", 14, "!(a == b)"),
        ("0 < tests.ran < 5", 14, "do not chain"),
        ("!!use.regulated", 1, "Write `!` once"),
        ("use.domain == 'credit", 14, "Close the text"),
        ("use.regulated # why", 14, "has no comments"),
        ("use.regulated &&", 16, "ends too early"),
        ("(use.regulated", 14, "ends too early"),
        ("", 0, "is empty"),
        ("use.domain in []", 15, "cannot follow here"),
        ("security.age_days > 7d", 21, "cannot follow here"),
        ("use.régulated", 5, "`é` is LATIN SMALL LETTER E WITH ACUTE. Write `e`."),
        ("use.regul\u0430ted", 9, "`\u0430` is CYRILLIC SMALL LETTER A. Write `a`."),
        ("use.domain == “law”", 14, 'Write `"`.'),
        ("tests.ran ≥ 3", 10, "Write `>=`."),
        ("use.\u200bregulated", 4, "cannot be seen, U+200B ZERO WIDTH SPACE. Remove it."),
        ("use.regulated ||\xa0true", 16, "Write a plain space."),
        ("use.regulated\t|| true", 13, "U+0009. Remove it."),
        ("use.domain in ['law', 'credit', 'law']", 32, "twice. Keep one"),
        ("model.format in ['onnx', 'skops', '0NNX']", 34, "easily taken for one another"),
        (f"tests.ran in [{', '.join('12345' for _ in range(101))}]", 714, "more than 100 values"),
        (f"tests.ran > {'9' * 31}", 12, "longer than 30 signs"),
    ],
)
def test_a_mistake_is_named_with_its_character_and_a_way_out(text: str, at: int, said: str) -> None:
    found = mistakes(text)
    assert found[0][0] == at
    assert said in found[0][1]


def test_every_type_mistake_is_reported_at_once() -> None:
    assert [at for at, _ in mistakes("use.domian == 'x' && use.exposure && tests.ran > 0.5")] == [
        0,
        21,
        49,
    ]


@pytest.mark.parametrize("text", ["(" * 10_000, "!" * 10_000 + "use.regulated", "!(" * 5_000])
def test_ten_thousand_brackets_are_refused_and_nothing_overflows(text: str) -> None:
    limit = sys.getrecursionlimit()
    assert "longer than" in mistakes(text)[0][1]
    assert sys.getrecursionlimit() == limit


def test_nesting_is_limited_before_length_is() -> None:
    depth = DEEPEST + 1
    text = "(" * depth + "use.regulated" + ")" * depth
    assert len(text) < LONGEST
    assert mistakes(text) == [
        (
            DEEPEST,
            f"Brackets are nested deeper than {DEEPEST} levels. "
            "Write the condition flatter, or split the rule.",
        )
    ]
    assert compile_text(text[1:-1]) == {"fact": "use.regulated"}


def test_brackets_in_a_text_do_not_count_as_nesting() -> None:
    assert compile_text(f"model.format == '{'(' * 40}'")["right"] == {"text": "(" * 40}


FACTS = st.sampled_from(["use.regulated", "use.confirmed", "data.personal"])
LEAVES = st.one_of(
    FACTS,
    FACTS.map(lambda fact: f"!{fact}"),
    st.integers(0, 99).map(lambda number: f"tests.ran >= {number}"),
    st.sampled_from(["small", "material", "large"]).map(lambda v: f'use.exposure < "{v}"'),
    st.just('use.domain in ["credit", "law"]'),
)
FORMULAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " && ".join(p) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " || ".join(p) + ")"),
        inner.map(lambda part: f"!({part})"),
    ),
    max_leaves=12,
)


@given(FORMULAS)
@settings(max_examples=200, deadline=None)
def test_a_tree_written_as_text_compiles_to_the_same_tree(text: str) -> None:
    tree = compile_text(text)
    assert compile_text(formula_text(tree)) == tree


@given(st.text(alphabet="use.regltd&|!()<>=in[]\"' 0123\n", max_size=60))
@settings(max_examples=500, deadline=None)
def test_any_text_is_an_expression_or_a_mistake_with_a_place_inside_it(text: str) -> None:
    for mistake in mistakes_of(text):
        assert 0 <= mistake.at <= len(text)
        assert mistake.message
        assert mistake.hint


def mistakes_of(text: str) -> tuple[Mistake, ...]:
    try:
        parse(text)
    except ExpressionError as error:
        return error.mistakes
    return ()
