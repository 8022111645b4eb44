"""The product's words for tracks, verdicts, roles and facts."""

from __future__ import annotations

from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy, Outcome, Track, Verdict
from guiderail.facts.fact import Unknown, Value
from guiderail.render.lines import Style

TRACK_SENTENCE = {
    Track.GREEN: "Green: deploys by itself.",
    Track.YELLOW: "Yellow: light review.",
    Track.RED: "Red: full review.",
}
TRACK_STYLE: dict[Track, Style] = {
    Track.GREEN: "green",
    Track.YELLOW: "yellow",
    Track.RED: "red",
}
VERDICT_SIGN = {
    Verdict.PASS: "✓",
    Verdict.FAIL: "✗",
    Verdict.INSUFFICIENT: "?",
    Verdict.WAIVED: "~",
    Verdict.NOT_APPLICABLE: "-",
}
VERDICT_STYLE: dict[Verdict, Style] = {
    Verdict.PASS: "green",
    Verdict.FAIL: "red",
    Verdict.INSUFFICIENT: "yellow",
    Verdict.WAIVED: "yellow",
    Verdict.NOT_APPLICABLE: "dim",
}
OUTCOME_SENTENCE = {
    Outcome.GO: "Nothing blocks and nobody has to look.",
    Outcome.NEEDS_REVIEW: "Nothing blocks; people have to look.",
    Outcome.NOT_MEASURABLE: "No verdict can be formed from what is known.",
    Outcome.BLOCKED: "Nothing starts until what blocks is settled.",
}
KNOWN_BY = {
    KnownBy.DECLARED: "declared",
    KnownBy.MEASURED: "measured here",
    KnownBy.VERIFIED: "verified by a trusted runner",
    KnownBy.ATTESTED: "from the system of record",
}


def role(name: str) -> str:
    """`ml-platform-engineer` as people say it: ML platform engineer."""
    return " ".join("ML" if part == "ml" else part for part in name.split("-"))


def number(value: float) -> str:
    """A figure with the digits that matter: four significant ones, thousands kept whole."""
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.1f}" if abs(value) >= 100 else f"{value:.4g}"


def value(item: Value) -> str:
    """A fact's value in words, without its unit."""
    match item:
        case Unknown(reason=reason):
            return f"not known ({reason})"
        case bool():
            return "yes" if item else "no"
        case int() | float():
            return number(item)
        case Interval(value=point, low=low, high=high):
            return f"{number(point)} (95 % interval {number(low)} to {number(high)})"
        case tuple():
            return ", ".join(item) if item else "none"
        case _:
            return str(item)
