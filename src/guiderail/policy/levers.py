"""What may be otherwise about a release: for each fact the values that it could take instead.

By evidence: an unknown turns out, at its best where there is one; an approval, confirmation or
report is got; a measurement is made on more rows, so that its interval shrinks to the value that it
has; a fact that only somebody claims is measured. By design: also what the release itself is. What
the use *is* (`use.*`) is never changed here once it is known.

Possible values are numbered, and a set of them is a bit set: BASE is the present value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.core.interval import Interval
from guiderail.facts.fact import Value as FactValue
from guiderail.policy.boundaries import Boundaries, Box, Ways, beside
from guiderail.policy.readings import Readings
from guiderail.policy.support import Node
from guiderail_verify.evaluate import UNKNOWN, UnknownType, Value, Values
from guiderail_verify.judge import base_name

BASE: Final = 1
BETTER: Final = 2
"""The present value, known by a better source."""
NARROWED: Final = 4
"""The present value of an interval, whose bounds have come together on it."""
_FIRST: Final = 3
"""Bits from this place on are candidates of the pack's boundaries, then `beside` values."""


Weight = tuple[int, int, tuple[str, ...]]
"""Changes, changes of design, names: what is lighter is better."""


@dataclass(slots=True)
class Levers:
    """design: also what the release is may change. weak: facts below the wanted
    evidence, with the rank of `KNOWN_BY` that is wanted.

    parts: facts that count some of what another one counts, and that other one.
    evidence: the levers without `design`, which are the same for most facts.
    ways, complete: the ways that were found with these levers, and whether all of them.
    """

    boundaries: Boundaries
    types: Mapping[str, Mapping[str, Any]]
    readings: Readings
    design: bool
    weak: Mapping[str, int]
    parts: Mapping[str, str]
    evidence: Levers | None = None
    ways: Ways = field(default_factory=dict)
    complete: bool = True
    _evidence: dict[str, int] = field(default_factory=dict)
    _domains: dict[str, int] = field(default_factory=dict)
    _beside: dict[str, tuple[Value, ...]] = field(default_factory=dict)
    _own: dict[str, list[tuple[int, Mapping[str, Value]]]] = field(default_factory=dict)

    def is_known(self, name: str) -> bool:
        return self.readings.values.get(name, UNKNOWN) is not UNKNOWN

    def domain(self, name: str) -> int:
        """Every value that the fact may have, the present one included."""
        known = self._domains.get(name)
        if known is None:
            known = self._domains[name] = self._domain(name)
        return known

    def _domain(self, name: str) -> int:
        if self.evidence is not None and not self._by_design(name):
            domain = self.evidence.domain(name)
            self._beside[name] = self.evidence._beside[name]
            return domain
        if not self._may_change(name):
            self._beside[name] = ()
            return BASE | self.kept(name)
        partners = self.boundaries.compared_with(name)
        if any(self.is_known(one) for one in (name, *partners)):
            self._beside[name] = self._near(name)
            return BASE | self.kept(name) | self._others(name)
        self._beside[name] = ()
        domains = self.boundaries.open_domains
        if name not in domains:
            domains[name] = BASE | self._others(name)
        return domains[name]

    def ways_of(self, nodes: Sequence[Node]) -> Ways:
        """Where the ways to meet conditions are remembered: as long as they are the same."""
        reach, values = self.boundaries.reach, self.readings.values
        known = [name for node in nodes for name in reach(node)
                 if values.get(name, UNKNOWN) is not UNKNOWN]  # fmt: skip
        if not known:
            return self.boundaries.open_ways
        if self.evidence is None or not self.boundaries.designed.isdisjoint(known):
            return self.ways
        return self.evidence.ways

    def _by_design(self, name: str) -> bool:
        """Does a known fact change by another design, and not otherwise?"""
        return name in self.boundaries.designed and self.is_known(name)

    def by_evidence(self, name: str) -> int:
        """Those of `domain` that new evidence alone may bring about."""
        known = self._evidence.get(name)
        if known is None:
            free = not self.is_known(name) or self._changes_by(name) == "evidence"
            known = self.domain(name) if free else BASE | self.kept(name)
            self._evidence[name] = known
        return known

    def weigh(self, box: Box) -> Weight:
        """How much a box changes. A count that becomes 0 with another one does not count."""
        changed = self.changed(box)
        return len(changed), self.designed(changed, box), tuple(sorted(changed))

    def changed(self, box: Box) -> list[str]:
        """The facts that have to change for a box, without those that follow others."""
        changed = [name for name, mask in box.items() if not mask & BASE]
        if self.parts.keys().isdisjoint(changed):
            return changed
        return [name for name in changed if not self.follows(name, box)]

    def designed(self, changed: Sequence[str], box: Box) -> int:
        """How many of the changed facts evidence alone does not change."""
        if not self.design:
            return 0
        return sum([1 for name in changed if not box[name] & self.by_evidence(name)])

    def whole_of(self, name: str) -> str:
        """The fact of which this one counts a part; else the fact itself."""
        return self.parts.get(name, name)

    def kept(self, name: str) -> int:
        """The present value with better evidence for it."""
        better = BETTER if name in self.weak else 0
        fact = self.readings.facts.get(name)
        value = fact.value if fact is not None and self.is_known(name) else None
        wide = isinstance(value, Interval) and value.low < value.high
        return better | (NARROWED if wide else 0)

    def reading(self, name: str, bit: int) -> Mapping[str, Value]:
        """The fact under the names by which rules ask for it, at one of its possible values."""
        if bit in (BASE, BETTER):
            read = self.readings.values
            keys = (name, f"{name}.low", f"{name}.high")
            return {key: read.get(key, UNKNOWN) for key in keys if key in read or key == name}
        return self.boundaries.reading(name, self._value(name, bit))

    def value(self, name: str, bit: int) -> FactValue:
        """The value as a fact holds it."""
        if bit in (BASE, BETTER):
            return self.readings.facts[name].value
        value = self._value(name, bit)
        if isinstance(value, UnknownType):
            raise KeyError(f"{name} is unknown and has no such value")
        if self.types[name]["type"] == "interval" and isinstance(value, (int, float)):
            return Interval(float(value), float(value), float(value))
        return value

    def leaf_ways(
        self, leaf: Node, name: str, truth: bool, strict: bool, seen: Values
    ) -> list[Box]:
        """How a leaf about one fact is `truth`; not strict: how it may be. seen: present values."""
        domain = self.domain(name)
        found = BASE | BETTER if _suits(leaf.run(seen), truth, strict) else 0
        if domain != BASE:
            masks, count = self.boundaries.masks(leaf, name)
            found |= masks[strict][truth] << _FIRST
            for bit, values in self._own_readings(name, domain, count):
                if _suits(leaf.run(values), truth, strict):
                    found |= bit
            found &= domain
        elif found:
            return [{}]
        if not found:
            return []
        return [{}] if found == domain else [{name: found}]

    def _own_readings(
        self, name: str, domain: int, count: int
    ) -> Sequence[tuple[int, Mapping[str, Value]]]:
        """The values in the domain that are the release's own, no candidates of the pack.

        count: of those candidates.
        """
        known = self._own.get(name)
        if known is None:
            extra = domain >> (_FIRST + count) << (_FIRST + count) | domain & NARROWED
            known = self._own[name] = [(bit, self.reading(name, bit)) for bit in bits(extra)]
        return known

    def preferred(self, name: str, mask: int) -> int:
        """The value to name, of several that would do: one that is kept, else the nearest."""
        for bit in (BASE, BETTER, NARROWED):
            if mask & bit:
                return bit
        if not mask & (mask - 1):
            return mask
        if name in self.parts.values() and (none := mask & self.none_of(name)):
            return none
        origin = self.readings.values.get(name, UNKNOWN)
        choices = list(bits(mask))
        if self._descends(name):
            choices.reverse()
        zero = origin if isinstance(origin, (int, float)) else 0
        return min(choices, key=lambda bit: _distance(self._value(name, bit), zero))

    def none_of(self, name: str) -> int:
        """The value 0 of a count, where it may become that; no bit at all otherwise."""
        for bit in bits(self.domain(name) >> _FIRST << _FIRST):
            if self._value(name, bit) == 0:
                return bit
        return 0

    def follows(self, name: str, box: Box) -> bool:
        """Does the fact become 0 by itself, because a box makes what it is a part of 0?"""
        whole = self.parts.get(name)
        if whole is None or whole not in box or box[whole] & BASE:
            return False
        return bool(box[whole] & self.none_of(whole))

    def enough(self, name: str, mask: int) -> list[bool]:
        """For each candidate of the pack's boundaries: is it in the set?"""
        count = len(self.boundaries.candidates(name))
        return [bool(mask >> _FIRST + place & 1) for place in range(count)]

    def place(self, bit: int) -> int:
        """The place of a value among the candidates; beyond them for others."""
        return bit.bit_length() - 1 - _FIRST

    def _value(self, name: str, bit: int) -> Value:
        if bit == NARROWED:
            return self.readings.values[name]
        place = self.place(bit)
        candidates = self.boundaries.candidates(name)
        if place < len(candidates):
            return candidates[place]
        return self._beside[name][place - len(candidates)]

    def _near(self, name: str) -> tuple[Value, ...]:
        """Values near those of the facts with which this one is compared."""
        others = self.boundaries.compared_with(name)
        if not others or self.types[name]["type"] not in ("integer", "number", "interval"):
            return ()
        read = self.readings.values
        keys = [key for other in others for key in (other, f"{other}.low", f"{other}.high")]
        near = [value for key in keys for value in beside(read.get(key, UNKNOWN))]
        return tuple(dict.fromkeys(near))

    def _others(self, name: str) -> int:
        """Values other than the present one that the fact may take."""
        if not self._may_change(name):
            return 0
        values = (*self.boundaries.candidates(name), *self._beside[name])
        kind = self.types[name]
        if kind["type"] == "interval" and kind["risk_direction"] == "none":
            return (1 << len(values)) - 1 << _FIRST
        found = 0
        for place, value in enumerate(values):
            if self._may_be(name, value):
                found |= 1 << _FIRST + place
        return found

    def _may_change(self, name: str) -> bool:
        if name not in self.types:
            return False
        if not self.is_known(name):
            return True
        by = self._changes_by(name)
        return by == "evidence" or (self.design and self._by_design(name))

    def _changes_by(self, name: str) -> str:
        return str(self.types[name]["can_change"]) if name in self.types else "no"

    def _descends(self, name: str) -> bool:
        return name in self.types and self.types[name]["risk_direction"] == "down"

    def _may_be(self, name: str, value: Value) -> bool:
        """Another value than the present one, and not a riskier one. Unknowns: the safest alone."""
        kind, old = self.types[name], self.readings.values.get(name, UNKNOWN)
        up = kind["risk_direction"] == "up"
        scale = (False, True) if kind["type"] == "bool" else tuple(kind["values"])
        if kind["type"] != "interval" and value == old:
            return False
        if kind["risk_direction"] == "none":
            return True
        if scale:
            if old is UNKNOWN:
                return bool(value == scale[0 if up else -1])
            rank, before = scale.index(value), scale.index(old)
            return rank < before if up else rank > before
        if not isinstance(value, (int, float)) or not isinstance(old, (int, float)):
            return True
        return value <= old if up else value >= old


def bits(mask: int) -> list[int]:
    """The single bits of a bit set, the lowest first."""
    found = []
    while mask:
        lowest = mask & -mask
        found.append(lowest)
        mask ^= lowest
    return found


def _suits(truth: object, wanted: bool, strict: bool) -> bool:
    return truth is wanted if strict else truth is not (not wanted)


def _distance(value: Value, zero: float) -> float:
    return abs(value - zero) if isinstance(value, (int, float)) else 0.0


def paired(leaf: Node, types: Mapping[str, object]) -> tuple[str, str]:
    """The facts on the left and on the right of a leaf that compares two."""
    left, right = leaf.tree["left"]["fact"], leaf.tree["right"]["fact"]
    return base_name(left, types), base_name(right, types)
