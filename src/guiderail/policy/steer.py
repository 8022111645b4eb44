"""Which values would make an expression true or false: found at the boundaries in its tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from guiderail.policy.support import Node
from guiderail_verify.evaluate import UNKNOWN, Value
from guiderail_verify.judge import base_name

Change = dict[str, Value]
_STEP: Final = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Levers:
    """Which facts may take another value. by: `evidence`, or `design` (which includes evidence)."""

    types: Mapping[str, Mapping[str, Any]]
    read: Mapping[str, Value]
    by: str

    def may_change(self, name: str) -> bool:
        """An unknown may turn out; a known one changes by evidence, or by a design not of use."""
        if name == "evidence.weak":
            return True
        kind = self.types.get(name)
        if kind is None:
            return False
        if self.read.get(name, UNKNOWN) is UNKNOWN or kind["can_change"] == "evidence":
            return True
        return (
            self.by == "design" and kind["can_change"] == "design" and not name.startswith("use.")
        )

    def no_worse(self, name: str, value: Value) -> bool:
        """Is the value at most as risky as the present one? An unknown turns out at its best."""
        kind = self.types.get(name)
        if kind is None or kind["risk_direction"] == "none":
            return True
        old, up = self.read.get(name, UNKNOWN), kind["risk_direction"] == "up"
        scale = _scale(kind)
        if scale is not None:
            best = scale[0] if up else scale[-1]
            if old is UNKNOWN:
                return value == best
            rank, before = scale.index(value), scale.index(old)
            return rank <= before if up else rank >= before
        if not isinstance(value, int | float) or not isinstance(old, int | float):
            return True
        return value <= old if up else value >= old


def _scale(kind: Mapping[str, Any]) -> tuple[Value, ...] | None:
    """The values of a fact in their order, for truths and enums."""
    if kind["type"] == "bool":
        return (False, True)
    return tuple(kind["values"]) if kind["type"] == "enum" else None


def steer(node: Node, want: bool, values: Mapping[str, Value], levers: Levers) -> Change | None:
    """Changes after which the expression is `want`; None where the levers do not reach."""
    if node.run(values) is want:
        return {}
    if node.joint == "not":
        return steer(node.parts[0], not want, values, levers)
    if not node.parts:
        return _turn(node, want, values, levers)
    if (node.joint == "all") is want:
        return _every(node, want, values, levers)
    ways = [steer(part, want, values, levers) for part in node.parts]
    reached = [way for way in ways if way is not None]
    return min(reached, key=lambda way: _facts_in(way, levers), default=None)


def _facts_in(change: Change, levers: Levers) -> int:
    return len({base_name(name, levers.types) for name in change})


def _every(node: Node, want: bool, values: Mapping[str, Value], levers: Levers) -> Change | None:
    """All parts, one after the other; a later part must not undo an earlier one."""
    changes: Change = {}
    for part in node.parts:
        found = steer(part, want, {**values, **changes}, levers)
        if found is None:
            return None
        changes |= found
    return changes if node.run({**values, **changes}) is want else None


def _turn(leaf: Node, want: bool, values: Mapping[str, Value], levers: Levers) -> Change | None:
    free = [name for name in leaf.names if levers.may_change(name)]
    for name in free:
        for candidate in _candidates(leaf, name, values, levers.types):
            change = _assignment(name, candidate, levers.types)
            if leaf.run({**values, **change}) is want and levers.no_worse(name, candidate):
                return change
    if len(free) == len(leaf.names) == 2:
        return _turn_both(leaf, want, values, levers)
    return None


def _turn_both(
    leaf: Node, want: bool, values: Mapping[str, Value], levers: Levers
) -> Change | None:
    """Two facts that are compared with each other and are both open."""
    first, second = leaf.names
    for a, b in ((0, 0), (0, 1), (1, 0)):
        change = _assignment(first, a, levers.types) | _assignment(second, b, levers.types)
        if leaf.run({**values, **change}) is want:
            return change
    return None


def _assignment(name: str, value: Value, types: Mapping[str, Mapping[str, Any]]) -> Change:
    if name in types and types[name]["type"] == "interval":
        return {name: value, f"{name}.low": value, f"{name}.high": value}
    return {name: value}


def _candidates(
    leaf: Node, name: str, values: Mapping[str, Value], types: Mapping[str, Mapping[str, Any]]
) -> Iterator[Value]:
    kind = types[name]["type"] if name in types else "bool"
    if kind == "bool":
        yield from (False, True)
    elif kind == "enum":
        yield from types[name]["values"]
    elif kind in ("integer", "number", "interval"):
        yield from _numbers(leaf.tree, name, values, kind == "integer", types)
    elif kind == "set":
        yield ()


def _numbers(
    tree: Mapping[str, Any], name: str, values: Mapping[str, Value], whole: bool,
    types: Mapping[str, Mapping[str, Any]],
) -> Iterator[Value]:  # fmt: skip
    """Zero first, then the limit itself and the nearest values on both sides of it."""
    yield 0
    for side in ("left", "right"):
        operand = tree.get(side)
        if not isinstance(operand, Mapping):
            continue
        if "number" in operand:
            limit = Decimal(operand["number"])
        else:
            other = values.get(str(operand.get("fact")), UNKNOWN)
            if base_name(str(operand.get("fact")), types) == name or isinstance(other, bool):
                continue
            if not isinstance(other, int | float):
                continue
            limit = Decimal(str(other))
        step = Decimal(1) if whole else _STEP
        for value in (limit, limit - step, limit + step):
            if not whole:
                yield float(value)
            elif value >= 0:  # whole numbers are counts
                yield int(value)
