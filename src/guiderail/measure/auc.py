"""Area under the ROC curve with DeLong's variance, exact in O(n log n).

DeLong, DeLong and Clarke-Pearson (1988), with ties as in Sun and Xu (2014); clusters as in
Obuchowski (1997). Where every pair is ordered the variance is 0 and says nothing: the interval is
then that of Newcombe (2006, method 5), which never closes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.core.interval import Interval
from guiderail.measure.intervals import Z95, around
from guiderail.measure.metrics import prepared
from guiderail.measure.scored_rows import Bools, Change, Floats, ScoredRows
from guiderail.measure.unmeasurable import NotMeasurable


@dataclass(frozen=True, slots=True)
class _Placement:
    """Share of the other class that each positive (negative) row beats (is beaten by).

    With weights the deviation of each row from the area is multiplied by its weight, the mean of
    the weights of its class being 1.
    """

    auc: float
    positives: Floats
    negatives: Floats


@dataclass(frozen=True, slots=True)
class _Sampling:
    """Cluster numbers of the positive and of the negative rows; None for independent rows."""

    positives: NDArray[np.int64] | None
    negatives: NDArray[np.int64] | None


def auc_change(rows: ScoredRows) -> Change | NotMeasurable:
    """AUC of the new scores and its paired change. Needs two rows (or clusters) of each class."""
    is_positive = rows.label == 1.0
    sampling = _sampling(rows, is_positive)
    sizes = _sizes(sampling, is_positive)
    if min(sizes) < 2:
        unit = "rows" if rows.clusters is None else "units"
        return NotMeasurable(f"fewer than two {unit} of one class")
    new = _placement(rows.new, is_positive, rows.weights)
    value = _value(new, sampling, sizes)
    method = "DeLong" if rows.clusters is None else "DeLong by cluster (Obuchowski)"
    if rows.old is None:
        return Change(value, None, None, None, None, method)
    old = _placement(rows.old, is_positive, rows.weights)
    before = _value(old, sampling, sizes)
    delta, relative = _paired(new, old, value, before, sampling)
    growth = _growth(new, old, delta, sampling)
    return Change(value, before, delta, relative, growth, f"paired {method}")


def _paired(
    new: _Placement, old: _Placement, value: Interval, before: Interval, sampling: _Sampling
) -> tuple[Interval, Interval | None]:
    """Change of AUC, and the same in percent of the old AUC by the delta method."""
    change = new.auc - old.auc
    up, down = new.positives - old.positives, new.negatives - old.negatives
    error = _standard_error(up, down, sampling)
    same = not up.any() and not down.any()
    if error == 0 and not same:
        low = change - math.hypot(value.value - value.low, before.high - before.value)
        high = change + math.hypot(value.high - value.value, before.value - before.low)
        delta = around(change, low, high)
        if old.auc == 0:
            return delta, None
        share = 100 / old.auc
        return delta, Interval(change * share, delta.low * share, delta.high * share)
    delta = _symmetric(change, error)
    if old.auc == 0:
        return delta, None
    ratio = new.auc / old.auc
    error = _standard_error(
        (new.positives - ratio * old.positives) / old.auc,
        (new.negatives - ratio * old.negatives) / old.auc,
        sampling,
    )
    return delta, _symmetric(100 * (ratio - 1), 0.0 if same else 100 * error)


def _growth(
    new: _Placement, old: _Placement, delta: Interval, sampling: _Sampling
) -> Interval | None:
    """Growth of the distance to a perfect area in percent of the old one, by the delta method."""
    before = 1 - old.auc
    if before == 0:
        return Interval(0.0, 0.0, 0.0) if new.auc == 1 else None
    ratio = (1 - new.auc) / before
    error = _standard_error(
        (new.positives - ratio * old.positives) / before,
        (new.negatives - ratio * old.negatives) / before,
        sampling,
    )
    if error == 0:  # every pair is ordered alike in each: what the change allows
        share = -100 / before
        bounds = (delta.value, delta.high, delta.low)
        return Interval(*(bound * share + 0.0 for bound in bounds))  # no change is 0, not -0
    return _symmetric(100 * (ratio - 1), 100 * error)


def _symmetric(value: float, error: float) -> Interval:
    return Interval(value, value - Z95 * error, value + Z95 * error)


def _value(found: _Placement, sampling: _Sampling, sizes: tuple[int, int]) -> Interval:
    error = _standard_error(found.positives, found.negatives, sampling)
    if error == 0:
        return _never_closed(found.auc, *sizes)
    low, high = found.auc - Z95 * error, found.auc + Z95 * error
    return around(found.auc, max(0.0, low), min(1.0, high))


def _placement(scores: Floats, is_positive: Bools, weights: Floats | None) -> _Placement:
    if weights is not None:
        return _weighted(scores, is_positive, weights)
    distinct, place = np.unique(scores, return_inverse=True)
    places = len(distinct)
    ups = np.bincount(place[is_positive], minlength=places)
    downs = np.bincount(place[~is_positive], minlength=places)
    # Of each distinct score: negatives that a positive there beats, positives that beat a negative.
    beats = (np.cumsum(downs) - downs / 2) / downs.sum()
    beaten = 1.0 - (np.cumsum(ups) - ups / 2) / ups.sum()
    up, down = beats[place[is_positive]], beaten[place[~is_positive]]
    return _Placement(float(up.mean()), up, down)


def _weighted(scores: Floats, is_positive: Bools, weights: Floats) -> _Placement:
    pairs = prepared("roc_auc", is_positive.astype(np.float64), scores)
    auc, influence = pairs.value(weights), weights * pairs.influence(weights)
    up, down = influence[is_positive], influence[~is_positive]
    return _Placement(auc, auc + up * len(up), auc + down * len(down))


def _sampling(rows: ScoredRows, is_positive: Bools) -> _Sampling:
    if rows.clusters is None:
        return _Sampling(None, None)
    return _Sampling(rows.clusters[is_positive], rows.clusters[~is_positive])


def _sizes(sampling: _Sampling, is_positive: Bools) -> tuple[int, int]:
    if sampling.positives is None or sampling.negatives is None:
        return int(is_positive.sum()), int((~is_positive).sum())
    return len(np.unique(sampling.positives)), len(np.unique(sampling.negatives))


def _standard_error(positives: Floats, negatives: Floats, sampling: _Sampling) -> float:
    m, n = len(positives), len(negatives)
    up, down = positives - positives.mean(), negatives - negatives.mean()
    if sampling.positives is None or sampling.negatives is None:
        variance = np.sum(up**2) / (m * (m - 1)) + np.sum(down**2) / (n * (n - 1))
        return math.sqrt(float(variance))
    total = int(max(sampling.positives.max(), sampling.negatives.max())) + 1
    of_positives = np.bincount(sampling.positives, weights=up, minlength=total)
    of_negatives = np.bincount(sampling.negatives, weights=down, minlength=total)
    i, j = len(np.unique(sampling.positives)), len(np.unique(sampling.negatives))
    variance = (
        i / (i - 1) * np.sum(of_positives**2) / m**2
        + j / (j - 1) * np.sum(of_negatives**2) / n**2
        + 2 * total / (total - 1) * np.sum(of_positives * of_negatives) / (m * n)
    )
    return math.sqrt(max(0.0, float(variance)))


def _never_closed(auc: float, m: int, n: int) -> Interval:
    """Newcombe's method 5: the areas from which the found one is 1.96 standard errors away."""
    return around(auc, _furthest(auc, 0.0, m, n), _furthest(auc, 1.0, m, n))


def _furthest(auc: float, end: float, m: int, n: int) -> float:
    """Bisect between the found area and one end of the scale for the last area within reach."""
    near, far = auc, end
    for _ in range(60):
        area = (near + far) / 2
        spread = 1 + ((m + n) / 2 - 1) * ((1 - area) / (2 - area) + area / (1 + area))
        reach = Z95 * math.sqrt(area * (1 - area) * spread / (m * n))
        if abs(auc - area) <= reach:
            near = area
        else:
            far = area
    return near
