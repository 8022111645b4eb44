"""What a pack says must hold, and what it excepts from proofs, to the compiled tree.

Both add up over the packs that extend one another: an organisation's pack can promise more, and
cannot take back what the extended pack promises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.policy.check_types import Tree, compile_text
from guiderail.policy.pack_files import Invariant
from guiderail.policy.pack_reader import PackSources
from guiderail.policy.parse import ExpressionError
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import Vocabulary
from guiderail_verify.evaluate import fact_names

_NEVER: Tree = {"bool": False}


def compile_invariants(
    packs: Sequence[PackSources],
    kinds: Sequence[str],
    limits: Mapping[str, float],
    vocabulary: Vocabulary,
    problems: list[Problem],
) -> tuple[list[Any], dict[str, str]]:
    """The invariants of all packs, and what each says by its id. kinds: of the whole pack."""
    trees: list[Any] = []
    says: dict[str, str] = {}
    for pack in packs:
        for index, invariant in enumerate(pack.pack.invariants):
            if invariant.id in says:
                place = pack.document.value_place(("invariants", index, "id"))
                problems.append(Problem(place, f"The invariant {invariant.id} is stated twice.",
                                        "Give each a name of its own."))  # fmt: skip
                continue
            says[invariant.id] = invariant.says
            trees.append({
                "id": invariant.id,
                "kinds": list(invariant.kinds or kinds),
                "when": _condition(pack, index, invariant, limits, vocabulary, problems),
                "never_lighter_than": invariant.never_lighter_than,
            })  # fmt: skip
    return trees, says


def _condition(
    pack: PackSources,
    index: int,
    invariant: Invariant,
    limits: Mapping[str, float],
    vocabulary: Vocabulary,
    problems: list[Problem],
) -> Tree:
    path = ("invariants", index, "when")
    try:
        tree = compile_text(invariant.when, vocabulary, limits)
    except ExpressionError as error:
        problems += [
            Problem(pack.document.inside(path, mistake.at), mistake.message, mistake.hint)
            for mistake in error.mistakes
        ]
        return dict(_NEVER)
    if "lighter.design" in fact_names(tree):
        place = pack.document.inside(path, invariant.when.find("lighter.design"))
        problems.append(Problem(place, "lighter.design is not known yet where this is decided.",
                                "Ask for the facts behind it."))  # fmt: skip
    return tree


def exceptions_of(packs: Sequence[PackSources]) -> dict[str, dict[str, str]]:
    """By property the facts and rules that the packs except, each with its reason."""
    found: dict[str, dict[str, str]] = {}
    for pack in packs:
        for name, reasons in pack.pack.proof_exceptions.items():
            found[name] = {**reasons, **found.get(name, {})}
    return {name: dict(sorted(reasons.items())) for name, reasons in sorted(found.items())}
