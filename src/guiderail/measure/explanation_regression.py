"""Whether explanations changed more than training again would change them.

The null: the recipe is trained again on resampled rows several times, and each two of these models
are compared like two versions. A measure alarms where its distance (`Agreement.distance`) exceeds
both `factor` times the mean distance of the null and `floor`, below which a change is too small to
matter. Factors and floors are data (`explanation_limits.json`), with where they were calibrated.

`input` is the sharpest measure: how far the attribution of one input moved (root mean square over
rows), in units of how far training again moves it. Its distance is the largest ratio of an input
that moved by more than the floor, a share of all attribution; its usual value is 1.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np

from guiderail.measure.attribution_agreement import MEASURES, Agreement, Explained, agreement
from guiderail.measure.unmeasurable import NotMeasurable

LIMITS_FILE = Path(__file__).with_name("explanation_limits.json")
FEWEST_REFITS = 4
NEEDED = frozenset({"cosine", "top_k", "share_shift", "silent"})
"""Measures that every two versions have; the others depend on scales and refusals."""


@dataclass(frozen=True, slots=True)
class Limit:
    """factor: times the mean null distance. floor: smallest distance that alarms."""

    factor: float
    floor: float


@dataclass(frozen=True, slots=True)
class Tested:
    """One measure. distance, usual: of the versions and the mean of the null. alarms: over limit.

    Any of them is None where it is undefined; the measure then says nothing.
    """

    measure: str
    distance: float | None
    usual: float | None
    limit: float | None

    @property
    def alarms(self) -> bool:
        return self.distance is not None and self.limit is not None and self.distance > self.limit


@dataclass(frozen=True, slots=True)
class Regression:
    """verdict: `fail` where a measure alarms, else `pass`. why: the alarms in words."""

    verdict: Literal["pass", "fail"]
    tested: tuple[Tested, ...]
    why: tuple[str, ...]
    refits: int


@dataclass(frozen=True, slots=True)
class Null:
    """What two trainings of one recipe differ by.

    usual: mean distance of each measure that is defined. moves: root mean square over pairs of each
    input's `Agreement.moves`.
    """

    usual: Mapping[str, float]
    moves: Mapping[str, float]


def null_of(refits: Sequence[Explained]) -> Null | NotMeasurable:
    """The null of a recipe from models trained again on resampled rows."""
    if len(refits) < FEWEST_REFITS:
        return NotMeasurable(
            f"{len(refits)} trainings are too few to know what training again changes"
        )
    found = [agreement(one, two) for one, two in combinations(refits, 2)]
    pairs = [one for one in found if isinstance(one, Agreement)]
    if len(pairs) < len(found):
        broken = next(one for one in found if isinstance(one, NotMeasurable))
        return NotMeasurable(f"models trained again cannot be compared: {broken.reason}")
    usual = {}
    for measure in MEASURES:
        values = [one.distance(measure) for one in pairs]
        defined = [value for value in values if value is not None]
        if len(defined) >= len(pairs) / 2:
            usual[measure] = float(np.mean(defined))
    moves = {
        name: float(np.sqrt(np.mean([one.moves[name] ** 2 for one in pairs])))
        for name in pairs[0].moves
    }
    return Null(usual, moves)


def furthest(found: Agreement, null: Null, floor: float) -> tuple[str, float] | None:
    """The input that moved most in units of the null; None where none moved by the floor.

    An input that the null does not know is new and is left to `share_shift`; one that training
    again never moves has moved infinitely.
    """
    ratios = {
        name: move / null.moves[name] if null.moves[name] > 0 else float("inf")
        for name, move in found.moves.items()
        if name in null.moves and move > floor * found.weight
    }
    return max(ratios.items(), key=lambda item: item[1]) if ratios else None


def regression(found: Agreement, null: Null, refits: int) -> Regression | NotMeasurable:
    """The verdict on one comparison. Measures that either side lacks take no part.

    Without an alarm, nothing is passed where one of `NEEDED` is lacking.
    """
    tested = []
    for measure, limit in limits().items():
        if measure == "input":
            far = furthest(found, null, limit.floor)
            tested.append(Tested(measure, far[1] if far else 0.0, 1.0, limit.factor))
            continue
        distance, usual = found.distance(measure), null.usual.get(measure)
        bound = None if usual is None else max(limit.floor, limit.factor * usual)
        tested.append(Tested(measure, distance, usual, bound))
    lacking = [one.measure for one in tested if one.measure in NEEDED
               and (one.distance is None or one.limit is None)]  # fmt: skip
    if lacking and not any(one.alarms for one in tested):
        return NotMeasurable(f"{', '.join(lacking)} cannot be compared with training again")
    why = tuple(_words(one, found, null) for one in tested if one.alarms)
    return Regression("fail" if why else "pass", tuple(tested), why, refits)


@cache
def limits() -> Mapping[str, Limit]:
    """Factor and floor of each measure, as stored."""
    content = json.loads(LIMITS_FILE.read_text("utf-8"))
    return {
        measure: Limit(float(row["factor"]), float(row["floor"]))
        for measure, row in content["limits"].items()
    }


def calibrated_on() -> str:
    """Where the limits come from, in one sentence."""
    return str(json.loads(LIMITS_FILE.read_text("utf-8"))["calibrated_on"])


_SAYS = {
    "cosine": "the attributions of a row point in another direction",
    "top_k": "other inputs are among the four that weigh most",
    "sign": "inputs that weigh most push the other way",
    "share_shift": "the weight of an input changed",
    "input": "what an input adds changed",
    "silent": "an input that counted adds nothing any more",
    "strength": "all inputs together weigh more or less than before",
    "reasons": "people who are refused hear other reasons",
}


def _words(one: Tested, found: Agreement, null: Null) -> str:
    text = _SAYS[one.measure]
    if one.measure == "share_shift":
        name, shift = max(found.shifts.items(), key=lambda item: abs(item[1]))
        text = f"the share of {name} changed by {100 * shift:+.1f} percentage points"
    if one.measure == "input":
        far = furthest(found, null, limits()["input"].floor)
        text = f"what {far[0]} adds changed" if far else text
    return f"{text} (distance {one.distance:.3f}, limit {one.limit:.3f})"
