"""Equal models keep their track: what is claimed of a change is false at most once in a hundred."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from guiderail.policy import Pack, load_pack
from guiderail_verify.judge import TRACKS
from tests.change.equal_models import (
    Population,
    causes,
    clopper_pearson,
    compared,
    drawn,
    judged,
    measured,
    true_facts,
)

MOST = 0.01
"""Share of equal models whose track may claim a change."""

EQUAL = [
    Population(auc, 0.3, alike, selected=selected)
    for auc in (0.70, 0.85, 0.97)
    for alike in (0.5, 0.95, 0.998)
    for selected in (0.02, 0.3)
]


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("model")


def test_the_population_is_what_it_says() -> None:
    population = Population(0.85, 0.3, 0.95, loss_pct=4.0)
    sample = drawn(population, 200_000, 1)
    assert roc_auc_score(sample.label, sample.old) == pytest.approx(0.85, abs=0.004)
    assert roc_auc_score(sample.label, sample.new) == pytest.approx(0.96 * 0.85, abs=0.004)
    decided = [scores >= sample.threshold for scores in (sample.old, sample.new)]
    assert decided[0].mean() == pytest.approx(population.selected, abs=0.004)
    flipped = 100 * float(np.mean(decided[0] != decided[1]))
    assert flipped == pytest.approx(population.flips_pct, abs=0.2)


@pytest.mark.parametrize("rows", [200, 1000])
def test_false_track_changes_stay_below_one_in_a_hundred(pack: Pack, rows: int) -> None:
    found: Counter[str] = Counter()
    for place, population in enumerate(EQUAL):
        truth = judged(pack, true_facts(population))
        for draw in range(40):
            facts = measured(drawn(population, rows, [place, rows, draw]))
            found[compared(truth, judged(pack, facts), facts)] += 1
    low, _ = clopper_pearson(found["false"], found.total())
    assert low <= MOST, found
    assert found["as the truth"] > found.total() / 2


def test_enough_rows_leave_equal_models_neither_false_nor_undecided(pack: Pack) -> None:
    population = Population(0.85, 0.3, 0.998)
    assert TRACKS[judged(pack, true_facts(population)).track] == "green"
    tracks = [judged(pack, measured(drawn(population, 2000, draw))).track for draw in range(100)]
    assert tracks.count(TRACKS.index("green")) >= 99


def test_a_true_loss_is_found(pack: Pack) -> None:
    """Half of the AUC above chance is lost: red, and by the rule about performance."""
    population = replace(Population(0.85, 0.3, 0.95), loss_pct=20.0)
    for draw in range(20):
        judgement = judged(pack, measured(drawn(population, 2000, draw)))
        assert TRACKS[judgement.track] == "red"
        assert "performance-large" in causes(judgement)


def test_a_few_errors_more_of_a_very_good_model_are_no_growth_beyond_doubt(pack: Pack) -> None:
    """The point of the growth alone would make one in five of these yellow or red."""
    population = Population(0.97, 0.05, 0.95, selected=0.02)
    claimed = pointed = 0
    for draw in range(150):
        facts = measured(drawn(population, 500, draw))
        growth = facts["change.error_growth"].value
        pointed += growth.value >= 25  # type: ignore[union-attr]  # an interval
        claimed += "error-growth" in causes(judged(pack, facts))
    assert pointed >= 15
    assert clopper_pearson(claimed, 150)[0] <= MOST
