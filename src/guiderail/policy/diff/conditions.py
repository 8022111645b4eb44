"""Where two sets of conditions differ: exact, by trying facts and stopping where both agree.

Conditions of the old and the new policy become formulas over shared leaves. Facts get their values
one group after the other; what is left of each formula is simplified (Kleene's strong logic), and
as soon as nothing is left that could differ the whole branch is done. The search is complete unless
it says that it ran out of steps.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from guiderail.policy.diff.regions import (
    MOST_TRIES,
    Limits,
    Setting,
    TooManyError,
    Try,
    limits_of,
    spread,
    tries,
)
from guiderail_verify.evaluate import (
    UNKNOWN,
    Expression,
    Truth,
    UnknownType,
    compile_expression,
    fact_names,
)
from guiderail_verify.judge import base_name

MOST_STEPS: Final = 30_000
MOST_OPTIONS: Final = 4_000
"""Kinds of values of one group of facts that the conditions tell apart."""

Formula = Truth | tuple[str, Any]
"""A truth, `("leaf", index)`, `("not", formula)`, or `("all" | "any", set of formulas)`."""

Label = Callable[[Sequence[Truth]], object]
"""What conditions with these truths come to, for example a verdict; equal labels are no change."""


@dataclass(frozen=True, slots=True)
class Side:
    """The conditions of one policy and what they come to. An empty side never counts.

    label_key: equal keys and equal conditions mean equal labels.
    """

    trees: tuple[Mapping[str, Any], ...]
    label: Label
    label_key: object


@dataclass(frozen=True, slots=True)
class Found:
    """Facts under which the two sides come to different things."""

    setting: Setting
    old: object
    new: object


def known_leaf(name: str) -> dict[str, Any]:
    """A condition of its own for this search: is the fact known?"""
    return {"known": True, "left": {"fact": name}}


@dataclass(slots=True)
class Search:
    """Looks for settings in which two sides differ. `exhausted`: it ran out of steps."""

    old: Side
    new: Side
    types: Mapping[str, Any]
    calm: Setting
    steps: int = MOST_STEPS
    exhausted: bool = False
    _leaves: list[tuple[frozenset[str], Expression]] = field(default_factory=list)
    _index: dict[str, int] = field(default_factory=dict)
    _options: dict[tuple[str, ...], list[tuple[Setting, dict[int, Truth]]]] = field(
        default_factory=dict
    )

    def run(self) -> Iterator[Found]:
        """Differences, those nearest to the calm release first.

        Raises TooManyError where a single group of facts has too many combinations.
        """
        trees = (*self.old.trees, *self.new.trees)
        limits = limits_of(trees, self.types)
        old = tuple(self._formula(tree) for tree in self.old.trees)
        new = tuple(self._formula(tree) for tree in self.new.trees)
        self._prepare(limits)
        order = self._order(old, new)
        yield from self._branch(old, new, order, {})

    def _formula(self, tree: Mapping[str, Any]) -> Formula:
        for joint in ("all", "any"):
            if joint in tree:
                return _joined(joint, [self._formula(part) for part in tree[joint]])
        if "not" in tree:
            return _negated(self._formula(tree["not"]))
        if set(tree) == {"bool"}:
            return bool(tree["bool"])
        key = json.dumps(tree, sort_keys=True)
        index = self._index.get(key)
        if index is None:
            index = self._index[key] = len(self._leaves)
            names = frozenset(base_name(name, self.types) for name in fact_names(tree))
            self._leaves.append((names, runnable(tree)))
        return ("leaf", index)

    def _prepare(self, limits: Limits) -> None:
        """For each group of facts one setting per distinguishable combination of truths."""
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, (names, _) in enumerate(self._leaves):
            groups.setdefault(limits.group(min(names)), []).append(index)
        for group, leaves in sorted(groups.items()):
            self._options[group] = self._distinct(group, leaves, limits)

    def _distinct(
        self, group: tuple[str, ...], leaves: Sequence[int], limits: Limits
    ) -> list[tuple[Setting, dict[int, Truth]]]:
        choices = [self._calm_first(name, tries(name, self.types, limits)) for name in group]
        count = 1
        for choice in choices:
            count *= len(choice)
        if count > MOST_TRIES:
            raise TooManyError(f"{', '.join(group)} have {count:,} combinations to try")
        seen: dict[tuple[Truth, ...], Setting] = {}
        for chosen in itertools.product(*choices):
            setting = dict(zip(group, chosen, strict=True))
            values = {
                k: v for name, value in setting.items() for k, v in spread(name, value).items()
            }
            truths = tuple([self._leaves[leaf][1](values) for leaf in leaves])
            if truths not in seen:
                seen[truths] = setting
                if len(seen) > MOST_OPTIONS:
                    raise TooManyError(f"{', '.join(group)} have too many combinations to try")
        return [
            (setting, dict(zip(leaves, truths, strict=True))) for truths, setting in seen.items()
        ]

    def _calm_first(self, name: str, values: Sequence[Try]) -> Sequence[Try]:
        calm = self.calm.get(name)
        if calm is None:
            return values
        return (
            calm,
            *(value for value in values if value != calm or type(value) is not type(calm)),
        )

    def _order(self, old: tuple[Formula, ...], new: tuple[Formula, ...]) -> list[tuple[str, ...]]:
        """Groups with leaves that only one side has come first: elsewhere both often agree."""
        in_old, in_new = _leaves_in(old), _leaves_in(new)
        changed = in_old ^ in_new
        weight = {
            group: (not any(leaf in changed for leaf in options[0][1]), group)
            for group, options in self._options.items()
        }
        return sorted(self._options, key=lambda group: weight[group])

    def _branch(
        self,
        old: tuple[Formula, ...],
        new: tuple[Formula, ...],
        order: Sequence[tuple[str, ...]],
        chosen: dict[str, Try],
    ) -> Iterator[Found]:
        if old == new and self.old.label_key == self.new.label_key:
            return
        if self.steps <= 0:
            self.exhausted = True
            return
        self.steps -= 1
        truths_old, truths_new = _truths(old), _truths(new)
        if truths_old is not None and truths_new is not None:
            before, after = self.old.label(truths_old), self.new.label(truths_new)
            if before != after:
                yield Found(dict(chosen), before, after)
            return
        live = _leaves_in((*old, *new))
        at = next(i for i, group in enumerate(order) if live & self._options[group][0][1].keys())
        rest = [*order[:at], *order[at + 1 :]]
        for setting, truths in self._options[order[at]]:
            memo: dict[Formula, Formula] = {}
            left = tuple([_assigned(formula, truths, memo) for formula in old])
            right = tuple([_assigned(formula, truths, memo) for formula in new])
            yield from self._branch(left, right, rest, {**chosen, **setting})
            if self.exhausted:
                return


def runnable(tree: Mapping[str, Any]) -> Expression:
    """An expression tree, a `known_leaf`, or `all` of some, as a function."""
    if "known" in tree:
        name = tree["left"]["fact"]
        return lambda values: values[name] is not UNKNOWN
    if any("known" in part for part in tree.get("all", ())):
        parts = [runnable(part) for part in tree["all"]]
        return lambda values: all(part(values) is True for part in parts)
    return compile_expression(tree)


def _truths(formulas: tuple[Formula, ...]) -> list[Truth] | None:
    """The formulas as truths; None while one of them still depends on a fact."""
    found = [formula for formula in formulas if not isinstance(formula, tuple)]
    return found if len(found) == len(formulas) else None


def _joined(joint: str, parts: Sequence[Formula]) -> Formula:
    """`all` or `any` of some formulas, simplified."""
    decides = joint == "any"
    kept: set[Formula] = set()
    for part in parts:
        if part is decides:
            return decides
        if part is (not decides):
            continue
        if isinstance(part, tuple) and part[0] == joint:
            kept |= part[1]
        else:
            kept.add(part)
    if not kept:
        return not decides
    return next(iter(kept)) if len(kept) == 1 else (joint, frozenset(kept))


def _negated(part: Formula) -> Formula:
    if isinstance(part, UnknownType):
        return part
    if isinstance(part, bool):
        return not part
    return part[1] if part[0] == "not" else ("not", part)


def _assigned(
    formula: Formula, truths: Mapping[int, Truth], memo: dict[Formula, Formula]
) -> Formula:
    if not isinstance(formula, tuple):
        return formula
    if formula[0] == "leaf":
        return truths.get(formula[1], formula)
    known = memo.get(formula)
    if known is None:
        if formula[0] == "not":
            known = _negated(_assigned(formula[1], truths, memo))
        else:
            known = _joined(formula[0], [_assigned(part, truths, memo) for part in formula[1]])
        memo[formula] = known
    return known


def _leaves_in(formulas: Sequence[Formula]) -> set[int]:
    found: set[int] = set()
    pending = list(formulas)
    while pending:
        formula = pending.pop()
        if not isinstance(formula, tuple):
            continue
        if formula[0] == "leaf":
            found.add(formula[1])
        elif formula[0] == "not":
            pending.append(formula[1])
        else:
            pending.extend(formula[1])
    return found
