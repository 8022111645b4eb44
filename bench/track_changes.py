"""How often equally good models get a heavier track than they should, and what is found for it.

Run `python bench/track_changes.py [DRAWS]`. Every draw goes through the measures and the model
pack as they are: rows, facts, rules, gates, track. The truth is the track of the population itself,
whose figures have no interval. A heavier track is *undecided* where it is yellow and says that the
rows do not rule a change out; it is *false* where it claims what is not so, and always where red.
"""

from __future__ import annotations

import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from tests.change.equal_models import (
    Population,
    Sample,
    causes,
    clopper_pearson,
    compared,
    drawn,
    judged,
    measured,
    of_population,
    true_facts,
)
from tests.facts.test_groups import HARM, NO_HARM
from tests.facts.test_groups import drawn as drawn_groups
from tests.facts.test_groups import verdict as fairness_verdict

from guiderail.measure.drift_bins import Counts
from guiderail.measure.psi import LIMIT, population_stability, verdict
from guiderail.policy import Pack, load_pack
from guiderail_verify.judge import TRACKS

ROWS = (200, 500, 2_000, 10_000)
LOSSES = (0.0, 1.0, 2.0, 5.0, 10.0, 15.0, 20.0)
GROWTHS = (25.0, 50.0, 100.0, 200.0, 400.0)
OUTSIDE = 30_000
"""Rows that stand for the population of the trained models."""


def main() -> None:
    warnings.simplefilter("ignore")
    draws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    pack = load_pack("model")
    equal_populations(pack, draws)
    power_of_performance(pack, draws)
    power_of_error_growth(pack, draws)
    power_of_flips(pack, draws)
    fairness(pack, draws)
    drift(draws)
    trained_again(pack, draws)


def share(hits: int, draws: int) -> str:
    """Percent with its exact 95 % interval."""
    low, high = clopper_pearson(hits, draws)
    return f"{100 * hits / draws:.2f} % ({100 * low:.2f} to {100 * high:.2f})"


def counted(count: Counter[str]) -> str:
    total = count.total()
    others = (
        f"{100 * count[one] / total:.1f} %" for one in ("undecided", "missed", "as the truth")
    )
    return f"{total:,} | {share(count['false'], total)} | " + " | ".join(others)


def heading(title: str, *columns: str) -> None:
    print(f"\n{title}\n\n| {' | '.join(columns)} |\n|{'---|' * len(columns)}")


def equal_populations(pack: Pack, draws: int) -> None:
    grid = [
        Population(auc, positives, alike, selected=selected)
        for auc in (0.70, 0.85, 0.97)
        for positives in (0.5, 0.05)
        for alike in (0.5, 0.8, 0.95, 0.998)
        for selected in (0.02, 0.3)
    ]
    heading(
        f"Equal models, {len(grid)} populations",
        *("rows", "draws", "false", "undecided", "lighter", "as the truth", "worst population"),
    )
    for rows in ROWS:
        whole: Counter[str] = Counter()
        worst, where = -1, grid[0]
        for place, population in enumerate(grid):
            truth = judged(pack, true_facts(population))
            found: Counter[str] = Counter()
            for draw in range(draws):
                facts = measured(drawn(population, rows, [place, rows, draw]))
                found[compared(truth, judged(pack, facts), facts)] += 1
            whole += found
            if found["false"] > worst:
                worst, where = found["false"], population
        told = f"{worst} of {draws}: AUC {where.auc}, {where.positives:.0%} positive, "
        told += f"{where.flips_pct:.2f} % flips"
        print(f"| {rows:,} | {counted(whole)} | {told} |")


RECIPES: dict[str, Callable[[int], object]] = {
    "logistic regression": lambda seed: LogisticRegression(max_iter=500),
    "forest": lambda seed: RandomForestClassifier(120, min_samples_leaf=5, random_state=seed),
    "boosted trees": lambda seed: HistGradientBoostingClassifier(
        max_iter=80, learning_rate=0.08, random_state=seed
    ),
}


