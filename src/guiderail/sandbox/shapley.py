"""Child side only: Shapley values of single inputs for any model that scores a table.

What is explained is the score against a background: an input's value is what it adds to the score,
averaged over all orders in which inputs can be revealed, while unrevealed inputs keep the values of
background rows (the interventional game of Janzing et al. 2020). Values of a row and the mean
score of the background add up to the score.

- `additive`: closed form, exact, for models whose score is a sum over inputs. Whether it is one is
  tested on every row, so linear models behind encoders, additive models and stumps all qualify.
- `sampled`: for every other model. Orders come in pairs, each with its reverse (antithetic), and
  each row meets another background row in every pair; the spread of the pairs gives the standard
  error (Castro et al. 2009; Mitchell et al. 2022).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Places = NDArray[np.intp]
ScoreFrame = Callable[[pd.DataFrame], Floats]

ROUNDING = 1e-7
"""Largest gap, relative to the spread of the scores, at which values still add up to the score."""

MOST_ROWS = 20_000
"""Rows that a model is asked about at once: one long table costs less than many short ones."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows to explain and, behind them, the rows of the background; both as one table.

    subsets: shape (background rows, s), columns of weights that sum to 1: the whole background
        first, then each half of it.
    """

    table: pd.DataFrame
    rows: int
    subsets: Floats

    @property
    def background(self) -> int:
        return len(self.table) - self.rows

    def mixed(self, places: Mapping[str, Places]) -> pd.DataFrame:
        """A table whose columns come from the named rows of the pool, each column from its own."""
        return pd.DataFrame(
            {name: self.table[name].take(places[name]).array for name in self.table.columns}
        )


@dataclass(frozen=True, slots=True)
class Attributed:
    """values: (s, rows, inputs), one layer for each subset of the background. base: (s,).

    errors: standard errors of the first layer, (rows, inputs); None where the values are exact.
    """

    values: Floats
    base: Floats
    errors: Floats | None
    method: str


def halves(background: int) -> Floats:
    """The weights of `Pool.subsets`: everything, even places, odd places."""
    even = np.arange(background) % 2 == 0
    parts = [np.ones(background), even.astype(float), (~even).astype(float)]
    return np.column_stack([part / part.sum() for part in parts])


def adds_up(values: Floats, base: Floats, scores: Floats) -> bool:
    """Whether values and base give back the scores of the rows, up to rounding."""
    spread = max(float(np.abs(scores - base[0]).max(initial=0.0)), 1e-12)
    gap = np.abs(values[0].sum(axis=1) + base[0] - scores).max(initial=0.0)
    return bool(gap <= ROUNDING * spread)


def additive(score: ScoreFrame, pool: Pool, scores: Floats) -> Attributed | None:
    """Exact values where the score is a sum over inputs, else None. scores: of the whole pool."""
    names = list(pool.table.columns)
    rows = len(pool.table)
    everything, anchor = np.arange(rows), np.full(rows, pool.rows)
    effects = np.empty((rows, len(names)))
    at_once = max(1, MOST_ROWS // rows)
    for first in range(0, len(names), at_once):
        varied = names[first : first + at_once]
        places = {
            name: np.concatenate([everything if name == other else anchor for other in varied])
            for name in names
        }
        alone = score(pool.mixed(places)).reshape(len(varied), rows)
        effects[:, first : first + len(varied)] = alone.T - scores[pool.rows]
    spread = max(float(np.abs(scores - scores[pool.rows]).max()), 1e-12)
    gap = np.abs(effects.sum(axis=1) - (scores - scores[pool.rows])).max()
    if not gap <= ROUNDING * spread:
        return None
    usual = pool.subsets.T @ effects[pool.rows :]
    values = effects[: pool.rows][None, :, :] - usual[:, None, :]
    base = pool.subsets.T @ scores[pool.rows :]
    return Attributed(values, base, None, "exact, additive score")


def sampled(
    score: ScoreFrame, pool: Pool, scores: Floats, pairs: int, random: np.random.Generator
) -> Attributed:
    """Estimates from `pairs` antithetic pairs of orders. scores: of the whole pool."""
    n, d = pool.rows, pool.table.shape[1]
    found = np.empty((pairs, n, d))
    starts = np.array([random.permutation(pool.background) for _ in range(n)])
    for pair in range(pairs):
        order = random.permutation(d)
        drawn = starts[:, (pair // 2) % pool.background]
        drawn = drawn - drawn % 2 + pair % 2  # even pairs meet even places, odd pairs odd ones
        drawn = np.minimum(drawn, pool.background - 1) + n
        forward = _walk(score, pool, scores, order, drawn)
        found[pair] = (forward + _walk(score, pool, scores, order[::-1], drawn)) / 2
    estimate = found.mean(axis=0)
    errors = found.std(axis=0, ddof=1) / np.sqrt(pairs) if pairs > 1 else np.zeros((n, d))
    layers = [estimate, found[::2].mean(axis=0), found[1::2].mean(axis=0)][: pool.subsets.shape[1]]
    base = pool.subsets.T @ scores[n:]
    values = np.stack(
        [_settled(part, errors, scores[:n] - mean) for part, mean in zip(layers, base, strict=True)]
    )
    return Attributed(values, base, errors, f"sampled, {pairs} pairs of orders")


def _walk(
    score: ScoreFrame, pool: Pool, scores: Floats, order: Places, background: Places
) -> Floats:
    """What each input adds when inputs are revealed in this order, one background row per row."""
    n, d = pool.rows, len(order)
    own = np.arange(n)
    revealed_at = np.empty(d, dtype=int)
    revealed_at[order] = np.arange(d)
    steps = np.arange(1, d)
    places = {
        name: np.where(
            (steps > revealed_at[number])[:, None], own[None, :], background[None, :]
        ).reshape(-1)
        for number, name in enumerate(pool.table.columns)
    }
    between = score(pool.mixed(places)).reshape(d - 1, n) if d > 1 else np.empty((0, n))
    path = np.vstack([scores[background], between, scores[:n]])
    values = np.empty((n, d))
    values[:, order] = np.diff(path, axis=0).T
    return values


def _settled(values: Floats, errors: Floats, total: Floats) -> Floats:
    """Spread what is missing to the total over the inputs, by how uncertain each is."""
    variance = errors**2
    whole = variance.sum(axis=1, keepdims=True)
    share = np.divide(
        variance, whole, out=np.full_like(variance, 1 / len(variance.T)), where=whole > 0
    )
    return np.asarray(values + share * (total - values.sum(axis=1))[:, None])
