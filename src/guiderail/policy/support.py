"""Which facts carry the truth of an expression: what a reason quotes, and what is still needed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guiderail_verify.evaluate import (
    UNKNOWN,
    Expression,
    Truth,
    Values,
    compile_expression,
    fact_names,
)
from guiderail_verify.judge import base_name


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression. joint: `all`, `any`, `not`, or empty for a leaf.

    names: every fact in it, in the order of the alphabet. simple: the facts of parts that are all
    leaves, in the order in which they are written; empty otherwise.
    """

    joint: str
    parts: tuple[Node, ...]
    run: Expression
    names: tuple[str, ...]
    tree: Mapping[str, Any]
    simple: tuple[str, ...] = ()


def node(tree: Mapping[str, Any], types: Mapping[str, object]) -> Node:
    """The parts of a compiled expression, each ready to be evaluated alone.

    types: the fact types of the pack, which tell a bound of an interval from a fact.
    """
    names = tuple(sorted({base_name(name, types) for name in fact_names(tree)}))
    for joint in ("all", "any"):
        if joint in tree:
            parts = tuple(node(part, types) for part in tree[joint])
            flat = [name for part in parts for name in part.names]
            simple = () if any(part.parts for part in parts) else tuple(dict.fromkeys(flat))
            return Node(joint, parts, compile_expression(tree), names, tree, simple)
    if "not" in tree:
        return Node("not", (node(tree["not"], types),), compile_expression(tree), names, tree)
    return Node("", (), compile_expression(tree), names, tree)


def sure_carriers(root: Node, truth: bool) -> tuple[str, ...] | None:
    """What `carriers` gives whenever an expression has this truth; None where values matter."""
    if not root.parts:
        return root.names
    if root.joint != "not" and truth is not (root.joint == "all"):
        return None
    inner = truth is not (root.joint == "not")
    found = [sure_carriers(part, inner) for part in root.parts]
    names = [names for names in found if names is not None]
    if len(names) < len(found):
        return None
    return tuple(dict.fromkeys(name for part in names for name in part))


def carriers(root: Node, values: Values) -> tuple[str, ...]:
    """The facts that make the expression what it is, in the order in which they are written.

    For a true `&&` all parts, for a true `||` its true parts, for an unknown one its unknown parts.
    """
    if not root.parts:
        return root.names
    truth = root.run(values)
    if root.simple and truth is (root.joint == "all"):
        return root.simple
    found: dict[str, None] = {}
    _collect(root, truth, values, found)
    return tuple(found)


def _collect(root: Node, truth: Truth, values: Values, found: dict[str, None]) -> None:
    """Add the carriers of an expression with this truth."""
    if not root.parts:
        for name in root.names:
            found[name] = None
    elif root.joint == "not":
        opposite = truth if truth is UNKNOWN else truth is False
        _collect(root.parts[0], opposite, values, found)
    elif truth is (root.joint == "all"):  # then every part has this truth
        for part in root.parts:
            _collect(part, truth, values, found)
    else:
        for part in root.parts:
            if part.run(values) is truth:
                _collect(part, truth, values, found)


def unknown_carriers(root: Node, values: Values) -> tuple[str, ...]:
    """The unknown facts that keep an expression from being known; none when it is known."""
    if root.run(values) is not UNKNOWN:
        return ()
    found: dict[str, None] = {}
    _collect(root, UNKNOWN, values, found)
    return tuple([name for name in found if values.get(name, UNKNOWN) is UNKNOWN])
