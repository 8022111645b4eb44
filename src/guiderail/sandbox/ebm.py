"""Child side only: explainable boosting machines, run from their export without InterpretML.

The score of a row is an intercept and, for every term, the score of the bins that the row falls
into (Lou et al. 2013; Nori et al. 2019). So what each input adds is exact: a term of several
features is a game of those alone, and its Shapley values against the background are sums over the
few coalitions of its features. A pair is thereby shared in halves of what each changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from guiderail.sandbox.native_models import NativeModel
from guiderail.sandbox.read_ebm import LINKS, EbmFeature, checked_ebm
from guiderail.sandbox.scored import Scored, label_text
from guiderail.sandbox.shapley import Attributed, Floats, Pool

_MISSING = 0
_MOST_PLAYERS = 4
"""Terms of more features are left to sampling: their coalitions double with each."""

Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Term:
    """features: places among the inputs. scores: one axis for each, then one for the classes."""

    features: tuple[int, ...]
    scores: Floats


class _Bins:
    """The bin of every cell of a frame, for each resolution that a term asks for, found once."""

    def __init__(self, features: Sequence[EbmFeature], frame: pd.DataFrame) -> None:
        self.features, self.frame = features, frame
        self.found: dict[tuple[int, int], Places] = {}

    def of(self, term: _Term) -> tuple[Places, ...]:
        """For each feature of the term the place along its axis, one per row."""
        return tuple(self._of_feature(place, len(term.features)) for place in term.features)

    def _of_feature(self, place: int, together: int) -> Places:
        key = (place, together)
        if key not in self.found:
            feature, cells = self.features[place], self.frame.iloc[:, place]
            if feature.continuous:
                self.found[key] = _between_limits(feature, cells, together)
            else:
                self.found[key] = _by_category(feature, cells, together)
        return self.found[key]


class EbmModel(NativeModel):
    """The columns of a frame are its features in its order."""

    def __init__(self, data: bytes) -> None:
        content = checked_ebm(data)
        self.features = content.features
        self.terms = tuple(
            _Term(term.features, np.asarray(term.scores, dtype=np.float64))
            for term in content.terms
        )
        self.intercept = np.asarray(content.intercept, dtype=np.float64)
        self.link = content.link
        self.classes = tuple(label_text(one) for one in content.classes)

    def raw(self, frame: pd.DataFrame) -> Floats:
        """Probabilities of the classes, or numbers."""
        found = self.score(frame)
        answers = found.scores if found.probabilities is None else found.probabilities
        return np.asarray(answers, dtype=np.float64)

    def margins(self, frame: pd.DataFrame) -> Floats:
        """What the terms add up to: (rows,), or (rows, classes) where there is one for each."""
        bins = _Bins(self.features, frame)
        width = LINKS[self.link] or len(self.classes)
        total = np.tile(self.intercept, (len(frame), 1))
        for term in self.terms:
            total += term.scores[bins.of(term)].reshape(len(frame), width)
        return total[:, 0] if width == 1 else total

    def score(self, frame: pd.DataFrame) -> Scored:
        margins = self.margins(frame)
        if self.link in ("identity", "log"):
            numbers = margins if self.link == "identity" else np.exp(margins)
            return Scored((), "number", numbers, None, ())
        if self.link == "logit":
            margins = np.column_stack([np.zeros(len(margins)), margins])
        powers = np.exp(margins - margins.max(axis=1, keepdims=True))
        shares = powers / powers.sum(axis=1, keepdims=True)
        predictions = tuple(self.classes[one] for one in margins.argmax(axis=1))
        two = len(self.classes) == 2
        return Scored(
            self.classes, "probability", shares[:, 1] if two else None, shares, predictions
        )


def _between_limits(feature: EbmFeature, cells: pd.Series[Any], together: int) -> Places:
    """A value on a limit belongs above it; what is neither missing nor a number is unknown."""
    numbers = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    limits = np.asarray(feature.level(together), dtype=np.float64)
    found: Places = np.searchsorted(limits, numbers, side="right").astype(np.int64) + 1
    absent = cells.isna().to_numpy()
    found[np.isnan(numbers)] = feature.bins(together) - 1
    found[absent] = _MISSING
    return found


def _by_category(feature: EbmFeature, cells: pd.Series[Any], together: int) -> Places:
    """Cells are compared as InterpretML writes them: 1.0 as "1", true as "1"."""
    place = {
        category: number
        for number, held in enumerate(feature.level(together), start=1)
        for category in held
    }
    unknown = feature.bins(together) - 1
    absent = cells.isna().to_numpy()
    texts = [_category(cell) for cell in cells.tolist()]
    found = np.array([place.get(text, unknown) for text in texts], dtype=np.int64)
    found[absent] = _MISSING
    return found


def _category(cell: object) -> str:
    if isinstance(cell, bool):
        return "1" if cell else "0"
    return str(cell + 0.0).removesuffix(".0") if isinstance(cell, float) else str(cell)


def ebm_values(model: EbmModel, pool: Pool, scores: Floats) -> Attributed | None:
    """Exact values of the margin; None where it is none or a term is too large.

    scores: margins of the whole pool.
    """
    if model.link not in ("logit", "identity"):
        return None
    if any(len(term.features) > _MOST_PLAYERS for term in model.terms):
        return None
    bins = _Bins(model.features, pool.table)
    values = np.zeros((pool.subsets.shape[1], pool.rows, pool.table.shape[1]))
    for term in model.terms:
        for place, share in zip(term.features, _shared(term, bins.of(term), pool), strict=True):
            values[:, :, place] += share
    base = pool.subsets.T @ scores[pool.rows :]
    return Attributed(values, base, None, "exact, terms of the boosting machine")


def _shared(term: _Term, bins: tuple[Places, ...], pool: Pool) -> list[Floats]:
    """Shapley values of the term's features, each (layers, rows)."""
    players = range(len(bins))
    worth = {
        coalition: _worth(term, bins, coalition, pool)
        for size in range(len(bins) + 1)
        for coalition in combinations(players, size)
    }
    shares = []
    for player in players:
        share = np.zeros((pool.subsets.shape[1], pool.rows))
        for coalition, without in worth.items():
            if player not in coalition:
                joined = tuple(sorted((*coalition, player)))
                before, after = len(coalition), len(bins) - len(coalition) - 1
                weight = factorial(before) * factorial(after) / factorial(len(bins))
                share += weight * (worth[joined] - without)
        shares.append(share)
    return shares


def _worth(term: _Term, bins: tuple[Places, ...], coalition: tuple[int, ...], pool: Pool) -> Floats:
    """Mean score of the term where these features are the row's and the others the background's."""
    n = pool.rows
    places = tuple(
        one[:n, None] if player in coalition else one[None, n:] for player, one in enumerate(bins)
    )
    found = np.broadcast_to(term.scores[places], (n, pool.background))
    return np.asarray((found @ pool.subsets).T)
