"""Copies of the model pack with one thing changed, compiled as the original is."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from guiderail.policy import Pack, load_pack
from guiderail.policy.check_types import compile_text
from guiderail.policy.pack import make_pack
from guiderail.policy.proofs.properties import PROPERTIES
from guiderail.policy.proofs.prove import Proof, Proved, prove_pack

MODEL = load_pack("model")
Tree = dict[str, Any]


def part(tree: Tree, section: str, name: str, level: int = 0) -> Tree:
    found: Tree = next(
        each for each in tree[section] if each["id"] == name and each.get("level", 0) == level
    )
    return found


def planted(change: Callable[[Tree], object]) -> Pack:
    """The model pack after a change of its compiled tree."""
    tree = copy.deepcopy(dict(MODEL.tree))
    change(tree)
    return make_pack(tree, MODEL.texts)


def with_condition(section: str, name: str, key: str, text: str, level: int = 0) -> Pack:
    """The model pack with another condition in one rule or gate."""
    return planted(lambda tree: part(tree, section, name, level).update({key: compile_text(text)}))


def prove_one(pack: Pack, name: str, *, solver: bool = True) -> Proved:
    """The result for one property of a pack with one kind and one day."""
    only = [each for each in PROPERTIES if each.name == name]
    return of(prove_pack(pack, solver=solver, properties=only), name)


def of(proof: Proof, name: str) -> Proved:
    """The result for one property of a pack with one kind and one day."""
    (found,) = [each for each in proof.properties if each.name == name]
    return found


def refuted(pack: Pack, name: str, *, solver: bool = True) -> list[str]:
    """What a property is refuted about."""
    return [violation.about for violation in prove_one(pack, name, solver=solver).violations]
