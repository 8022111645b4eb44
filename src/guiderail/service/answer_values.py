"""What a person types as a value of a fact, and which of two values is the riskier one."""

from __future__ import annotations

import math
from typing import Final

from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.catalogue.interview import only_tells
from guiderail.facts.fact import Value
from guiderail.facts.fact_type import FactType

LONGEST_TEXT: Final = 2000
"""Characters of an answer in own words: what a reviewer still reads."""

LARGEST_NUMBER: Final = 10**15

_YES, _NO = ("yes", "true", "y"), ("no", "false", "n")


def parse_answer(fact: str | FactType, text: str) -> Value | None:
    """What was typed as a value of the fact's type; None when it is none.

    Numbers have a point and no unit; what the interview counts is not negative. A text is one line
    without control characters.
    """
    kind = _kind(fact)
    text = text.strip()
    lowered = text.lower()
    match kind.type:
        case "bool":
            return True if lowered in _YES else False if lowered in _NO else None
        case "enum":
            return lowered if lowered in kind.values else None
        case "integer" | "number":
            return _number(kind, text)
        case "text":
            return text if text.isprintable() and 0 < len(text) <= LONGEST_TEXT else None
    return None


def choices(fact: str | FactType) -> tuple[str, ...]:
    """What may be typed, in words."""
    kind = _kind(fact)
    if kind.type == "bool":
        return ("yes", "no")
    if kind.type == "enum":
        return kind.values
    if kind.type == "text":
        return (f"a text in one line of at most {LONGEST_TEXT} characters",)
    word = "whole number" if kind.type == "integer" else "number"
    return (f"a {word}" + (f" of {kind.unit}" if kind.unit else ""),)


def riskier(kind: FactType, value: Value, before: Value) -> bool:
    """Equal counts as riskier. A fact without a direction of risk has no riskier value."""
    if value == before:
        return True
    if kind.risk_direction == "none":
        return False
    scale = kind.values or (False, True)
    if value not in scale or before not in scale:
        return False
    higher = scale.index(value) > scale.index(before)
    return higher if kind.risk_direction == "up" else not higher


def _number(kind: FactType, text: str) -> int | float | None:
    try:
        number = int(text) if kind.type == "integer" else float(text)
    except ValueError:
        return None
    usable = math.isfinite(number) if isinstance(number, float) else True
    if not usable or abs(number) > LARGEST_NUMBER or (number < 0 and only_tells(kind.name)):
        return None
    return number


def _kind(fact: str | FactType) -> FactType:
    return fact if isinstance(fact, FactType) else BY_NAME[fact]
