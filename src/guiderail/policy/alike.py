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
from guiderail_verify.evaluate import UNKNOWN, Truth, compile_expression, fact_names
from guiderail_verify.judge import Rulebook, base_name

_CONDITIONS: Final = ("when", "applies_when", "pass_when", "fail_when")
_SMALLEST, _LARGEST = float("-inf"), float("inf")
_MOST_SEEN: Final = 4096
"""Numbers of one fact whose place is kept, as they are written."""

_MEASURED: Final = ("integer", "number", "interval")
_SCALARS: Final = (bool, str)
_ABSENT: Final[Mapping[str, Any]] = {"value": None, "known_by": None}
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
        names = {base_name(name, types) for tree in conditions for name in fact_names(tree)}
        read = sorted(names & types.keys())
        self._plain = [name for name in read if types[name]["type"] not in _MEASURED]
        self._numbers = [name for name in read if types[name]["type"] in ("integer", "number")]
        self._scales: list[tuple[Convert, Sequence[float], dict[str, int]]] = [
            (converter(types[name]), numbers.get(name, ()), {}) for name in self._numbers
        ]
        self._intervals = [
            (name, numbers.get(name, ())) for name in read if types[name]["type"] == "interval"
        ]
        self._graded = sorted(
            {name for book in books for facts in book.minimum for name, least in facts if least}
        )
        pairs = [leaf for leaf in leaves_of(conditions) if _compares_facts(leaf)]
        self._pairs = [compile_expression(leaf) for leaf in pairs]
        paired = {base_name(name, types) for leaf in pairs for name in fact_names(leaf)}
        self._paired = Reader({name: types[name] for name in paired & types.keys()})

    def of(self, facts: Mapping[str, Any]) -> Hashable:
        """Equal for releases that get equal judgements.

        Raises ValueError, TypeError or KeyError for facts that no decision would have stored.
        """
        row_of = facts.get
        plain = [row_of(name, _ABSENT)["value"] for name in self._plain]
        measured = [row_of(name, _ABSENT)["value"] for name in self._numbers]
        return (
            # Unknown is an object, a set is a list, everything else stands for itself.
            *[value if value.__class__ in _SCALARS else _other(value) for value in plain],
            *[
                _seen(value, scale) if value.__class__ is dict else None
                for value, scale in zip(measured, self._scales, strict=True)
            ],
            *[_span(row_of(name, _ABSENT)["value"], name, at) for name, at in self._intervals],
            *[row_of(name, _ABSENT)["known_by"] for name in self._graded],
            *self._compared(facts),
        )

    def _compared(self, facts: Mapping[str, Any]) -> list[Truth]:
        """The truths of conditions that compare two facts."""
        if not self._pairs:
            return []
        values, _ = self._paired.read(facts)
        return [pair(values) for pair in self._pairs]


def _other(value: Any) -> Hashable:
    return tuple(value) if value.__class__ is list else None


def _seen(value: Any, scale: tuple[Convert, Sequence[float], dict[str, int]]) -> int | None:
    """The place of a stored number; those that are written alike are looked up."""
    text = value.get("number")
    if text is None:
        return None
    convert, limits, seen = scale
    place = seen.get(text)
    if place is None:
        known = convert(value)
        place = -1 if known is UNKNOWN else _place(known, limits)
        if len(seen) < _MOST_SEEN:
            seen[text] = place
    return place


def _span(value: Any, name: str, limits: Sequence[float]) -> Hashable:
    if value.__class__ is not dict or "low" not in value:
        return None
    low, point, high = float(value["low"]), float(value["value"]), float(value["high"])
    if not _SMALLEST < low <= point <= high < _LARGEST:
        raise ValueError(f"{name} is not an interval")
    return _place(low, limits), _place(point, limits), _place(high, limits)


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
