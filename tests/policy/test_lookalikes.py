"""Characters that hide or look like others: which ones, and what is said about them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from guiderail.policy.lookalikes import (
    first_foreign,
    first_hidden,
    instead,
    is_hidden,
    look_alike,
    twin,
    what_stands,
)

HIDDEN = [
    *("\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u2060", "\u00ad", "\ufeff", "\u061c"),
    *("\u202a", "\u202e", "\u2066", "\u2069", "\x00", "\x1b", "\t", "\x7f", "\x85", "\u2028"),
    *("\u3164", "\uffa0", "\u115f", "\u2800", "\u034f", "\ufe0f", "\U000e0041", "\U000e0100"),
    *("\ue000", "\U0010ffff", "\u180e"),
]


@pytest.mark.parametrize("sign", HIDDEN, ids=lambda sign: f"U+{ord(sign):04X}")
def test_what_cannot_be_seen_is_hidden_and_named_by_its_number(sign: str) -> None:
    assert is_hidden(sign)
    assert first_hidden(f"ab{sign}c") == 2
    assert f"U+{ord(sign):04X}" in what_stands(sign)
    assert sign not in what_stands(sign)
    assert instead(sign) == "Remove it."


@pytest.mark.parametrize(
    "text", ["Größe", "信用", "Δ 5 %", "“quoted” – so", "naïve", "מודל", "a\nb"]
)
def test_letters_of_any_script_are_not_hidden(text: str) -> None:
    assert first_hidden(text) is None


@pytest.mark.parametrize(
    ("sign", "plain"),
    [
        ("а", "a"), ("е", "e"), ("о", "o"), ("р", "p"), ("с", "c"), ("х", "x"), ("ѕ", "s"),
        ("і", "i"), ("А", "A"), ("ο", "o"), ("ν", "v"), ("Ε", "E"), ("é", "e"), ("ａ", "a"),
        ("𝐚", "a"), ("０", "0"), ("“", '"'), ("’", "'"), ("–", "-"), ("−", "-"), ("≤", "<="),
        ("≠", "!="), ("\xa0", " "), ("＝", "="),
    ],
)  # fmt: skip
def test_a_lookalike_is_named_with_its_ascii_twin(sign: str, plain: str) -> None:
    assert twin(sign) == plain
    assert unicodedata.name(sign) in what_stands(sign)
    assert plain in instead(sign) or instead(sign) == "Write a plain space."


def test_what_has_no_twin_gets_general_advice() -> None:
    assert twin("信") == ""
    assert instead("信") == "Write ASCII letters, digits and signs only."


@settings(deadline=None)
@given(st.characters())
def test_every_character_has_a_message_without_hidden_signs(sign: str) -> None:
    assert first_hidden(what_stands(sign)) is None
    assert first_foreign(instead(sign)) is None


@pytest.mark.parametrize(
    ("texts", "pair"),
    [
        (["credit", "fraud", "credit"], (0, 2)),
        (["low", "l0w"], (0, 1)),
        (["a1", "al", "b"], (0, 1)),
        (["modern", "modem"], (0, 1)),
        (["Very high", "very-high"], (0, 1)),
        (["low", "medium", "high"], None),
        ([], None),
    ],
)
def test_texts_that_a_reader_takes_for_one_another(
    texts: list[str], pair: tuple[int, int] | None
) -> None:
    assert look_alike(texts) == pair