def trained_again(pack: Pack, draws: int) -> None:
    """One recipe trained twice on resampled rows with another seed, on data of two label rates."""
    heading(
        "Trained again",
        *("recipe, positives", "true flips", "rows", "draws"),
        *("false", "undecided", "lighter", "as the truth"),
    )
    for name, recipe in RECIPES.items():
        for positives in (0.3, 0.05):
            for rows in ROWS:
                whole: Counter[str] = Counter()
                flips = []
                for number in range(PAIRS):
                    pair = trained_pair(recipe, positives, number)
                    flips.append(pair.flips_pct)
                    whole += pair.compared(pack, rows, max(1, draws // PAIRS))
                told = f"{min(flips):.1f} to {max(flips):.1f} %"
                print(f"| {name}, {positives:.0%} | {told} | {rows:,} | {counted(whole)} |")


PAIRS = 4


class TrainedPair:
    """Scores of two trainings on rows that neither has seen, which stand for all there are."""

    def __init__(self, label: np.ndarray, old: np.ndarray, new: np.ndarray, selected: float):
        self.label, self.old, self.new = label, old, new
        self.threshold = float(np.quantile(old, 1 - selected))
        areas = [roc_auc_score(label, scores) for scores in (old, new)]
        apart = (old >= self.threshold) != (new >= self.threshold)
        self.flips_pct = 100 * float(apart.mean())
        growth = 100 * ((1 - areas[1]) / (1 - areas[0]) - 1)
        self.truth = of_population(-100 * (areas[1] / areas[0] - 1), growth, self.flips_pct)

    def compared(self, pack: Pack, rows: int, draws: int) -> Counter[str]:
        found: Counter[str] = Counter()
        truth = judged(pack, self.truth)
        for draw in range(draws):
            some = np.random.default_rng([rows, draw]).integers(0, len(self.label), rows)
            if min(np.bincount(self.label[some], minlength=2)) < 2:
                continue
            sample = Sample(self.label[some], self.old[some], self.new[some], self.threshold)
            facts = measured(sample)
            found[compared(truth, judged(pack, facts), facts)] += 1
        return found


_PAIRS: dict[tuple[object, float, int], TrainedPair] = {}


def trained_pair(recipe: Callable[[int], object], positives: float, number: int) -> TrainedPair:
    key = (recipe, positives, number)
    if key not in _PAIRS:
        inputs, label = make_classification(
            OUTSIDE + 6000,
            n_features=16,
            n_informative=8,
            weights=[1 - positives],
            class_sep=0.8,
            flip_y=0.02,
            random_state=number,
        )
        scores = []
        for seed in (1, 2):
            some = OUTSIDE + np.random.default_rng([number, seed]).integers(0, 6000, 6000)
            model = recipe(seed).fit(inputs[some], label[some])
            scores.append(model.predict_proba(inputs[:OUTSIDE])[:, 1])
        _PAIRS[key] = TrainedPair(label[:OUTSIDE], *scores, selected=positives)
    return _PAIRS[key]


def tracks(pack: Pack, population: Population, rows: int, draws: int) -> list[frozenset[str]]:
    """For each draw the causes of its track, and the track itself."""
    found = []
    for draw in range(draws):
        judgement = judged(pack, measured(drawn(population, rows, [7, rows, draw])))
        found.append(causes(judgement) | {TRACKS[judgement.track]})
    return found


def percent(hits: Iterable[bool]) -> str:
    listed = list(hits)
    return f"{100 * sum(listed) / len(listed):.0f} %"


RULES = {"performance-medium", "performance-large", "error-growth"}


def power_of_performance(pack: Pack, draws: int) -> None:
    base = Population(0.85, 0.2, 0.95, selected=0.02)
    found = {
        (rows, loss): tracks(pack, replace(base, loss_pct=loss), rows, draws)
        for rows in ROWS
        for loss in LOSSES
    }
    asked: dict[str, Callable[[frozenset[str]], bool]] = {
        "at least yellow": lambda one: bool(one & RULES),
        "red": lambda one: "red" in one and bool(one & RULES - {"performance-medium"}),
        "gate passes": lambda one: "gate performance" not in one,
    }
    for says, holds in asked.items():
        heading(
            f"A true loss of AUC (0.85, 20 % positive), rules about flips left out: {says}",
            *("rows", *(f"{loss:.0f} %" for loss in LOSSES)),
        )
        for rows in ROWS:
            cells = (percent(map(holds, found[rows, loss])) for loss in LOSSES)
            print(f"| {rows:,} | {' | '.join(cells)} |")


def power_of_error_growth(pack: Pack, draws: int) -> None:
    base = Population(0.97, 0.2, 0.95, selected=0.02)
    found = {
        (rows, growth): tracks(pack, replace(base, loss_pct=3 * growth / 97), rows, draws)
        for rows in ROWS
        for growth in GROWTHS
    }
    asked: dict[str, Callable[[frozenset[str]], bool]] = {
        "at least yellow": lambda one: bool(one & RULES),
        "at least yellow by that rule": lambda one: "error-growth" in one,
        "red": lambda one: "red" in one,
    }
    for says, holds in asked.items():
        heading(
            f"A true growth of the error (AUC 0.97, 20 % positive): {says}",
            *("rows", *(f"{growth:.0f} %" for growth in GROWTHS)),
        )
        for rows in ROWS:
            cells = (percent(map(holds, found[rows, growth])) for growth in GROWTHS)
            print(f"| {rows:,} | {' | '.join(cells)} |")


def power_of_flips(pack: Pack, draws: int) -> None:
    alike = (0.998, 0.9974, 0.994, 0.985, 0.95)
    populations = [Population(0.85, 0.2, one, selected=0.3) for one in alike]
    heading(
        "Flips of equal models: yellow or red by that rule; the limits are 2 % and 10 %",
        *("rows", *(f"{one.flips_pct:.2f} % true" for one in populations)),
    )
    for rows in ROWS:
        found = (tracks(pack, one, rows, draws) for one in populations)
        cells = (percent("decision-flips" in one for one in every) for every in found)
        print(f"| {rows:,} | {' | '.join(cells)} |")


def fairness(pack: Pack, draws: int) -> None:
    heading(
        "Fairness gate, four intersections",
        *("rows of each", "equal: fails", "equal: passes", "harm only at intersections: fails"),
    )
    for each in (60, 150, 400, 1_500, 6_000):
        null, harm = (
            Counter(
                str(fairness_verdict(pack, drawn_groups(rates, each, seed))[0])
                for seed in range(draws)
            )
            for rates in (NO_HARM, HARM)
        )
        cells = (null["fail"], null["pass"], harm["fail"])
        print(f"| {each:,} | {' | '.join(share(hits, draws) for hits in cells)} |")


def drift(draws: int) -> None:
    """Ten equal bins; the current data hold each bin's share times what moves the index so far."""
    heading(
        f"Drift of one column in ten bins, limit {LIMIT}",
        *(
            "rows on each side",
            "true index 0: moved",
            "0: undecided",
            "0.15: moved",
            "0.35: moved",
            "0.5: moved",
        ),
    )
    reference = np.full(10, 0.1)
    for rows in ROWS:
        cells = []
        for index in (0.0, 0.15, 0.35, 0.5):
            found: Counter[str] = Counter()
            random = np.random.default_rng([11, rows])
            for _ in range(draws):
                old: Counts = random.multinomial(rows, reference).astype(np.float64)
                new: Counts = random.multinomial(rows, moved_by(index)).astype(np.float64)
                used = old + new > 0
                found[verdict(population_stability(old[used], new[used]), LIMIT)] += 1
            cells.append(share(found["moved"], draws))
            if index == 0.0:
                cells.append(share(found["insufficient"], draws))
        print(f"| {rows:,} | {' | '.join(cells)} |")


def moved_by(index: float) -> np.ndarray:
    """Shares of ten bins whose stability index against equal ones is this."""
    tilt = np.linspace(-1, 1, 10)
    low, high = 0.0, 5.0
    for _ in range(60):
        middle = (low + high) / 2
        shares = np.exp(middle * tilt) / np.exp(middle * tilt).sum()
        far = float(np.sum((shares - 0.1) * np.log(shares / 0.1)))
        low, high = (middle, high) if far < index else (low, middle)
    return np.exp(low * tilt) / np.exp(low * tilt).sum()


if __name__ == "__main__":
    main()
