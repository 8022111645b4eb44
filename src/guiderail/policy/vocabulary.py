"""The facts that a pack may name: the catalogue, what deciding computes, and facts of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Every fact that one pack may name. own: the facts that the organisation's packs add."""

    own: Mapping[str, FactType] = field(default_factory=dict)
    _known: dict[str, FactType | None] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def named(self, name: str) -> FactType | None:
        """The fact with exactly this name."""
        return COMPUTED.get(name) or BY_NAME.get(name) or self.own.get(name)

    def fact_type(self, name: str) -> FactType | None:
        """The type behind a name as expressions write it, bounds of intervals included."""
        if name not in self._known:
            self._known[name] = self._fact_type(name)
        return self._known[name]

    def _fact_type(self, name: str) -> FactType | None:
        known = self.named(name)
        if known is not None:
            return known
        stem, _, bound = name.rpartition(".")
        interval = self.named(stem)
        if bound in BOUNDS and interval is not None and interval.type == "interval":
            return interval
        return None

    def base_name(self, name: str) -> str:
        """The fact behind a name: `change.flips` for `change.flips.low`."""
        found = self.fact_type(name)
        return found.name if found is not None else name

    def measurable(self) -> Iterator[FactType]:
        """Every fact that a facts file may state: the catalogue, then the pack's own."""
        for fact in (*BY_NAME.values(), *self.own.values()):
            if fact.name not in COMPUTED:
                yield fact

    def nearest(self, written: str) -> str:
        """What to do about a name that is no fact."""
        hint = did_you_mean(written, [*BY_NAME, *COMPUTED, *self.own])
        return hint or "`guiderail facts` lists every fact."


CATALOGUE_ONLY: Final = Vocabulary()
"""The vocabulary of packs without facts of their own."""


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
