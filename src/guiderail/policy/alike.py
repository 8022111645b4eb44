"""Decisions that no condition of some packs can tell apart, found without deciding.

Rules compare facts with fixed limits. Two releases whose facts lie at the same places among those
limits get the same decision, so it is enough to decide about one of them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

from guiderail.policy.diff.regions import leaves_of, limits_of
from guiderail.policy.stored_readings import Convert, Reader, converter
from guiderail_verify.evaluate import UNKNOWN, compile_expression, fact_names
from guiderail_verify.judge import Rulebook, base_name

_CONDITIONS: Final = ("when", "applies_when", "pass_when", "fail_when")
_SMALLEST, _LARGEST = float("-inf"), float("inf")
_MOST_SEEN: Final = 4096
"""Numbers of one fact whose place is kept, as they are written."""

_COMPUTED: Final = frozenset({"tier", "evidence.weak"})


class Places:
    """Where the facts of a release lie among the limits of some packs.

    trees: the compiled packs. books: their rules in force. types: fact types of all of them.
    """

    def __init__(
        self,
        trees: Sequence[Mapping[str, Any]],
        books: Sequence[Rulebook],
        types: Mapping[str, Mapping[str, Any]],
    ) -> None:
        conditions = list(_conditions(trees))
        numbers = limits_of(conditions, types).numbers
        wanted = {
            name for book in books for facts in book.minimum for name, least in facts if least
        }
        self._plain: list[tuple[str, bool]] = []
        self._numbers: list[tuple[str, bool, Convert, Sequence[float], dict[str, int]]] = []
        self._intervals: list[tuple[str, bool, Sequence[float]]] = []
        for name, kind in types.items():
            graded, limits = name in wanted, numbers.get(name, ())
            match kind["type"]:
                case "interval":
                    self._intervals.append((name, graded, limits))
                case "integer" | "number":
                    self._numbers.append((name, graded, converter(kind), limits, {}))
                case _:
                    self._plain.append((name, graded))
        pairs = [leaf for leaf in leaves_of(conditions) if _compares_facts(leaf)]
        self._pairs = [compile_expression(leaf) for leaf in pairs]
        paired = {base_name(name, types) for leaf in pairs for name in fact_names(leaf)}
        self._paired = Reader({name: types[name] for name in paired & types.keys()})

    def of(self, facts: Mapping[str, Any]) -> Hashable:
        """Equal for releases that get equal judgements. Raises like `Reader.read`."""
        found: list[Hashable] = []
        add, row_of = found.append, facts.get
        for name, graded in self._plain:
            row = row_of(name)
            value = None if row is None else row["value"]
            if row is None or value.__class__ is dict:
                add(None)  # unknown
                continue
            add(value if value.__class__ is not list else tuple(value))
            if graded:
                add(row["known_by"])
        for name, graded, convert, limits, seen in self._numbers:
            row = row_of(name)
            value = None if row is None else row["value"]
            text = value.get("number") if value.__class__ is dict else None
            if row is None or text is None:
                add(None)
                continue
            place = seen.get(text)
            if place is None:
                known = convert(value)
                place = -1 if known is UNKNOWN else _place(known, limits)
                if len(seen) < _MOST_SEEN:
                    seen[text] = place
            add(place)
            if graded:
                add(row["known_by"])
        for name, graded, limits in self._intervals:
            row = row_of(name)
            value = None if row is None else row["value"]
            if row is None or value.__class__ is not dict or "low" not in value:
                add(None)
                continue
            point, low, high = float(value["value"]), float(value["low"]), float(value["high"])
            if not _SMALLEST < low <= point <= high < _LARGEST:
                raise ValueError(f"{name} is not an interval")
            add((_place(low, limits), _place(point, limits), _place(high, limits)))
            if graded:
                add(row["known_by"])
        if self._pairs:
            values, _ = self._paired.read(facts)
            for pair in self._pairs:
                add(pair(values))
        return tuple(found)


def _place(value: float, limits: Sequence[float]) -> int:
    """The number of the limit or stretch between limits in which a value lies."""
    index = bisect_left(limits, value)
    return 2 * index + (index < len(limits) and limits[index] == value)


def _conditions(trees: Sequence[Mapping[str, Any]]) -> Iterable[Mapping[str, Any]]:
    for tree in trees:
        for section in ("tiers", "tracks", "gates"):
            for part in tree[section]:
                yield from (part[key] for key in _CONDITIONS if part.get(key) is not None)


def _compares_facts(leaf: Mapping[str, Any]) -> bool:
    return len(fact_names(leaf) - _COMPUTED) > 1
