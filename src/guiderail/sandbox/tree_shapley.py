"""Child side only: exact Shapley values of scikit-learn tree ensembles, by inputs.

For one explained row and one background row, a leaf is reached by exactly those coalitions that
contain every input on which only the explained row follows the path, and none on which only the
background row does. With a and b such inputs its value counts (a-1)! b! / (a+b)! for each of the
first and -a! (b-1)! / (a+b)! for each of the second (Lundberg et al. 2020, interventional).

The players are the inputs of the whole pipeline, not the columns behind its encoders: an input
follows a path when all its columns do. Nothing is sampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from guiderail.sandbox.shapley import Attributed, Floats, Pool

MOST_ON_A_PATH = 60
_FORESTS = frozenset(
    {"RandomForestClassifier", "RandomForestRegressor", "ExtraTreesClassifier"}
    | {"ExtraTreesRegressor"}
)
_SINGLE = frozenset(
    {"DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier"}
    | {"ExtraTreeRegressor"}
)
_BOOSTED = frozenset({"GradientBoostingClassifier", "GradientBoostingRegressor"})


@dataclass(frozen=True, slots=True)
class _Leaf:
    """conditions: (column, threshold, goes left, missing goes left) from the root on."""

    value: float
    conditions: tuple[tuple[int, float, bool, bool], ...]


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Which inputs of a path each row follows, as bits; `of` says which pattern a row has."""

    bits: NDArray[np.int64]
    of: NDArray[np.intp]


def tree_values(estimator: Any, pool: Pool, scores: Floats) -> Attributed | None:
    """Exact values; None for another model, or where encoded columns mix several inputs."""
    steps, final = _split(estimator)
    trees = _trees(final)
    if trees is None:
        return None
    encoded = _encoded(steps, pool.table)
    owners = _owners(steps, pool.table, encoded)
    if owners is None:
        return None
    values = np.zeros((pool.subsets.shape[1], pool.rows, pool.table.shape[1]))
    for tree, column, weight in trees:
        for leaf in _leaves(tree, column):
            _add_leaf(values, leaf, weight, encoded, owners, pool)
    base = pool.subsets.T @ scores[pool.rows :]
    return Attributed(values, base, None, "exact, trees")


def _split(estimator: Any) -> tuple[Any, Any]:
    """(everything before the last step or None, the last step)."""
    if type(estimator).__name__ == "Pipeline":
        return (estimator[:-1] if len(estimator.steps) > 1 else None), estimator.steps[-1][1]
    return None, estimator


def _trees(final: Any) -> list[tuple[Any, int | None, float]] | None:
    """Trees with the class column of their leaves (None for plain values) and their weight."""
    name = type(final).__name__
    classes = getattr(final, "classes_", None)
    if classes is not None and len(classes) != 2:
        return None
    column = None if classes is None else 1
    if name in _SINGLE:
        return [(final.tree_, column, 1.0)]
    if name in _FORESTS:
        count = len(final.estimators_)
        return [(tree.tree_, column, 1.0 / count) for tree in final.estimators_]
    if name in _BOOSTED:
        return [(tree.tree_, None, final.learning_rate) for tree in final.estimators_[:, 0]]
    return None


def _encoded(steps: Any, table: pd.DataFrame) -> Floats:
    """What the trees see: values rounded to 32 bits, which they compare with 64-bit thresholds."""
    given = table.to_numpy() if steps is None else steps.transform(table)
    dense = given.toarray() if hasattr(given, "toarray") else np.asarray(given)
    return np.asarray(dense, dtype=np.float32).astype(np.float64)


