"""Performance and flips against the three baselines, on the rows of the release that is judged."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from guiderail.change.behaviour import BEHAVIOUR
from guiderail.core.interval import Interval
from guiderail.facts.standing import Standing
from guiderail.manifest.load import load_release
from guiderail.manifest.release import Release
from tests.facts.small_release import NUMBERS, after, baseline, edit, german, reason, run


def chances(release: Release, rows: Path) -> np.ndarray:
    model = skops.io.load(release.path("model.skops"))
    return np.asarray(model.predict_proba(pd.read_csv(rows)[list(model.feature_names_in_)])[:, 1])


def test_without_production_there_is_nothing_to_compare_with(first: Release) -> None:
    facts = run(BEHAVIOUR, first)

    for name in BEHAVIOUR.gives:
        assert "nothing runs in production" in reason(facts, name)


def test_the_same_model_changes_nothing(first: Release, scores: Path) -> None:
    facts = run(BEHAVIOUR, first, after(first), cache=scores)

    change, flips = facts["change.performance"].value, facts["change.flips"].value
    assert isinstance(change, Interval)
    assert isinstance(flips, Interval)
    assert (change.low, change.value, change.high) == (0, 0, 0)
    assert flips.value == 0
    assert facts["change.error_growth"].value == Interval(0, 0, 0)


def test_a_retrain_is_measured_as_the_oracle_measures_it(
    first: Release, retrain: Path, scores: Path
) -> None:
    release = load_release(retrain)
    facts = run(BEHAVIOUR, release, after(first), cache=scores)

    rows = retrain / "evaluation.csv"
    truth = pd.read_csv(rows)["good"]
    new, old = chances(release, rows), chances(first, rows)
    was, now = roc_auc_score(truth, old), roc_auc_score(truth, new)
    change, flips = facts["change.performance"].value, facts["change.flips"].value
    assert isinstance(change, Interval)
    assert isinstance(flips, Interval)
    assert change.value == pytest.approx(100 * (now - was) / was)
    assert change.low < change.value < change.high
    assert flips.value == pytest.approx(100 * np.mean((new >= 0.5) != (old >= 0.5)))
    growth = facts["change.error_growth"].value
    assert isinstance(growth, Interval)
    assert growth.low < growth.value < growth.high
    assert growth.value == pytest.approx(100 * ((1 - now) - (1 - was)) / (1 - was))
    assert facts["since_full_review.flips"].value == flips
    assert facts["since_review.flips"].value == flips
    assert facts["since_review.error_growth"].value == facts["change.error_growth"].value
    assert facts["change.performance"].detail["n"] == 300


def test_flips_come_with_their_groups_rates_and_a_sample(
    first: Release, retrain: Path, scores: Path
) -> None:
    release = load_release(retrain)
    fact = run(BEHAVIOUR, release, after(first), cache=scores)["change.flips"]

    rows = retrain / "evaluation.csv"
    sex = pd.read_csv(rows)["sex"].to_numpy()
    new, old = chances(release, rows) >= 0.5, chances(first, rows) >= 0.5
    sample = fact.detail["sample"]
    assert len(sample) == min(20, int((new != old).sum()))  # type: ignore[arg-type]  # a list of rows
    for row in sample:  # type: ignore[attr-defined]  # a list of rows
        place = row["row"] - 1
        assert set(row) == {"row", "old", "new"}
        assert (row["old"], row["new"]) == (str(int(old[place])), str(int(new[place])))
        assert row["old"] != row["new"]
    changes = {(row["rate"], row["group"]): row for row in fact.detail["changes"]}  # type: ignore[attr-defined]  # a list of rows
    women = changes["selection_rate", "sex=female"]
    assert women["new"] - women["old"] == pytest.approx(
        new[sex == "female"].mean() - old[sex == "female"].mean()
    )
    assert women["difference"][1] <= women["difference"][0] <= women["difference"][2]
    groups = {row["group"]: row for row in fact.detail["groups"]}  # type: ignore[attr-defined]  # a list of rows
    for group in groups.values():
        assert sum(group["directions"].values()) == group["flips"]


def test_an_attribute_that_makes_no_groups_leaves_the_flips_known(
    first: Release, retrain: Path
) -> None:
    path = retrain / "evaluation.csv"
    frame = pd.read_csv(path)
    frame.assign(town=[f"town {i}" for i in range(300)]).to_csv(path, index=False)
    release = edit(retrain, evaluation={"protected": ["sex", "town"]})

    fact = run(BEHAVIOUR, release, after(first))["change.flips"]

    assert not fact.is_unknown
    assert "town has more than 200" in str(fact.detail["groups_unknown"])
    assert fact.detail["groups"] == []


def test_each_version_decides_with_its_own_threshold(
    first: Release, same: Path, scores: Path
) -> None:
    release = edit(same, model={"threshold": 0.7, "threshold_envelope": [0.6, 0.8]})

    flips = run(BEHAVIOUR, release, after(first), cache=scores)["change.flips"].value

    scored = chances(first, same / "evaluation.csv")
    assert isinstance(flips, Interval)
    assert flips.value == pytest.approx(100 * np.mean((scored >= 0.5) & (scored < 0.7)))


def test_baselines_are_compared_one_by_one(first: Release, retrain: Path, scores: Path) -> None:
    release = load_release(retrain)
    standing = Standing(
        production=baseline(release), reviewed=baseline(first), full_review=baseline(first)
    )

    facts = run(BEHAVIOUR, release, standing, cache=scores)

    assert facts["change.error_growth"].value == Interval(0, 0, 0)
    assert facts["since_review.error_growth"].value != Interval(0, 0, 0)
    flips = facts["change.flips"].value, facts["since_review.flips"].value
    assert isinstance(flips[0], Interval)
    assert isinstance(flips[1], Interval)
    assert flips[0].value == 0
    assert flips[1].value > 0
    against_itself = facts["change.performance"].value
    since = facts["since_review.performance"].value
    assert isinstance(against_itself, Interval)
    assert isinstance(since, Interval)
    assert against_itself.value == 0
    assert since.value != 0


def test_a_baseline_that_is_not_recorded_is_unknown_alone(
    first: Release, retrain: Path, scores: Path
) -> None:
    standing = Standing(production=baseline(first), full_review=baseline(first))

    facts = run(BEHAVIOUR, load_release(retrain), standing, cache=scores)
    for name in ("performance", "error_growth", "flips"):
        assert "is not recorded" in reason(facts, f"since_review.{name}")
    standing = Standing(production=baseline(first), reviewed=baseline(first))

    facts = run(BEHAVIOUR, load_release(retrain), standing, cache=scores)

    assert "is not recorded" in reason(facts, "since_full_review.flips")
    assert not facts["change.flips"].is_unknown


def test_a_baseline_that_fails_says_which_and_the_others_stay_known(
    first: Release, retrain: Path, same: Path, scores: Path
) -> None:
    (same / "model.skops").write_bytes(b"broken")
    broken = load_release(same)
    standing = Standing(
        production=baseline(first), reviewed=baseline(first), full_review=baseline(broken)
    )

    facts = run(BEHAVIOUR, load_release(retrain), standing, cache=scores)

    why = reason(facts, "since_full_review.performance")
    assert "the last fully reviewed version" in why
    assert "refused" in why
    assert not facts["change.performance"].is_unknown


def test_an_earlier_model_that_needs_a_dropped_column_cannot_be_compared(
    first: Release, retrain: Path
) -> None:
    path = retrain / "evaluation.csv"
    frame = german().iloc[700:]
    skops.io.dump(
        LogisticRegression(max_iter=500).fit(frame[list(NUMBERS)], frame["good"]),
        retrain / "model.skops",
    )
    pd.read_csv(path).drop(columns="status").to_csv(path, index=False)

    facts = run(BEHAVIOUR, edit(retrain, version="v2"), after(first))

    assert "lacks the model's input 'status'" in reason(facts, "change.performance")
    assert facts["change.flips"].is_unknown


def test_scores_that_are_no_numbers_measure_nothing(first: Release, retrain: Path) -> None:
    frame = german()
    model = LogisticRegression(max_iter=500).fit(frame[list(NUMBERS)], frame["good"])
    model.coef_[0, 0] = np.nan
    skops.io.dump(model, retrain / "model.skops")

    facts = run(BEHAVIOUR, edit(retrain, version="v2"), after(first))

    assert facts["change.performance"].is_unknown
    assert "not finite" in reason(facts, "change.flips")


def test_without_labels_flips_are_still_known(first: Release, retrain: Path, scores: Path) -> None:
    release = edit(retrain, evaluation={"label": "outcome"})

    facts = run(BEHAVIOUR, release, after(first), cache=scores)

    assert facts["change.performance"].is_unknown
    assert not facts["change.flips"].is_unknown
