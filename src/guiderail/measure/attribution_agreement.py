"""How alike two versions explain the same rows, and how alike two trainings of one recipe do.

Measures (Krishna et al. 2022 for feature and sign agreement), each over the union of the inputs,
where an input that a version does not have adds 0:

- `cosine`: mean over rows of the cosine of both attributions.
- `top_k`: mean share of the k largest inputs of a row (by size) that both versions name; k = 4.
- `sign`: of the inputs that both name among these, the share that pushes the same way.
- `share_shift`: largest change of one input's share of all attribution; `shifts` has every input.
- `silent`: the share in the old version of an input that adds less than a tenth of what it did; the
  largest such.
- `strength`: absolute logarithm of the ratio of all attribution, new to old. Versions that explain
  different scales (log-odds and probabilities) have none.
- `moves`: for each input, the root mean square over rows of how far its attribution moved. It has
  no scale of its own; `explanation_regression` compares it with what training again moves.
- `reasons`: of rows that both refuse, the mean overlap (Jaccard) of their at most four reasons.

Rank and first-place agreement are left out on purpose: another seed alone moves them to a half.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guiderail.measure.unmeasurable import NotMeasurable

Floats = NDArray[np.float64]
TOP = 4
FEWEST_ROWS = 20
MEASURES = ("cosine", "top_k", "sign", "share_shift", "silent", "strength", "reasons")
_SILENT = 0.1
_ALIKE_IS_ONE = frozenset({"cosine", "top_k", "sign", "reasons"})


@dataclass(frozen=True, slots=True)
class Explained:
    """Attributions of one version. values: (rows, inputs). scale: as in the sandbox.

    adverse: which rows the version refuses, and the direction that speaks for a refusal: -1 where
    a low score refuses, +1 where a high one does. None where the model decides nothing.
    """

    names: tuple[str, ...]
    values: Floats
    scale: str
    adverse: NDArray[np.bool_] | None = None
    against: float = -1.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """The measures of the module; None where one is undefined. n: rows compared.

    shifts: input -> share in the new version minus share in the old one. weight: mean absolute
        attribution of the old version, all inputs together.
    both_adverse: rows that both versions refuse. principal: of these, how many have the same first
        reason.
    """

    n: int
    cosine: float | None
    top_k: float | None
    sign: float | None
    share_shift: float | None
    silent: float | None
    strength: float | None
    reasons: float | None
    shifts: Mapping[str, float]
    moves: Mapping[str, float]
    weight: float
    both_adverse: int
    principal: int

    def distance(self, measure: str) -> float | None:
        """0 where both versions are alike, larger the less they are."""
        value: float | None = getattr(self, measure)
        if value is None:
            return None
        return 1.0 - value if measure in _ALIKE_IS_ONE else value


def agreement(old: Explained, new: Explained) -> Agreement | NotMeasurable:
    """Compare two versions on the same rows, which are in the same order in both."""
    n = min(len(old.values), len(new.values))
    if n < FEWEST_ROWS:
        return NotMeasurable(f"{n} explained rows are too few to compare two versions")
    names = tuple(dict.fromkeys((*old.names, *new.names)))
    before, after = _over(names, old)[:n], _over(names, new)[:n]
    if not (np.isfinite(before).all() and np.isfinite(after).all()):
        return NotMeasurable("some attributions are not finite numbers")
    silent = [who for who, part in (("old", before), ("new", after)) if not part.any()]
    if silent:
        return NotMeasurable(f"no input adds anything to the score of the {silent[0]} version")
    top_k, sign = _top(before, after)
    shares = [np.abs(part).mean(axis=0) for part in (before, after)]
    shift = shares[1] / shares[1].sum() - shares[0] / shares[0].sum()
    gone = shares[1] < _SILENT * shares[0]
    strength = None
    if old.scale == new.scale:
        strength = abs(math.log(float(shares[1].sum() / shares[0].sum())))
    both, overlap, principal = _reasons(names, old, new, n)
    return Agreement(
        n=n,
        cosine=_cosine(before, after),
        top_k=top_k,
        sign=sign,
        share_shift=float(np.abs(shift).max()),
        silent=float(np.where(gone, shares[0] / shares[0].sum(), 0.0).max()),
        strength=strength,
        reasons=overlap,
        shifts=dict(zip(names, shift.tolist(), strict=True)),
        moves=dict(zip(names, np.sqrt(((after - before) ** 2).mean(axis=0)).tolist(), strict=True)),
        weight=float(shares[0].sum()),
        both_adverse=both,
        principal=principal,
    )


def reasons_against(values: Floats, against: float, most: int = TOP) -> list[tuple[int, ...]]:
    """For each row the inputs that speak for a refusal, strongest first, at most `most`.

    An input that speaks for the person, or adds nothing, is no reason.
    """
    pushed = values * against
    order = np.argsort(-pushed, axis=1, kind="stable")[:, :most]
    return [
        tuple(int(place) for place in places if pushed[row, place] > 0)
        for row, places in enumerate(order)
    ]


def stable_principal(first: Floats, second: Floats, adverse: NDArray[np.bool_], against: float) -> (
    tuple[int, int]
):  # fmt: skip
    """(rows refused, of these how many have the same first reason in both attributions)."""
    n = min(len(first), len(second), len(adverse))
    rows = np.flatnonzero(adverse[:n])
    one = reasons_against(first[rows], against, 1)
    two = reasons_against(second[rows], against, 1)
    return len(rows), sum(a == b for a, b in zip(one, two, strict=True))


def _over(names: Sequence[str], one: Explained) -> Floats:
    spread = np.zeros((len(one.values), len(names)))
    spread[:, [names.index(name) for name in one.names]] = one.values
    return spread


def _cosine(before: Floats, after: Floats) -> float | None:
    lengths = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    defined = lengths > 0
    if not defined.any():
        return None
    cosines = (before * after).sum(axis=1)[defined] / lengths[defined]
    return float(np.clip(cosines, -1, 1).mean())


def _top(before: Floats, after: Floats) -> tuple[float | None, float | None]:
    k = min(TOP, before.shape[1])
    marks = []
    for part in (before, after):
        mark = np.zeros(part.shape, dtype=bool)
        places = np.argsort(-np.abs(part), axis=1, kind="stable")[:, :k]
        np.put_along_axis(mark, places, True, axis=1)
        marks.append(mark & (part != 0))
    both = marks[0] & marks[1]
    named = np.maximum(marks[0].sum(axis=1), marks[1].sum(axis=1))
    if not named.any():
        return None, None
    same = both & (np.sign(before) == np.sign(after))
    sign = float(same.sum() / both.sum()) if both.any() else None
    return float(both.sum() / named.sum()), sign


def _reasons(
    names: tuple[str, ...], old: Explained, new: Explained, n: int
) -> tuple[int, float | None, int]:
    if old.adverse is None or new.adverse is None:
        return 0, None, 0
    rows = np.flatnonzero(old.adverse[:n] & new.adverse[:n])
    if not len(rows):
        return 0, None, 0
    before = reasons_against(_over(names, old)[rows], old.against)
    after = reasons_against(_over(names, new)[rows], new.against)
    overlaps, same = [], 0
    for one, two in zip(before, after, strict=True):
        union = set(one) | set(two)
        overlaps.append(len(set(one) & set(two)) / len(union) if union else 1.0)
        same += one[:1] == two[:1]
    return len(rows), float(np.mean(overlaps)), same
