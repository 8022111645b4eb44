"""Pairs of models whose true difference is known, measured on a sample and judged by the pack.

Scores are bivariate normal within each class: the two models share most of what they see, and each
has some noise of its own. So AUC, its change and the share of flipped decisions of the population
are known in closed form, and equal models are equal exactly.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from scipy.stats import multivariate_normal, norm

from guiderail.change.behaviour import flips_fact, performance_facts
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.fact import Fact, FactSet, Value
from guiderail.measure.flips import Flips, flips
from guiderail.measure.performance import paired_change
from guiderail.policy import Pack
from guiderail_verify.judge import TRACKS, Judgement
from tests.policy.calm import AT, CALM, HIGH_GATES, facts_of

BASELINES = ("change", "since_review", "since_full_review")
Floats = np.ndarray
Kind = Literal["as the truth", "undecided", "false", "missed"]


@dataclass(frozen=True, slots=True)
class Population:
    """auc: of the running version. loss_pct: by how much the new one's is truly lower, relative.

    positives: share of positive labels. alike: correlation of both versions' scores within a
    class. selected: share of all that the running version decides positively.
    """

    auc: float
    positives: float
    alike: float
    loss_pct: float = 0.0
    selected: float = 0.3

    @property
    def threshold(self) -> float:
        """One for both versions."""
        return _threshold(self.auc, self.positives, self.selected)

    @property
    def new_auc(self) -> float:
        return self.auc * (1 - self.loss_pct / 100)

    @property
    def flips_pct(self) -> float:
        """Share of the population that the two versions decide differently."""
        cut, share = self.threshold, 0.0
        both = multivariate_normal(cov=[[1, self.alike], [self.alike, 1]])
        for weight, old, new in (
            (self.positives, _distance(self.auc), _distance(self.new_auc)),
            (1 - self.positives, 0.0, 0.0),
        ):
            under = float(both.cdf([cut - old, cut - new]))
            share += weight * float(norm.cdf(cut - old) + norm.cdf(cut - new) - 2 * under)
        return 100 * max(0.0, share)

    @property
    def growth_pct(self) -> float:
        """Growth of the distance to a perfect AUC."""
        return 100 * ((1 - self.new_auc) / (1 - self.auc) - 1)


@dataclass(frozen=True, slots=True)
class Sample:
    """Labels, and scores and decisions of both versions; one entry per row."""

    label: Floats
    old: Floats
    new: Floats
    threshold: float


@cache
def _threshold(auc: float, positives: float, selected: float) -> float:
    """The score that this share of all reaches."""
    low, high = -8.0, 8.0 + _distance(auc)
    for _ in range(80):
        middle = (low + high) / 2
        share = positives * norm.sf(middle - _distance(auc)) + (1 - positives) * norm.sf(middle)
        low, high = (middle, high) if share > selected else (low, middle)
    return (low + high) / 2


@cache
def _distance(auc: float) -> float:
    """How far apart the classes' scores are, in standard deviations, for this AUC."""
    return math.sqrt(2) * float(norm.ppf(auc))


def drawn(population: Population, rows: int, seed: object) -> Sample:
    """At least two rows of each class, as an evaluation has."""
    random = np.random.default_rng(seed)  # type: ignore[arg-type]  # a number or a list of some
    label = (random.random(rows) < population.positives).astype(np.int64)
    label[:4] = [0, 0, 1, 1]
    shared = random.normal(size=rows) * math.sqrt(population.alike)
    own = random.normal(size=(2, rows)) * math.sqrt(1 - population.alike)
    old = label * _distance(population.auc) + shared + own[0]
    new = label * _distance(population.new_auc) + shared + own[1]
    return Sample(label, old, new, population.threshold)


def measured(sample: Sample) -> FactSet:
    """The facts about the change, as the provider makes them of these rows."""
    performance = paired_change("roc_auc", sample.label, sample.new, sample.old)
    decided = [(scores >= sample.threshold).astype(np.int64) for scores in (sample.old, sample.new)]
    flipped = flips(*decided)
    assert isinstance(flipped, Flips), flipped
    found: dict[str, Fact] = {}
    for prefix in BASELINES:
        for fact in performance_facts(prefix, performance, "a draw"):
            found[fact.name] = fact
        found[f"{prefix}.flips"] = flips_fact(prefix, flipped, "a draw")
    return found


def of_population(loss_pct: float, growth_pct: float, flips_pct: float) -> FactSet:
    """The same facts of all rows there could ever be: no interval has a width."""
    values: dict[str, Value] = {}
    for prefix in BASELINES:
        values[f"{prefix}.performance"] = _certain(-loss_pct)
        values[f"{prefix}.error_growth"] = _certain(growth_pct)
        values[f"{prefix}.flips"] = _certain(flips_pct)
    return facts_of(values, KnownBy.MEASURED)


def true_facts(population: Population) -> FactSet:
    return of_population(population.loss_pct, population.growth_pct, population.flips_pct)


def _certain(value: float) -> Interval:
    return Interval(value, value, value)


def judged(pack: Pack, facts: FactSet) -> Judgement:
    """The whole decision on an otherwise calm release: rules, gates and track."""
    readings = pack.readings({**facts_of({**CALM, **HIGH_GATES}), **facts})
    return pack.rulebook("model", AT).judge(readings.values, readings.known_by)


def causes(judgement: Judgement) -> frozenset[str]:
    """Rules that raise the track, and enforced gates that do not pass."""
    rules = {
        hit.rule.id for hit in judgement.track_hits if hit.rule.rank and hit.truth is not False
    }
    gates = {
        f"gate {one.gate.id}"
        for one in judgement.gates
        if one.gate.enforced and one.verdict != "pass"
    }
    return frozenset(rules | gates)


def compared(truth: Judgement, found: Judgement, facts: FactSet) -> Kind:
    """What the track of a sample says beside that of the population.

    Heavier is `undecided` where it is yellow only because the interval of the change, which also
    holds values inside the green band, reaches out of it: the rows do not settle it, and the
    sentence says so. Every other heavier track claims what is not so, and is `false`.
    """
    if found.track == truth.track:
        return "as the truth"
    if found.track < truth.track:
        return "missed"
    open_interval = causes(found) - causes(truth) <= {"performance-medium", "gate performance"}
    reaches_in = all(_reaches_into_the_band(facts[f"{one}.performance"].value) for one in BASELINES)
    only_yellow = TRACKS[found.track] == "yellow"
    return "undecided" if only_yellow and open_interval and reaches_in else "false"


def _reaches_into_the_band(value: Value, limit: float = 5.0) -> bool:
    return isinstance(value, Interval) and value.low < limit and value.high > -limit


def clopper_pearson(hits: int, draws: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a share (Clopper and Pearson 1934)."""
    from scipy.stats import beta

    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, draws - hits + 1))
    high = 1.0 if hits == draws else float(beta.ppf(1 - tail, hits + 1, draws - hits))
    return low, high
