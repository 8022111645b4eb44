"""Compiled conditions over facts of every type, and releases to decide them on, at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from hypothesis import strategies as st

from guiderail.core.interval import Interval
from guiderail.policy.proofs.release import Types, Value
from guiderail_verify.evaluate import fact_names
from guiderail_verify.judge import base_name

Tree = dict[str, Any]

SIZES: Final = ["small", "medium", "large"]
COLOURS: Final = ["red", "green", "blue"]
TEXTS: Final = ["a", "b"]


def fact(kind: str, values: list[str] | None = None, direction: str = "none") -> Mapping[str, Any]:
    return {"type": kind, "unit": "", "risk_direction": direction, "can_change": "design",
            "values": values or []}  # fmt: skip


TYPES: Final[Types] = {
    "yes": fact("bool", direction="up"),
    "no": fact("bool", direction="down"),
    "size": fact("enum", SIZES, "up"),
    "limit_size": fact("enum", SIZES, "up"),
    "colour": fact("enum", COLOURS),
    "count": fact("integer", direction="up"),
    "other_count": fact("integer"),
    "share": fact("number", direction="up"),
    "other_share": fact("number"),
    "spread": fact("interval", direction="up"),
    "label": fact("text"),
    "other_label": fact("text"),
    "columns": fact("set"),
}
NUMBERS: Final = ["-5", "0", "0.1", "0.8", "1", "2.5", "15"]
POINTS: Final = st.sampled_from(
    [-6.0, -5.0, -1.5, 0.0, 0.1, 0.5, 0.8, 1.0, 1.7, 2.5, 14.9, 15.0, 16.0]
)
SIGNS: Final = ["==", "!=", "<", "<=", ">", ">="]


def _fact(name: str) -> Tree:
    return {"fact": name}


def _compared(
    names: list[str], right: st.SearchStrategy[Tree], **more: Any
) -> st.SearchStrategy[Tree]:
    return st.builds(
        lambda sign, left, other: {"compare": sign, "left": left, "right": other, **more},
        st.sampled_from(SIGNS), st.sampled_from(names).map(_fact), right,
    )  # fmt: skip


def _literals(key: str, values: list[Any]) -> st.SearchStrategy[Tree]:
    return st.sampled_from(values).map(lambda value: {key: value})


def _equal(names: list[str], right: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    return _compared(names, right).map(
        lambda tree: {**tree, "compare": "==" if tree["compare"] in ("==", "<", "<=") else "!="}
    )


def _in(name: str, key: str, values: list[Any]) -> st.SearchStrategy[Tree]:
    items = st.lists(_literals(key, values), min_size=1, max_size=2)
    return items.map(lambda chosen: {"in": _fact(name), "items": chosen})


SHARES: Final = ["share", "other_share", "spread", "spread.low", "spread.high"]
LEAVES: Final = st.one_of(
    st.sampled_from([_fact("yes"), _fact("no"), {"bool": True}, {"bool": False}]),
    _equal(["yes"], _literals("bool", [True, False])),
    _equal(["yes"], st.just(_fact("no"))),
    _compared(["size", "limit_size"], _literals("text", SIZES), order=SIZES),
    _compared(["size"], st.just(_fact("limit_size")), order=SIZES),
    _equal(["colour"], _literals("text", COLOURS)),
    _in("colour", "text", COLOURS),
    _compared(["count", "other_count"], _literals("number", ["0", "1", "3"])),
    _compared(["count"], st.just(_fact("other_count"))),
    _in("count", "number", ["0", "2"]),
    _compared(SHARES, _literals("number", NUMBERS)),
    _compared(["spread.high", "spread", "share"], st.just(_fact("other_share"))),
    _equal(["label"], _literals("text", TEXTS)),
    _equal(["label"], st.just(_fact("other_label"))),
    _in("other_label", "text", TEXTS),
    st.sampled_from(["email", "phone"]).map(lambda item: {"has": _fact("columns"), "item": item}),
)  # fmt: skip


def _joined(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    parts = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        parts.map(lambda trees: {"all": trees}),
        parts.map(lambda trees: {"any": trees}),
        inner.map(lambda tree: {"not": tree}),
    )


TREES: Final = st.recursive(LEAVES, _joined, max_leaves=8)


def _value(kind: Mapping[str, Any]) -> st.SearchStrategy[Value]:
    match kind["type"]:
        case "bool":
            return st.booleans()
        case "enum":
            return st.sampled_from(kind["values"])
        case "integer":
            return st.integers(0, 4)
        case "number":
            return POINTS
        case "interval":
            three = st.lists(POINTS, min_size=3, max_size=3).map(sorted)
            return three.map(lambda found: Interval(found[1], found[0], found[2]))
        case "set":
            return st.sampled_from([(), ("email",), ("email", "phone")])
    return st.sampled_from([*TEXTS, "c"])


FACTS: Final = st.fixed_dictionaries(
    {name: st.one_of(st.none(), _value(kind), _value(kind)) for name, kind in TYPES.items()}
).map(lambda facts: {name: value for name, value in facts.items() if value is not None})
"""Values by fact; a fact that is missing is unknown."""


def releases_of(tree: Tree, facts: Mapping[str, Value]) -> list[dict[str, Value]]:
    """The facts as they are, then without each one that the tree asks for: unknown in turn."""
    asked = sorted({base_name(name, TYPES) for name in fact_names(tree)} & facts.keys())
    return [dict(facts), *({key: v for key, v in facts.items() if key != name} for name in asked)]
