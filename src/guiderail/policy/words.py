"""Values of facts in words: units, intervals, and decimals enough to show the side of a limit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.facts.fact import Unknown, Value
from guiderail.facts.fact_type import FactType

METRICS: Final = {name: kind.words for name, kind in METRIC_KINDS.items()}
"""How the primary metric is called in a sentence."""

_MOST_DECIMALS: Final = 5
_WRITTEN: Final = tuple(f"%.{decimals}f" for decimals in range(_MOST_DECIMALS + 1))
_ZEROS: Final = tuple(form % 0.0 for form in _WRITTEN)
_LONG: Final = 1000
"""From here on a number is written with commas, which takes longer."""

_SMALL: Final = 10


def value_words(fact: FactType, value: Value, form: str = "", limits: Sequence[float] = ()) -> str:
    """A value as a sentence quotes it.

    form: as in `templates`. limits: the numbers that rules compare the fact with; a value is never
    rounded onto or across one of them.
    """
    if value is True or value is False:
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        if fact.unit == "days" and 0 <= value < 1:
            return "less than a day"
        if isinstance(value, int):
            return _with_unit(_whole_number(value, form), fact.unit)
        text = number_words(value, form, limits, fact.unit)
        return _with_unit(_plain_number(text), fact.unit)
    if isinstance(value, Interval):
        return _interval_words(fact, value, form, limits)
    if isinstance(value, str):
        return value.replace("_", " ") if fact.type == "enum" else value
    if isinstance(value, Unknown):
        return f"not known ({value.reason})"
    return joined(value) if value else "none"


def number_words(
    number: float, form: str = "", limits: Sequence[float] = (), unit: str = "%"
) -> str:
    """A number with one decimal, or as many as it takes to stay on its side of every limit.

    Ratios and other small numbers without a unit start with two decimals.
    """
    if isinstance(number, int):
        return _whole_number(number, form)
    if form == "abs":
        number, limits = abs(number), [abs(limit) for limit in limits]
    decimals = 1 if unit or abs(number) >= _SMALL else 2
    text = _WRITTEN[decimals] % number
    shown = float(text)
    while shown != number and decimals < _MOST_DECIMALS and _crosses(number, shown, limits):
        decimals += 1
        text = _WRITTEN[decimals] % number
        shown = float(text)
    if not shown:
        return _ZEROS[decimals]
    if not -_LONG < shown < _LONG:
        text = f"{shown:,.{decimals}f}"
    return f"+{text}" if form == "+" and shown > 0 else text


def _whole_number(number: int, form: str) -> str:
    if form == "abs":
        number = abs(number)
    text = str(number) if -_LONG < number < _LONG else f"{number:,}"
    return f"+{text}" if form == "+" and number >= 0 else text


def _crosses(number: float, shown: float, limits: Sequence[float]) -> bool:
    """Has rounding moved a number onto or across a limit?"""
    for limit in limits:
        if (shown > limit) is not (number > limit) or (shown < limit) is not (number < limit):
            return True
    return False


def joined(parts: Sequence[str], word: str = "and") -> str:
    """`a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} {word} {parts[-1]}"


def phrase(fact: FactType) -> str:
    """What the fact is about, so that "... is not known" can follow."""
    if fact.type == "bool":
        return f"whether {fact.says}"
    if fact.says.startswith(("the ", "how ", "what ")):
        return fact.says
    if fact.type == "integer":
        return f"the number of {fact.says}"
    return f"the {fact.says}" if fact.type == "number" else f"the state of {fact.says}"


def capitalised(sentence: str) -> str:
    """The sentence with a capital first letter; the rest stays as it is."""
    return sentence[:1].upper() + sentence[1:]


def _interval_words(fact: FactType, value: Interval, form: str, limits: Sequence[float]) -> str:
    unit = fact.unit
    point = _with_unit(number_words(float(value.value), form, limits, unit), unit)
    if form in ("abs", "plain"):
        return point
    bound_form = "+" if form == "+" else ""
    low = number_words(float(value.low), bound_form, limits, unit)
    high = number_words(float(value.high), bound_form, limits, unit)
    return f"{point} (95 % interval {low} to {high})"


def _plain_number(number: str) -> str:
    return number.removesuffix(".0").removesuffix(".00")


def _with_unit(number: str, unit: str) -> str:
    if number == "1":
        unit = unit.removesuffix("s")
    return f"{number} {unit}" if unit else number
