"""Every metric behind one small interface: its value under any weights, and each row's influence.

A metric is prepared once for the labels and scores of a model. `values` gives it for rows that
count 0, 1, 2, ... times, which is all that a bootstrap needs; `influence` gives its derivative with
respect to the weight of each row, which is all that a closed form needs: the variance of the
metric is the sum of the squares of weight times influence (the infinitesimal jackknife, Jaeckel
1972; Efron 1982, chapter 6).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from guiderail.measure.scored_rows import Floats

Terms = Callable[[Floats, Floats], Floats]
Value = Callable[[Any], Any]
"""From the sums, each a number or an array with one entry per resample, complex or not."""


class Prepared(Protocol):
    """A metric over fixed rows. Undefined values are NaN."""

    def value(self, weights: Floats) -> float: ...

    def influence(self, weights: Floats) -> Floats: ...


@dataclass(frozen=True, slots=True)
class SumMetric:
    """A smooth function of sums over rows.

    terms: addends of each row from label and score, shape (rows, sums). ratio: the metric from the
        sums, of degree 0 (twice the rows, the same value); its derivative is taken by the complex
        step, exact to rounding. relevant: from the sums, how many rows the value rests on.
    """

    terms: Terms
    ratio: Value
    relevant: Value


@dataclass(frozen=True, slots=True)
class Sums:
    """A SumMetric prepared: the addends of each row."""

    metric: SumMetric
    addends: Floats

    def value(self, weights: Floats) -> float:
        return float(self.metric.ratio(self.totals(weights)))

    def totals(self, weights: Floats) -> Floats:
        return np.asarray(weights @ self.addends)

    def influence(self, weights: Floats) -> Floats:
        return np.asarray(self.addends @ self.gradient(self.totals(weights)))

    def gradient(self, totals: Floats) -> Floats:
        """The derivative of the metric by each sum. Rows' values cancel: it is of degree 0."""
        step = 1e-30
        scale = float(np.abs(totals).max()) or 1.0
        found = np.empty(len(totals))
        for i in range(len(totals)):
            moved = (totals / scale).astype(np.complex128)
            moved[i] += 1j * step
            found[i] = np.imag(self.metric.ratio(moved)) / step / scale
        return found


@dataclass(frozen=True, slots=True)
class RankCurve:
    """Average precision: the mean precision at the rank of each positive, ties sharing theirs.

    label, and of each row the place of its score among the distinct ones, from the highest on.
    """

    label: Floats
    place: np.ndarray
    places: int

    def value(self, weights: Floats) -> float:
        positives, rows = self._totals(weights)
        hits, seen = np.cumsum(positives), np.cumsum(rows)
        return float(np.sum(positives * hits / np.where(seen > 0, seen, 1.0)) / hits[-1])

    def influence(self, weights: Floats) -> Floats:
        """A row changes its own precision and that of every positive at or below its score."""
        positives, rows = self._totals(weights)
        hits, seen = np.cumsum(positives), np.cumsum(rows)
        precision = hits / seen
        total = hits[-1]
        average = np.sum(positives * precision) / total
        below = np.cumsum((positives / seen)[::-1])[::-1]
        lost = np.cumsum((positives * hits / seen**2)[::-1])[::-1]
        own = precision - average + below
        return np.asarray((self.label * own[self.place] - lost[self.place]) / total)

    def _totals(self, weights: Floats) -> tuple[Floats, Floats]:
        """Weight of the positives and of all rows at each distinct score."""
        return _by_place(self, weights * self.label), _by_place(self, weights)


@dataclass(frozen=True, slots=True)
class RankPairs:
    """ROC AUC: the share of pairs of a positive and a negative that are ordered rightly."""

    label: Floats
    place: np.ndarray
    places: int

    def value(self, weights: Floats) -> float:
        positives, negatives, beats, _ = self._pairs(weights)
        return float(np.sum(positives * beats) / positives.sum() / negatives.sum())

    def influence(self, weights: Floats) -> Floats:
        positives, negatives, beats, beaten = self._pairs(weights)
        ups, downs = positives.sum(), negatives.sum()
        auc = np.sum(positives * beats) / ups / downs
        of_positive = (beats / downs - auc) / ups
        of_negative = (beaten / ups - auc) / downs
        mine = self.label == 1.0
        return np.asarray(np.where(mine, of_positive[self.place], of_negative[self.place]))

    def _pairs(self, weights: Floats) -> tuple[Floats, Floats, Floats, Floats]:
        """By distinct score: weights of both classes; negatives beaten, positives that beat."""
        positives = _by_place(self, weights * self.label)
        negatives = _by_place(self, weights * (1 - self.label))
        beats: Floats = negatives.sum() - np.cumsum(negatives) + negatives / 2
        beaten: Floats = np.cumsum(positives) - positives / 2
        return positives, negatives, beats, beaten


