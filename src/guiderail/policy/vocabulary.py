"""The facts that expressions may name: the catalogue, and what deciding itself computes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from guiderail.facts.catalogue import BY_NAME
from guiderail.facts.fact_type import FactType

TIER: Final = FactType(
    "tier", "enum", "", "the tier rules", "computed from the use before any track rule", "up", "no",
    "the risk of the use", ("low", "medium", "high"),
)  # fmt: skip
LIGHTER_DESIGN: Final = FactType(
    "lighter.design", "bool", "", "the decision", "computed by deciding again with other values",
    "none", "no", "another design would get a lighter track",
)  # fmt: skip

COMPUTED: Final[Mapping[str, FactType]] = {
    "tier": TIER,
    "evidence.weak": BY_NAME["evidence.weak"],
    "lighter.design": LIGHTER_DESIGN,
}
"""Facts that no provider gives and no facts file may state."""

BOUNDS: Final = ("low", "high")


def fact_type(name: str) -> FactType | None:
    """The type behind a name as expressions write it, bounds of intervals included."""
    known = COMPUTED.get(name) or BY_NAME.get(name)
    if known is not None:
        return known
    stem, _, bound = name.rpartition(".")
    interval = BY_NAME.get(stem)
    if bound in BOUNDS and interval is not None and interval.type == "interval":
        return interval
    return None


def base_name(name: str) -> str:
    """The fact behind a name: `change.flips` for `change.flips.low`."""
    found = fact_type(name)
    return found.name if found is not None else name


def value_names(fact: FactType) -> tuple[str, ...]:
    """Under which names an expression finds the fact: an interval answers to three."""
    if fact.type != "interval":
        return (fact.name,)
    return (fact.name, *(f"{fact.name}.{bound}" for bound in BOUNDS))


def did_you_mean(written: str, choices: Iterable[str]) -> str:
    """A hint that names the nearest choice, or an empty text when none is near."""
    import difflib  # only for people who mistype: the warm path does without

    near = difflib.get_close_matches(written, list(choices), n=1, cutoff=0.6)
    return f"Did you mean {near[0]}?" if near else ""


def nearest_fact(written: str) -> str:
    """What to do about a name that is no fact."""
    hint = did_you_mean(written, [*BY_NAME, *COMPUTED])
    return hint or "`guiderail facts` lists every fact."
