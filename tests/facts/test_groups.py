"""Facts about groups: error ratios, ranges, and what the fairness gate decides on them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression

from guiderail.change.judged_by import RECIPE
from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.core.scales import Verdict
from guiderail.facts.data.groups import GROUPS, Measured, group_facts
from guiderail.facts.fact import FactSet
from guiderail.manifest.release import Release
from guiderail.measure.comparisons import compare_cells
from guiderail.measure.groups import GroupCell
from guiderail.policy import Pack, load_pack
from tests.facts.small_release import after, edit, reason, run
from tests.policy.calm import HIGH_GATES, decided

HARM = {("f", "young"): 0.72, ("f", "old"): 0.12, ("m", "young"): 0.15, ("m", "old"): 0.74}
NO_HARM = dict.fromkeys(HARM, 0.43)


@pytest.fixture(scope="module")
def pack() -> Pack:
    return load_pack("model")


def verdict(pack: Pack, facts: FactSet) -> tuple[Verdict, str]:
    """The fairness gate of a whole decision on an otherwise calm release of a high tier."""
    measured = {name: fact.value for name, fact in facts.items()}
    details = {name: fact.detail for name, fact in facts.items()}
    decision = decided(pack, {"use.domain": "credit", **HIGH_GATES, **measured}, details=details)
    gate = next(gate for gate in decision.gates if gate.id == "fairness")
    return gate.verdict, gate.sentence


def drawn(rates: dict[tuple[str, str], float], each: int, seed: int) -> FactSet:
    """Facts of one draw: labels are fair coins, decisions do not depend on them."""
    random = np.random.default_rng(seed)
    finest = {}
    for key, rate in rates.items():
        positives = int(random.binomial(each, 0.5))
        tp, fp = (int(random.binomial(n, rate)) for n in (positives, each - positives))
        finest[key] = np.array([each - positives - fp, fp, positives - tp, tp])
    levels = []
    for chosen in ((0,), (1,), (0, 1)):
        sums: dict[tuple[tuple[str, str], ...], Any] = {}
        for key, counts in finest.items():
            group = tuple((("sex", "age")[i], key[i]) for i in chosen)
            sums[group] = sums.get(group, 0) + counts
        levels.append([cell(group, *counts.tolist()) for group, counts in sums.items()])
    report = compare_cells(levels)
    return {fact.name: fact for fact in group_facts(Measured(report, ("sex", "age")), "a draw")}


def cell(group: tuple[tuple[str, str], ...], tn: int, fp: int, fn: int, tp: int) -> GroupCell:
    return GroupCell(group, tn + fp + fn + tp, fp + tp, tn, fp, fn, tp)


def test_harm_only_at_intersections_fails_the_gate(pack: Pack) -> None:
    facts = drawn(HARM, 400, seed=1)
    answer, sentence = verdict(pack, facts)
    assert answer is Verdict.FAIL
    assert "sex f, age old" in sentence
    for group in ("f", "m", "young", "old"):  # nobody would see it in one attribute alone
        both = [rate for key, rate in HARM.items() if group in key]
        assert sum(both) / 2 == pytest.approx(0.4325, abs=0.0126)


def test_harm_only_at_intersections_fails_in_every_draw(pack: Pack) -> None:
    verdicts = [verdict(pack, drawn(HARM, 400, seed))[0] for seed in range(20)]
    assert verdicts == [Verdict.FAIL] * 20


def test_its_null_passes_the_gate_in_99_of_100_draws_of_sufficient_size(pack: Pack) -> None:
    verdicts = [verdict(pack, drawn(NO_HARM, 6000, seed))[0] for seed in range(100)]
    assert verdicts.count(Verdict.PASS) >= 99


def test_its_null_never_fails_where_the_size_is_not_sufficient(pack: Pack) -> None:
    verdicts = [verdict(pack, drawn(NO_HARM, 150, seed))[0] for seed in range(100)]
    assert verdicts.count(Verdict.FAIL) == 0
    assert verdicts.count(Verdict.INSUFFICIENT) > 90


def decides_by_score(directory: Path, rates: dict[tuple[str, str], float], each: int) -> Release:
    """A release whose model decides by one score, and data with these selection rates."""
    random = np.random.default_rng(4)
    keys = [key for key in rates for _ in range(each)]
    selected = np.concatenate([random.random(each) < rate for rate in rates.values()])
    frame = pd.DataFrame(
        {
            "month": np.where(selected, 30.0, 5.0) + random.normal(0, 1, len(keys)),
            "sex": [sex for sex, _ in keys],
            "age": [25 if age == "young" else 61 for _, age in keys],
            "good": random.integers(0, 2, len(keys)),
        }
    )
    frame.to_csv(directory / "evaluation.csv", index=False)
    fitted = LogisticRegression().fit(frame[["month"]], selected.astype(int))
    skops.io.dump(fitted, directory / "model.skops")
    return edit(directory, version="v2", evaluation={"protected": ["sex", "age:40"]})


def test_a_real_model_with_harm_only_at_intersections_fails(pack: Pack, directory: Path) -> None:
    facts = run(GROUPS, decides_by_score(directory, HARM, 500))
    answer, sentence = verdict(pack, facts)
    assert answer is Verdict.FAIL
    assert "sex f, age 40 and over" in sentence
    assert facts["fairness.selection_ratio"].detail["lowest"] == [
        "sex f, age 40 and over",
        "sex m, age 40 and over",
    ]


def test_a_real_model_that_treats_all_alike_passes(pack: Pack, directory: Path) -> None:
    facts = run(GROUPS, decides_by_score(directory, dict.fromkeys(HARM, 0.5), 4000))
    assert verdict(pack, facts)[0] is Verdict.PASS
    assert facts["fairness.underpowered_groups"].value == 0


def test_error_rates_are_measured_on_the_labels(release: Release) -> None:
    facts = run(GROUPS, release)
    found = facts["fairness.error_ratio"]
    assert isinstance(found.value, Interval)
    assert found.detail["rates"] == ["tpr", "fpr"]
    assert 0 <= found.value.low <= found.value.value <= 1
    calibration = found.detail["calibration"]
    assert [row["group"] for row in calibration] == ["sex female", "sex male"]  # type: ignore[attr-defined]  # detail is plain JSON


def test_the_chosen_error_rate_is_the_one_that_counts(directory: Path) -> None:
    facts = run(GROUPS, edit(directory, evaluation={"error_rate": "ppv"}))
    assert facts["fairness.error_ratio"].detail["rates"] == ["ppv"]


def test_another_error_rate_is_another_way_of_judging(release: Release, directory: Path) -> None:
    other = edit(directory, evaluation={"error_rate": "fnr"})
    changed = run(RECIPE, other, after(release))["change.recipe"]
    assert changed.value is True
    assert changed.detail["changed"] == ["error_rate"]


def test_without_labels_errors_are_unknown_and_selection_is_not(directory: Path) -> None:
    facts = run(GROUPS, edit(directory, evaluation={"label": "outcome"}))
    assert "no column 'outcome'" in reason(facts, "fairness.error_ratio")
    assert "no column 'outcome'" in reason(facts, "fairness.accuracy_gap")
    assert not facts["fairness.selection_ratio"].is_unknown


def test_a_missing_label_leaves_selection_measurable(directory: Path) -> None:
    path = directory / "evaluation.csv"
    frame = pd.read_csv(path)
    frame["good"] = frame["good"].astype("Float64")
    frame.loc[3, "good"] = pd.NA
    frame.to_csv(path, index=False)
    facts = run(GROUPS, edit(directory, version="v2"))
    assert "1 of 300 labels are missing" in reason(facts, "fairness.error_ratio")
    assert not facts["fairness.selection_ratio"].is_unknown


def test_labels_of_another_type_are_no_errors_of_the_model(directory: Path) -> None:
    path = directory / "evaluation.csv"
    frame = pd.read_csv(path)
    frame["good"] = np.where(frame["good"] == 1, "good", "bad")
    frame.to_csv(path, index=False)
    facts = run(GROUPS, edit(directory, version="v2"))
    assert "not written with the same values" in reason(facts, "fairness.error_ratio")


def test_ages_are_tested_in_the_declared_ranges(directory: Path) -> None:
    frame = pd.read_csv(directory / "evaluation.csv")
    frame["age"] = np.arange(300) % 60 + 20
    frame.to_csv(directory / "evaluation.csv", index=False)
    facts = run(GROUPS, edit(directory, evaluation={"protected": ["sex", "age:25,40,90"]}))
    cells = facts["fairness.selection_ratio"].detail["cells"]
    named = {row["group"]: row["n"] for row in cells}  # type: ignore[attr-defined]  # detail is plain JSON
    assert named["age under 25"] == 25
    assert named["age 40 to under 90"] == 200
    assert named["age 90 and over"] == 0
    weak = facts["fairness.underpowered_groups"].detail["groups"]
    assert "age 90 and over" not in weak  # type: ignore[operator]  # a list of names
    assert "age under 25" in weak  # type: ignore[operator]  # a list of names


@pytest.mark.parametrize("entry", ["age:40,25", "age:25,25"])
def test_ranges_out_of_order_are_an_error_with_their_place(directory: Path, entry: str) -> None:
    with pytest.raises(InputError) as raised:
        edit(directory, evaluation={"protected": ["sex", entry]})
    assert "do not ascend" in str(raised.value)
    assert raised.value.place is not None
    assert raised.value.place.line


def test_one_column_is_not_tested_twice(directory: Path) -> None:
    with pytest.raises(InputError, match="lists age twice"):
        edit(directory, evaluation={"protected": ["age", "age:25"]})


def test_an_attribute_with_ten_thousand_values_is_named(directory: Path) -> None:
    frame = pd.read_csv(directory / "evaluation.csv")
    frame["town"] = [f"town {i}" for i in range(300)]
    frame.to_csv(directory / "evaluation.csv", index=False)
    facts = run(GROUPS, edit(directory, evaluation={"protected": ["sex", "town"]}))
    assert "town has more than 200 different values" in reason(facts, "fairness.selection_ratio")


def test_rows_without_the_attribute_are_shown(directory: Path) -> None:
    frame = pd.read_csv(directory / "evaluation.csv")
    frame.loc[:49, "sex"] = None
    frame.to_csv(directory / "evaluation.csv", index=False)
    facts = run(GROUPS, edit(directory, version="v2"))
    cells = facts["fairness.selection_ratio"].detail["cells"]
    assert {row["group"]: row["n"] for row in cells}["sex (unknown)"] == 50  # type: ignore[attr-defined]  # detail is plain JSON