def _owners(steps: Any, table: pd.DataFrame, encoded: Floats) -> NDArray[np.intp] | None:
    """For each encoded column the input that it comes from, found by exchanging one input.

    Columns that no exchange changes are constant on these rows and may belong to anybody. None
    where a column comes from two inputs.
    """
    if steps is None:
        return np.arange(table.shape[1])
    owners = np.full(encoded.shape[1], -1)
    for number, name in enumerate(table.columns):
        exchanged = table.copy()
        exchanged[name] = table[name].take(np.roll(np.arange(len(table)), 1)).array
        after = _encoded(steps, exchanged)
        same = (after == encoded) | (np.isnan(after) & np.isnan(encoded))
        changed = ~same.all(axis=0)
        if (owners[changed] >= 0).any():
            return None
        owners[changed] = number
    return np.where(owners < 0, 0, owners)


def _leaves(tree: Any, column: int | None) -> Iterator[_Leaf]:
    left, right = tree.children_left, tree.children_right
    missing = tree.missing_go_to_left
    stack: list[tuple[int, tuple[tuple[int, float, bool, bool], ...]]] = [(0, ())]
    while stack:
        node, path = stack.pop()
        if left[node] == right[node]:
            cells = tree.value[node, 0]
            value = cells[0] if column is None else cells[column] / cells.sum()
            yield _Leaf(float(value), path)
            continue
        where = (int(tree.feature[node]), float(tree.threshold[node]))
        stack.append((left[node], (*path, (*where, True, bool(missing[node])))))
        stack.append((right[node], (*path, (*where, False, bool(missing[node])))))


def _add_leaf(
    values: Floats,
    leaf: _Leaf,
    weight: float,
    encoded: Floats,
    owners: NDArray[np.intp],
    pool: Pool,
) -> None:
    players = list(dict.fromkeys(int(owners[column]) for column, *_ in leaf.conditions))
    if not players or leaf.value == 0:
        return
    if len(players) > MOST_ON_A_PATH:
        raise ValueError(f"a path of a tree asks about {len(players)} inputs")
    follows = _follows(leaf, players, encoded, owners)
    rows, background = _patterns(follows[: pool.rows]), _patterns(follows[pool.rows :])
    full = (1 << len(players)) - 1
    x, b = np.nonzero((rows.bits[:, None] | background.bits[None, :]) == full)
    if not len(x):
        return
    only_x, only_b = rows.bits[x] & ~background.bits[b], background.bits[b] & ~rows.bits[x]
    gain, loss = _weights(_count(only_x), _count(only_b))
    mass = np.zeros((len(background.bits), pool.subsets.shape[1]))
    np.add.at(mass, background.of, pool.subsets)
    for place, player in enumerate(players):
        bit = 1 << place
        share = np.where(only_x & bit, gain, 0.0) - np.where(only_b & bit, loss, 0.0)
        if not share.any():
            continue
        for layer in range(pool.subsets.shape[1]):
            sums = np.bincount(x, weights=share * mass[b, layer], minlength=len(rows.bits))
            values[layer, :, player] += weight * leaf.value * sums[rows.of]


def _follows(
    leaf: _Leaf,
    players: list[int],
    encoded: Floats,
    owners: NDArray[np.intp],
) -> NDArray[np.int64]:
    place = {player: number for number, player in enumerate(players)}
    ok = np.ones((len(encoded), len(players)), dtype=bool)
    for column, threshold, goes_left, missing_left in leaf.conditions:
        cells = encoded[:, column]
        left = np.where(np.isnan(cells), missing_left, cells <= threshold)
        ok[:, place[int(owners[column])]] &= left if goes_left else ~left
    return np.asarray(ok @ (1 << np.arange(len(players), dtype=np.int64)))


def _patterns(follows: NDArray[np.int64]) -> _Patterns:
    bits, of = np.unique(follows, return_inverse=True)
    return _Patterns(bits, of)


def _count(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.bitwise_count(bits).astype(np.int64)


def _weights(a: NDArray[np.int64], b: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """(a-1)! b! / (a+b)! and a! (b-1)! / (a+b)!; 0 where there is no such input."""
    most = int((a + b).max(initial=0))
    table = np.zeros((most + 2, most + 2))
    for i in range(1, most + 1):
        for j in range(most - i + 1):
            table[i, j] = factorial(i - 1) * factorial(j) / factorial(i + j)
    return table[a, b], table[b, a]
