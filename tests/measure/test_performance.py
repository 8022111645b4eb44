"""Metrics agree with scikit-learn, intervals cover, and what cannot be measured says why."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as oracle

from guiderail.core.interval import Interval
from guiderail.core.metrics import METRIC_KINDS
from guiderail.manifest.schema import Metric
from guiderail.measure.influence import influence_change
from guiderail.measure.metrics import prepared
from guiderail.measure.performance import Performance, paired_change
from guiderail.measure.resampling import bootstrap_change
from guiderail.measure.scored_rows import Change, ScoredRows, scored_rows
from guiderail.measure.unmeasurable import NotMeasurable

ORACLES = {
    "roc_auc": oracle.roc_auc_score,
    "accuracy": oracle.accuracy_score,
    "f1": oracle.f1_score,
    "log_loss": oracle.log_loss,
    "brier": oracle.brier_score_loss,
    "rmse": oracle.root_mean_squared_error,
    "mae": oracle.mean_absolute_error,
    "pr_auc": oracle.average_precision_score,
    "precision": oracle.precision_score,
    "recall": oracle.recall_score,
    "specificity": lambda label, said, **options: oracle.recall_score(
        label, said, pos_label=0, **options
    ),
    "balanced_accuracy": oracle.balanced_accuracy_score,
    "mcc": oracle.matthews_corrcoef,
    "r2": oracle.r2_score,
    "mape": oracle.mean_absolute_percentage_error,
}
DECISIONS = {name for name, kind in METRIC_KINDS.items() if kind.fed in ("decisions", "matches")}


def case(metric: str, rows: int = 400, seed: int = 1) -> tuple[Any, Any, Any]:
    random = np.random.default_rng(seed)
    label = random.integers(0, 2, rows)
    signal = label + random.normal(0, 1, rows)
    noisy = signal + random.normal(0, 0.5, rows)
    scores = [1 / (1 + np.exp(-values)).round(2) for values in (signal, noisy)]
    if metric == "mape":
        label = label + 1
    if metric in DECISIONS:
        scores = [(values > 0.5).astype(int) for values in scores]
    if metric in {"brier", "log_loss"}:
        scores = [np.clip(values, 0, 1) for values in scores]
    return label, scores[0], scores[1]


def measured(*arguments: Any, **options: Any) -> Performance:
    found = paired_change(*arguments, **options)
    assert isinstance(found, Performance), found
    return found


def reason(*arguments: Any, **options: Any) -> str:
    found = paired_change(*arguments, **options)
    assert isinstance(found, NotMeasurable), found
    return found.reason


@pytest.mark.parametrize("metric", ORACLES)
def test_both_values_are_those_of_scikit_learn(metric: str) -> None:
    label, new, old = case(metric)
    found = measured(metric, label, new, old)
    assert found.old is not None
    assert found.delta is not None
    assert found.value.value == pytest.approx(ORACLES[metric](label, new), abs=1e-9)
    assert found.old.value == pytest.approx(ORACLES[metric](label, old), abs=1e-9)
    assert found.delta.value == pytest.approx(found.value.value - found.old.value, abs=1e-12)
    assert found.n == 400


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=4, max_size=60))
def test_auc_with_ties_is_that_of_scikit_learn(rows: list[tuple[bool, int]]) -> None:
    label = np.array([positive for positive, _ in rows])
    scores = np.array([score for _, score in rows])
    found = paired_change("roc_auc", label, scores)
    if min(label.sum(), (~label).sum()) < 2 or len(set(scores.tolist())) == 1:
        assert isinstance(found, NotMeasurable)
    else:
        assert isinstance(found, Performance)
        assert found.value.value == pytest.approx(oracle.roc_auc_score(label, scores), abs=1e-9)


def test_delong_is_the_covariance_of_the_definition() -> None:
    label, new, old = case("roc_auc", rows=60)
    found = measured("roc_auc", label, new, old)

    def placements(scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        pairs = np.subtract.outer(scores[label == 1], scores[label == 0])
        wins = (pairs > 0) + 0.5 * (pairs == 0)
        return wins.mean(axis=1), wins.mean(axis=0)

    (p_new, n_new), (p_old, n_old) = placements(new), placements(old)
    variance = np.var(p_new - p_old, ddof=1) / len(p_new)
    variance += np.var(n_new - n_old, ddof=1) / len(n_new)
    assert found.delta is not None
    half = (found.delta.high - found.delta.low) / 2
    assert half == pytest.approx(1.959963984540054 * math.sqrt(variance), abs=1e-12)


@pytest.mark.parametrize("metric", ["log_loss", "brier", "rmse", "mae"])
def test_a_smaller_loss_is_a_positive_change(metric: str) -> None:
    label, _, old = case(metric)
    better = label * 0.9 + (1 - label) * 0.1
    found = measured(metric, label, better, old)
    assert found.relative_pct is not None
    assert found.relative_pct.low > 0
    assert found.error_growth_pct is not None
    assert found.error_growth_pct.high < 0


def test_a_larger_auc_is_a_positive_change() -> None:
    label, new, old = case("roc_auc")
    found = measured("roc_auc", label, new, old)
    assert found.relative_pct is not None
    assert found.old is not None
    expected = 100 * (found.value.value / found.old.value - 1)
    assert found.relative_pct.value == pytest.approx(expected)
    assert found.relative_pct.value > 0


def test_auc_from_99_to_95_is_a_fivefold_error() -> None:
    label = np.repeat([1, 0], [1, 100])
    label = np.concatenate([label, [1]])
    old = np.where(label == 1, 1.0, 0.0) + np.arange(102) * 1e-6
    new = old.copy()
    old[np.flatnonzero(label == 0)[:1]] = 2.0  # one of a hundred negatives above both positives
    new[np.flatnonzero(label == 0)[:5]] = 2.0
    found = measured("roc_auc", label, new, old)
    assert found.value.value == pytest.approx(0.95)
    assert found.error_growth_pct is not None
    assert found.error_growth_pct.value == pytest.approx(400)


@pytest.mark.parametrize("metric", [name for name in ORACLES if name != "mcc"])
@pytest.mark.parametrize("rows", [400, 8000])
def test_the_error_grows_by_what_lies_between_both_models_and_perfect(
    metric: str, rows: int
) -> None:
    label, new, old = case(metric, rows=rows)
    found = measured(metric, label, new, old)
    growth, perfect = found.error_growth_pct, METRIC_KINDS[metric].perfect
    assert growth is not None
    assert found.old is not None
    apart, was = (abs(perfect - one.value) for one in (found.value, found.old))
    assert growth.value == pytest.approx(100 * (apart / was - 1), abs=1e-9)
    assert growth.low < growth.value < growth.high
    if perfect == 0:  # then it is the relative change itself, plus being worse
        assert found.relative_pct is not None
        expected = (-found.relative_pct.high, -found.relative_pct.low)
        assert (growth.low, growth.high) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "f1"])
def test_the_interval_of_the_growth_holds_none_nineteen_times_in_twenty(metric: str) -> None:
    random = np.random.default_rng(21)
    covered = 0
    for _ in range(100):
        label = random.integers(0, 2, 150)
        base = label * 1.2 + random.normal(0, 1, 150)
        new, old = (base + random.normal(0, 0.7, 150) for _ in range(2))  # equal in law
        if metric != "roc_auc":
            new, old = (new > 0.6).astype(int), (old > 0.6).astype(int)
        growth = measured(metric, label, new, old).error_growth_pct
        assert growth is not None
        covered += growth.low <= 0 <= growth.high
    assert covered >= 88  # 95 expected, three standard errors less


@pytest.mark.parametrize("metric", ORACLES)
def test_a_model_against_itself_has_not_changed(metric: str) -> None:
    label, new, _ = case(metric)
    found = measured(metric, label, new, new)
    assert found.delta is not None
    assert found.relative_pct is not None
    assert found.delta.value == found.relative_pct.value == 0
    assert found.error_growth_pct is not None
    assert found.error_growth_pct.value == 0
    if metric != "accuracy":  # whose closed form never closes
        assert found.delta == Interval(0, 0, 0)


@pytest.mark.parametrize("metric", ORACLES)
def test_without_an_old_model_there_is_no_change(metric: str) -> None:
    label, new, _ = case(metric)
    found = measured(metric, label, new)
    assert found.old is found.delta is found.relative_pct is found.error_growth_pct is None
    assert found.rows_needed is None


@pytest.mark.parametrize("metric", ["log_loss", "f1", "rmse"])
def test_the_same_seed_gives_the_same_interval(metric: str) -> None:
    label, new, old = case(metric)
    assert paired_change(metric, label, new, old) == paired_change(metric, label, new, old, seed=0)
    assert paired_change(metric, label, new, old) != paired_change(metric, label, new, old, seed=1)


@pytest.mark.parametrize("metric", ORACLES)
def test_copies_of_rows_in_a_cluster_do_not_narrow_the_interval(metric: str) -> None:
    label, new, old = case(metric)
    once = measured(metric, label, new, old)
    four = [np.repeat(values, 4) for values in (label, new, old)]
    clustered = measured(metric, *four, clusters=np.repeat(np.arange(400), 4))
    naive = measured(metric, *four)
    assert once.delta is not None
    assert clustered.delta is not None
    assert naive.delta is not None
    width = clustered.delta.high - clustered.delta.low
    assert width == pytest.approx(once.delta.high - once.delta.low, rel=0.1)
    assert width > 1.7 * (naive.delta.high - naive.delta.low)


def test_bundles_of_many_rows_keep_the_width() -> None:
    label, new, old = case("brier", rows=20_000)
    found = measured("brier", label, new, old)
    terms = (label - new) ** 2 - (label - old) ** 2
    assert found.delta is not None
    normal = 2 * 1.96 * terms.std() / math.sqrt(len(terms))
    assert found.delta.high - found.delta.low == pytest.approx(normal, rel=0.08)


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "f1"])
def test_a_perfect_sample_is_no_proof_of_a_perfect_model(metric: str) -> None:
    label = np.tile([0, 1], 20)
    found = measured(metric, label, label.astype(float) if metric == "roc_auc" else label)
    assert found.value.value == found.value.high == 1
    assert 0.7 < found.value.low < 1


def test_two_perfect_models_that_differ_leave_the_change_open() -> None:
    label = np.tile([0, 1], 20)
    found = measured("roc_auc", label, label + np.arange(40) % 3 * 0.1, label.astype(float))
    assert found.delta == Interval(0, 0, 0)  # every pair is ordered alike: the same ranking
    worst = measured("roc_auc", label, 1.0 - label, label.astype(float))
    assert worst.delta is not None
    assert worst.delta.value == -1
    assert worst.delta.high > -1


@pytest.mark.parametrize("metric", ["roc_auc", "accuracy", "f1", "log_loss"])
def test_the_interval_of_the_change_covers_it_nineteen_times_in_twenty(metric: str) -> None:
    random = np.random.default_rng(20)
    covered = 0
    for _ in range(100):
        label = random.integers(0, 2, 150)
        base = label * 1.2 + random.normal(0, 1, 150)
        new, old = (1 / (1 + np.exp(-(base + random.normal(0, 0.7, 150) - 0.6))) for _ in range(2))
        if metric in {"accuracy", "f1"}:
            new, old = (new > 0.5).astype(int), (old > 0.5).astype(int)
        found = measured(metric, label, new, old)  # equal in law: the true change is 0
        assert found.delta is not None
        covered += found.delta.low <= 0 <= found.delta.high
    assert covered >= 88  # 95 expected, three standard errors less


def test_labels_may_be_texts_numbers_or_truth_values() -> None:
    scores = [0.1, 0.9, 0.4, 0.8]
    expected = measured("roc_auc", [0, 1, 0, 1], scores).value
    assert measured("roc_auc", ["bad", "good", "bad", "good"], scores).value == expected
    assert measured("roc_auc", [1, 2, 1, 2], scores, positive="2").value == expected
    assert measured("roc_auc", [1.0, 2.0, 1.0, 2.0], scores, positive=2).value == expected
    assert (
        measured("roc_auc", [False, True, False, True], scores, positive="True").value == expected
    )
    assert measured("roc_auc", [1, 2, 1, 2], scores, positive="2.0").value == expected
    low = [1 - score for score in scores]
    assert measured("roc_auc", [2, 1, 2, 1], low, positive="2").value == pytest.approx(expected)


def test_accuracy_takes_any_number_of_classes_and_types() -> None:
    found = measured("accuracy", np.array(["1", "2", "3"], dtype=object), [1, 2.0, 2])
    assert found.value.value == pytest.approx(2 / 3)


FINE = [0.1, 0.9, 0.4, 0.8]


@pytest.mark.parametrize(
    ("metric", "label", "new", "old", "says"),
    [
        ("roc_auc", [], [], None, "no rows"),
        ("roc_auc", [0, 1, 0, 1], [0.1, float("nan"), 0.4, 0.8], None, "1 of 4 scores"),
        ("roc_auc", [0, 1, 0, 1], [0.1, None, 0.4, 0.8], None, "1 of 4 scores"),
        ("roc_auc", [0, 1, 0, 1], [0.1, float("inf"), 0.4, 0.8], None, "infinite"),
        ("roc_auc", [0, 1, 0, 1], FINE, [0.1, float("nan"), 0.4, 0.8], "old model"),
        ("roc_auc", [0, 1, 0, 1], [0.5] * 4, None, "same score"),
        ("roc_auc", [0, 1, 0, 1], FINE, [0.5] * 4, "old model gives every row the same"),
        ("roc_auc", [1, 1, 1, 1], FINE, None, "two classes"),
        ("roc_auc", [0, 1, 2, 1], FINE, None, "3 classes"),
        ("roc_auc", [0, 1, None, 1], FINE, None, "labels are missing"),
        ("roc_auc", [0, 0, 0, 1], FINE, None, "fewer than two"),
        ("roc_auc", [0, 1, 0, 1], FINE[:3], None, "3 scores for 4 labels"),
        ("roc_auc", [0, 1, 0, 1], ["a", "b", "c", "d"], None, "not numbers"),
        ("roc_auc", [0, 1, 0, 1], [[0.1, 0.9]] * 4, None, "4 x 2 scores"),
        ("log_loss", [0, 1, 0, 1], [0.1, 1.2, 0.4, 0.8], None, "no probabilities"),
        ("brier", [0, 1] * 2, FINE, None, "too few"),
        ("f1", ["no", "yes"] * 10, ["no", "maybe"] * 10, None, '"maybe"'),
        ("accuracy", ["no", "yes"], [0, 1], None, "not among the labels"),
        ("accuracy", ["no", "yes"], ["no", None], None, "decisions"),
        ("rmse", ["a", "b"], [1, 2], None, "not numbers"),
        ("mae", [1.0, float("inf")], [1, 2], None, "infinite"),
        ("rmse", [1e200] * 12, [-1e200] * 12, None, "too large"),
    ],
)
def test_what_the_data_do_not_support_says_why(
    metric: str, label: Any, new: Any, old: Any, says: str
) -> None:
    assert says in reason(metric, label, new, old)


def test_a_positive_label_that_does_not_occur_is_no_number() -> None:
    assert '"3" does not occur' in reason("roc_auc", [0, 1, 0, 1], FINE, positive=3)


def test_units_that_are_missing_are_no_number() -> None:
    assert "name no unit" in reason("roc_auc", [0, 1] * 2, FINE, clusters=["a", None, "b", "c"])
    assert "2 units are named" in reason("roc_auc", [0, 1] * 2, FINE, clusters=["a", "b"])


def test_an_unknown_metric_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="none of"):
        paired_change("gini", [0, 1], [0, 1])


@pytest.mark.parametrize("metric", ORACLES)
def test_weighted_values_are_those_of_scikit_learn(metric: str) -> None:
    label, new, old = case(metric)
    weights = np.random.default_rng(5).gamma(1, 2, len(label))
    weights[:40] = 0
    found = measured(metric, label, new, old, weights=weights)
    assert found.n == 360
    assert found.old is not None
    if metric == "rmse":
        expected = math.sqrt(oracle.mean_squared_error(label, new, sample_weight=weights))
    else:
        expected = ORACLES[metric](label, new, sample_weight=weights)
    assert found.value.value == pytest.approx(expected, abs=1e-9)
    doubled = measured(metric, label, new, old, weights=2 * weights)
    assert doubled.value.value == pytest.approx(found.value.value, abs=1e-12)


def test_equal_weights_change_nothing_about_auc() -> None:
    label, new, old = case("roc_auc")
    plain = measured("roc_auc", label, new, old)
    weighted = measured("roc_auc", label, new, old, weights=np.full(400, 0.3))
    for ours, theirs in ((plain.value, weighted.value), (plain.delta, weighted.delta)):
        assert ours is not None
        assert theirs is not None
        assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize("metric", [name for name in ORACLES if name != "accuracy"])
def test_the_influence_of_a_row_is_the_derivative_by_its_weight(metric: str) -> None:
    label, new, _ = case(metric, rows=80)
    rows = scored_rows(metric, label, new, None, positive=None, clusters=None)
    assert isinstance(rows, ScoredRows)
    model = prepared(metric, rows.label, rows.new)
    found, step = model.influence(rows.weight), 1e-6
    assert float(found.sum()) == pytest.approx(0, abs=1e-12)  # twice the rows, the same value
    for i in (0, 17, 42):
        moved = rows.weight.copy()
        moved[i] += step
        numeric = (model.value(moved) - model.value(rows.weight)) / step
        assert found[i] == pytest.approx(numeric, abs=1e-6)


@pytest.mark.parametrize("metric", ["f1", "log_loss", "mcc", "pr_auc"])
def test_the_closed_form_agrees_with_the_bootstrap(metric: str) -> None:
    label, new, old = case(metric, rows=4000)
    rows = scored_rows(metric, label, new, old, positive=None, clusters=None)
    assert isinstance(rows, ScoredRows)
    assert rows.old is not None
    models = [prepared(metric, rows.label, column) for column in (rows.new, rows.old)]
    closed = influence_change(metric, rows, models[0], models[1])
    drawn = bootstrap_change(metric, rows, models[0], models[1], 0)
    assert isinstance(closed, Change)
    assert isinstance(drawn, Change)
    for ours, theirs in ((closed.value, drawn.value), (closed.delta, drawn.delta)):
        assert ours is not None
        assert theirs is not None
        assert ours.high - ours.low == pytest.approx(theirs.high - theirs.low, rel=0.08)


def test_many_rows_take_the_closed_form_and_rare_events_do_not() -> None:
    label, new, old = case("f1", rows=8000)
    assert "influence" in measured("f1", label, new, old).method
    rare = np.zeros(8000, dtype=int)
    rare[:30] = 1
    assert "bootstrap" in measured("f1", rare, np.where(np.arange(8000) < 40, 1, 0)).method


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1, -1, 1, 1], "1 of 4 weights in the column w are negative"),
        ([0, 0, 0, 0], "all weights in the column w are 0"),
        ([1, float("nan"), 1, 1], "1 of 4 weights in the column w are missing"),
        ([1, float("inf"), 1, 1], "1 of 4 weights in the column w are infinite"),
        (["a", "b", "c", "d"], "weights in the column w are not numbers"),
        ([1, 0, 1, 0], "one class where the weights are above 0"),
        ([1, 1, 1], "3 weights in the column w are given for 4 rows"),
    ],
)
def test_weights_that_are_none_are_named_with_their_column(weights: Any, says: str) -> None:
    assert says in reason("roc_auc", [0, 1, 0, 1], FINE, weights=weights, names={"weights": "w"})


@pytest.mark.parametrize(
    ("metric", "label", "new", "says"),
    [
        ("mape", [1.0, 0.0, 2.0], [1.0, 1.0, 1.0], "1 labels in the column y are 0"),
        ("r2", [2.0, 2.0, 2.0], [1.0, 1.0, 1.0], "labels in the column y are all the same"),
        ("roc_auc", [1, 1, 1], [0.1, 0.2, 0.3], 'labels in the column y are all "1"'),
        ("precision", [0, 1] * 20, [0, 0] * 20, "undefined"),
        ("mcc", [0, 1] * 20, [1, 1] * 20, "undefined"),
        ("mae", ["2024-01-01", "2024-01-02"], [1, 2], "labels in the column y are not numbers"),
    ],
)
def test_what_a_metric_divides_by_must_not_be_nothing(
    metric: str, label: Any, new: Any, says: str
) -> None:
    assert says in reason(metric, label, new, names={"label": "y", "new": "p"})


def test_a_change_relative_to_nothing_or_less_is_not_given() -> None:
    label = np.random.default_rng(1).normal(size=200)
    found = measured("r2", label, 0.9 * label, -label)
    assert found.old is not None
    assert found.old.value < 0
    assert found.delta is not None
    assert found.relative_pct is None


@pytest.mark.parametrize(
    "metric", ["precision", "recall", "specificity", "balanced_accuracy", "mcc"]
)
def test_no_error_in_the_sample_is_no_proof_of_none(metric: str) -> None:
    label = np.tile([0, 1], 20)
    found = measured(metric, label, label)
    assert found.value.value == found.value.high == 1
    assert 0.5 < found.value.low < 0.95


def test_the_manifest_knows_every_metric() -> None:
    assert set(get_args(Metric)) == set(METRIC_KINDS)