def _by_place(ranks: RankCurve | RankPairs, amounts: Floats) -> Floats:
    return np.bincount(ranks.place, weights=amounts, minlength=ranks.places).astype(np.float64)


def prepared(metric: str, label: Floats, score: Floats) -> Prepared:
    """The metric over these rows; label and score as `ScoredRows` holds them."""
    if metric in SUM_METRICS:
        kernel = SUM_METRICS[metric]
        with np.errstate(all="ignore"):  # what overflows makes the metric infinite: undefined
            return Sums(kernel, kernel.terms(label, score))
    distinct, place = np.unique(-score, return_inverse=True)
    kind = RankPairs if metric == "roc_auc" else RankCurve
    return kind(label, place.astype(np.int64), len(distinct))


def _log_loss(label: Floats, score: Floats) -> Floats:
    smallest = np.finfo(np.float64).eps
    p = np.clip(score, smallest, 1 - smallest)
    return _with_ones(-(label * np.log(p) + (1 - label) * np.log1p(-p)))


def _with_ones(per_row: Floats) -> Floats:
    return np.column_stack([per_row, np.ones(len(per_row))])


def _confusion(label: Floats, decision: Floats) -> Floats:
    """Hits, misses (false negatives), false alarms (false positives), true negatives."""
    hit, miss = label * decision, label * (1 - decision)
    alarm = (1 - label) * decision
    return np.column_stack([hit, miss, alarm, 1 - hit - miss - alarm])


def _variance_terms(label: Floats, score: Floats) -> Floats:
    """Labels are taken from their mean, so that their squares do not swamp what is left."""
    centred = label - label.mean()
    return np.column_stack([(label - score) ** 2, centred**2, centred, np.ones(len(label))])


def _mean(sums: Any) -> Any:
    return sums[0] / sums[1]


def _all_rows(sums: Any) -> Any:
    return sums[-1]


def _mcc(sums: Any) -> Any:
    tp, fn, fp, tn = sums
    below = np.sqrt((tp + fp) * (tp + fn)) * np.sqrt((tn + fp) * (tn + fn))
    return (tp * tn - fp * fn) / below


def _of_confusion(ratio: Value, relevant: Value) -> SumMetric:
    return SumMetric(_confusion, ratio, relevant)


def _fewest(*counts: Any) -> Any:
    return np.minimum.reduce(counts)


def _of_mean(per_row: Terms, ratio: Value = _mean) -> SumMetric:
    return SumMetric(lambda label, score: _with_ones(per_row(label, score)), ratio, _all_rows)


SUM_METRICS: dict[str, SumMetric] = {
    "log_loss": SumMetric(_log_loss, _mean, _all_rows),
    "brier": _of_mean(lambda label, score: (label - score) ** 2),
    "accuracy": _of_mean(lambda _, right: right),
    "mae": _of_mean(lambda label, score: np.abs(label - score)),
    "mape": _of_mean(lambda label, score: np.abs(label - score) / np.abs(label)),
    "rmse": _of_mean(lambda label, score: (label - score) ** 2, lambda sums: np.sqrt(_mean(sums))),
    "r2": SumMetric(
        _variance_terms,
        lambda s: 1 - s[0] / (s[1] - s[2] ** 2 / s[3]),
        _all_rows,
    ),
    "precision": _of_confusion(lambda s: s[0] / (s[0] + s[2]), lambda s: s[0] + s[2]),
    "recall": _of_confusion(lambda s: s[0] / (s[0] + s[1]), lambda s: s[0] + s[1]),
    "specificity": _of_confusion(lambda s: s[3] / (s[3] + s[2]), lambda s: s[3] + s[2]),
    "f1": _of_confusion(
        lambda s: 2 * s[0] / (2 * s[0] + s[1] + s[2]), lambda s: s[0] + s[1] + s[2]
    ),
    "balanced_accuracy": _of_confusion(
        lambda s: (s[0] / (s[0] + s[1]) + s[3] / (s[3] + s[2])) / 2,
        lambda s: _fewest(s[0] + s[1], s[2] + s[3]),
    ),
    "mcc": _of_confusion(
        _mcc,
        lambda s: _fewest(s[0] + s[1], s[2] + s[3], s[0] + s[2], s[1] + s[3]),
    ),
}
