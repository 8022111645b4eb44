"""Published values are reproduced from the published data.

Not covered here, because these kernels do not compute them: regressions
(compas_black_relative_risk_45pct, hmda_lpm, hmda_logit) and the one-sample KS test
(ks_one_sample_scipy_doc). The Mantel-Haenszel ratio of ucb_simpson and the reweighed difference of
german_age_reweighed_mean_difference are computed here from the counts that the kernels give.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from guiderail.measure.cells import count_groups
from guiderail.measure.comparisons import GroupReport, compare_cells
from guiderail.measure.fairness import group_rates
from guiderail.measure.groups import GroupCell
from guiderail.measure.performance import Performance, paired_change
from guiderail.measure.table import Values, open_table
from guiderail.measure.unmeasurable import NotMeasurable

FOLDER = Path(__file__).resolve().parents[3] / "shared" / "reference"
DATA = FOLDER / "data"
if not (FOLDER / "cases.json").exists():
    pytest.skip("the reference data are not beside this checkout", allow_module_level=True)
CASES = {case["name"]: case for case in json.loads((FOLDER / "cases.json").read_text())}
NOT_COVERED = {
    "compas_black_relative_risk_45pct",
    "hmda_lpm",
    "hmda_logit",
    "ks_one_sample_scipy_doc",
}


def columns(file: str, *names: str) -> list[Values]:
    with open_table(DATA / file) as table:
        frame = table.frame(names)
    return [frame[name] for name in names]


def cells(*arguments: Any, **options: Any) -> dict[str, GroupCell]:
    report = group_rates(*arguments, **options)
    assert isinstance(report, GroupReport), report
    return {cell.group[0][1]: cell for cell in report.cells if len(cell.group) == 1}


def share(cell: GroupCell, rate: Any) -> float:
    found = cell.rate(rate)
    assert found is not None
    return found.value


def compas(group: str) -> GroupCell:
    score, race, label = columns(
        "compas_two_years_min.csv", "decile_score", "race", "two_year_recid"
    )
    by = np.full(len(race), "all", dtype=object) if group == "all" else race
    return cells((score >= 5).astype(int), {"race": by}, label)[group]


def compas_errors(group: str) -> Callable[[], list[float]]:
    return lambda: [100 * share(compas(group), rate) for rate in ("fpr", "fnr")]


def compas_confusion() -> list[float]:
    cell = compas("African-American")
    return [float(count) for count in (cell.tn, cell.fp, cell.fn, cell.tp) if count is not None]


def filtered(file: str, text: str) -> list[float]:
    days, again, degree, score, label = columns(
        file, "days_b_screening_arrest", "is_recid", "c_charge_degree", text, "two_year_recid"
    )
    with np.errstate(invalid="ignore"):
        kept = (days >= -30) & (days <= 30) & (again != -1) & (degree != "O") & (score != "N/A")
    positives = int(label[kept].sum())
    return [int(kept.sum()), positives, 100 * positives / int(kept.sum())]


def aequitas() -> list[float]:
    score, label, race = columns("compas_for_aequitas.csv", "score", "label_value", "race")
    by_race = cells(score, {"race": race}, label)
    ours, theirs = by_race["African-American"], by_race["Hispanic"]

    def ratio(rate: str, complement: bool = False) -> float:
        values = [share(cell, rate) for cell in (ours, theirs)]
        top, bottom = [1 - value for value in values] if complement else values
        return top / bottom

    return [
        ratio("ppv", complement=True),
        ratio("fnr"),
        ratio("npv", complement=True),
        ratio("fpr"),
        ratio("npv"),
        ours.selected / theirs.selected,
    ]


def adult(folder: Path) -> list[float]:
    rows: list[list[str]] = []
    counts = []
    for file in ("adult.data", "adult.test"):
        lines = [line for line in (DATA / file).read_text().splitlines() if line.count(",") == 14]
        counts.append(len(lines))
        rows += [line.rstrip(".").split(", ") for line in lines]
    names = [f"a{i}" for i in range(14)]
    path = folder / "adult.csv"
    path.write_text("\n".join(",".join(row) for row in [[*names, "income"], *rows]) + "\n")
    with open_table(path) as table:
        frame = table.frame(table.names)
    rich = frame.pop("income") == ">50K"
    known = np.all([values != "?" for values in frame.values()], axis=0)
    return [*counts, int(known.sum()), 100 * rich.mean(), 100 * rich[known].mean()]


def resumes() -> list[float]:
    call, ethnicity = columns("AER_ResumeNames.csv", "call", "ethnicity")
    report = group_rates(call, {"ethnicity": ethnicity}, selected="yes")
    assert isinstance(report, GroupReport)
    white, black = (
        next(c for c in report.cells if c.group[0][1] == name) for name in ("cauc", "afam")
    )
    rates = [100 * share(cell, "selection_rate") for cell in (white, black)]
    (comparison,) = report.comparisons
    assert comparison.ratio is not None
    return [*rates, 1 / comparison.ratio.value, -100 * comparison.difference.value, report.n]


def ricci() -> list[float]:
    position, race, combined = columns("ricci.csv", "Position", "Race", "Combine")
    report = group_rates((combined >= 70).astype(int), {"position": position, "race": race})
    assert isinstance(report, GroupReport)
    rates = {cell.group: share(cell, "selection_rate") for cell in report.cells}
    return [
        100 * rates[("position", job), ("race", who)]
        for job in ("Captain", "Lieutenant")
        for who in ("W", "B", "H")
    ]


def berkeley() -> list[float]:
    admit, gender, dept, count = columns(
        "datasets_UCBAdmissions.csv", "Admit", "Gender", "Dept", "Freq"
    )
    report = group_rates(
        admit, {"g": gender, "d": dept}, selected="Admitted", counts=count.astype(float)
    )
    assert isinstance(report, GroupReport)
    found = {tuple(value for _, value in cell.group): cell for cell in report.cells}
    male, female = (share(found[name,], "selection_rate") for name in ("Male", "Female"))
    top = bottom = 0.0
    for name in sorted(set(dept.tolist())):
        men, women = found["Male", name], found["Female", name]
        both = men.n + women.n
        top += men.selected * (women.n - women.selected) / both
        bottom += women.selected * (men.n - men.selected) / both
    return [100 * male, 100 * female, male / (1 - male) / (female / (1 - female)), top / bottom]


def taiwan() -> list[float]:
    default, sex = columns("UCI_Credit_Card.csv", "default.payment.next.month", "SEX")
    everyone = np.full(len(sex), "all", dtype=object)
    rate = share(cells(default, {"all": everyone})["all"], "selection_rate")
    male = share(cells(sex, {"all": everyone})["all"], "selection_rate")
    return [len(sex), round(rate, 4), 100 * male]


def fairlearn() -> list[float]:
    label = [0, 1, 1, 1, 1, 0, 1, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1]
    decision = [0, 0, 1, 0, 1, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0, 1, 1, 0]
    by = cells(decision, {"sf": list("bbabbcccaacabccbcc")}, label)
    rates = ("tpr", "fpr", "selection_rate")
    return [part for g in "abc" for part in (*(share(by[g], rate) for rate in rates), by[g].n)]


def delong() -> list[float]:
    outcome, score = columns("aSAH.csv", "outcome", "ndka")
    found = paired_change("roc_auc", outcome, score, positive="Poor")
    assert isinstance(found, Performance)
    return [found.value.low, found.value.value, found.value.high]


def german() -> list[float]:
    age, credit = columns("german.csv", "age", "credit")
    train = np.random.RandomState(0).permutation(1000)[:700]
    report = group_rates(credit[train], {"age": age[train]}, edges={"age": [25]})
    assert isinstance(report, GroupReport)
    (comparison,) = report.comparisons
    assert comparison.group == (("age", "under 25"),)
    return [comparison.difference.value]


def german_reweighed() -> list[float]:
    age, credit = columns("german.csv", "age", "credit")
    train = np.random.RandomState(0).permutation(1000)[:700]
    old, good = (age[train] >= 25).astype(int), (credit[train] == 1).astype(int)
    weight = np.empty(700)
    for a in (0, 1):
        for y in (0, 1):
            cell = (old == a) & (good == y)
            weight[cell] = (old == a).mean() * (good == y).mean() / cell.mean()
    counted = count_groups({"old": old}, np.column_stack([weight, weight * good]))
    assert not isinstance(counted, NotMeasurable)
    young, others = (good_ones / rows for rows, good_ones in counted[0].counts.tolist())
    return [young - others]


def four_fifths() -> list[float]:
    counts = {"white": 60, "american indian": 45, "hispanic": 48, "black": 51}
    level = [GroupCell((("group", name),), 100, count) for name, count in counts.items()]
    comparisons = compare_cells([level]).comparisons
    return [one.ratio.value for one in comparisons if one.ratio is not None]


RECIPES: dict[str, Callable[[], list[float]]] = {
    "compas_fpr_fnr_all": compas_errors("all"),
    "compas_fpr_fnr_African-American": compas_errors("African-American"),
    "compas_fpr_fnr_Caucasian": compas_errors("Caucasian"),
    "compas_confusion_black": compas_confusion,
    "compas_filtered_rows": lambda: filtered("compas_two_years_min.csv", "score_text"),
    "compas_violent_rows": lambda: filtered("compas_two_years_violent_min.csv", "v_score_text"),
    "aequitas_disparity_vs_hispanic": aequitas,
    "resume_callbacks": resumes,
    "ricci_pass_rates": ricci,
    "ucb_simpson": berkeley,
    "taiwan_base": taiwan,
    "fairlearn_metricframe": fairlearn,
    "delong_auc_ci_ndka": delong,
    "german_age_train_mean_difference": german,
    "german_age_reweighed_mean_difference": german_reweighed,
    "ugesp_four_fifths": four_fifths,
}


def test_every_case_is_covered_or_named_as_not() -> None:
    assert set(CASES) == {*RECIPES, "adult_counts"} | NOT_COVERED


@pytest.mark.parametrize("name", RECIPES)
def test_the_published_value_comes_out(name: str) -> None:
    case = CASES[name]
    expected = case["expected"] if isinstance(case["expected"], list) else [case["expected"]]
    found = RECIPES[name]()
    assert found == pytest.approx(expected, abs=case["tolerance"])


def test_the_rows_of_adult_come_out(tmp_path: Path) -> None:
    case = CASES["adult_counts"]
    assert adult(tmp_path) == pytest.approx(case["expected"], abs=case["tolerance"])
