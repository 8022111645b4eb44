"""Calibrate the limits of explanation changes, and print how often they alarm.

Run `python bench/calibrate_explanations.py FOLDER [--write]`, where FOLDER holds `adult.data` (UCI
Adult) and `UCI_Credit_Card.csv` (UCI 350). German Credit has no part in it: the tests inject faults
there. `--write` stores the limits in `src/guiderail/measure/explanation_limits.json`.

For each data set, family and number of training rows: a model, sixteen trainings on resampled rows
for its null, three honest retrainings (new rows, half new rows, resampled rows), and in the first
rounds every fault on new rows. A factor is the highest honest ratio of a measure. For `input` it is
1.1 times the second highest: an input that is hardly ever different from zero may have a null of
almost nothing, and then one ratio of any size.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.measure.explanation_faults import FAULTS, LABEL, LEAK, Study, explain, fit, leaked

from guiderail.measure.attribution_agreement import MEASURES, Agreement, agreement
from guiderail.measure.explanation_regression import LIMITS_FILE, Null, furthest, null_of

FLOORS = {"input": 0.02, "cosine": 0.04, "top_k": 0.1, "sign": 0.1, "share_shift": 0.05,
          "silent": 0.08, "strength": 0.2, "reasons": 0.15}  # fmt: skip
REFITS, EVALUATION = 16, 210


def adult(folder: Path) -> Study:
    names = [
        *("age", "workclass", "weight", "education", "education_num", "marital", "occupation"),
        *("relationship", "race", "sex", "gain", "loss", "hours", "country", "income"),
    ]
    rows = pd.read_csv(folder / "adult.data", names=names, skipinitialspace=True)
    rows[LABEL] = rows.pop("income").str.startswith(">50").astype(int)
    inputs = ("age", "workclass", "education_num", "marital", "occupation", "hours", "gain", "loss")
    group = ("occupation", "Exec-managerial")
    return Study(rows, inputs, "education_num", "age", "marital", group)


def taiwan(folder: Path) -> Study:
    rows = pd.read_csv(folder / "UCI_Credit_Card.csv")
    rows[LABEL] = 1 - rows.pop(rows.columns[-1]).astype(int)
    rows["EDUCATION"] = rows["EDUCATION"].astype(str)
    for name in rows.columns:
        if "_AMT" in name or name == "LIMIT_BAL":
            rows[name] = np.sign(rows[name]) * np.log1p(rows[name].abs())
    inputs = ("LIMIT_BAL", "EDUCATION", "PAY_0", "PAY_2", "PAY_3", "BILL_AMT1", "PAY_AMT1",
              "PAY_AMT2", "BILL_AMT2")  # fmt: skip
    return Study(rows, inputs, "PAY_0", "LIMIT_BAL", "PAY_0", ("EDUCATION", "2"))


def families() -> Iterator[tuple[str, object, int, int, int]]:
    """(family, estimator, training rows, rounds, rounds with faults)."""
    yield "logistic", LogisticRegression(max_iter=200), 400, 10, 3
    yield "logistic", LogisticRegression(max_iter=200), 1500, 10, 3
    yield "boosted", GradientBoostingClassifier(n_estimators=40, random_state=0), 600, 2, 2


def one_round(
    study: Study, estimator: object, n: int, seed: int, faults: bool
) -> Iterator[tuple[str, str, dict[str, float]]]:
    """(honest or fault, its name, ratio of each measure to its null; 0 below its floor)."""
    draw = np.random.default_rng([seed, n])
    order = draw.permutation(len(study.rows))
    evaluation = study.rows.iloc[order[:EVALUATION]]
    first = study.rows.iloc[order[EVALUATION : EVALUATION + n]]
    fresh = study.rows.iloc[order[EVALUATION + n : EVALUATION + 2 * n]]

    def resampled() -> pd.DataFrame:
        return first.iloc[draw.integers(0, n, n)]

    old = explain(fit(study, first, estimator), evaluation)
    null = null_of(
        [explain(fit(study, resampled(), estimator), evaluation, 100) for _ in range(REFITS)]
    )
    assert isinstance(null, Null)
    half = pd.concat([first.iloc[n // 2 :], fresh.iloc[: n // 2]])
    for name, rows in (("new rows", fresh), ("half new", half), ("resampled", resampled())):
        new = explain(fit(study, rows, estimator), evaluation)
        yield "honest", name, ratios(agreement(old, new), null)
    for name, fault in FAULTS.items() if faults else ():
        seen = evaluation
        if name == "leak":
            seen = evaluation.assign(**{LEAK: leaked(evaluation, draw)})
        new = explain(fit(study, fault(study, fresh, draw), estimator), seen)
        yield "fault", name, ratios(agreement(old, new), null)


def ratios(found: object, null: Null) -> dict[str, float]:
    assert isinstance(found, Agreement)
    far = furthest(found, null, FLOORS["input"])
    result = {"input": far[1] if far else 0.0}
    for measure in MEASURES:
        distance, usual = found.distance(measure), null.usual.get(measure)
        if distance is None or usual is None or distance <= FLOORS[measure]:
            result[measure] = 0.0
        else:
            result[measure] = distance / max(usual, 1e-9)
    return result


def main() -> None:
    warnings.simplefilter("ignore")
    folder = Path(sys.argv[1])
    started = time.process_time()
    rows = []
    for data, study in (("Adult", adult(folder)), ("Taiwan credit", taiwan(folder))):
        for family, estimator, n, rounds, faulty in families():
            for seed in range(rounds):
                for kind, name, found in one_round(study, estimator, n, seed, seed < faulty):
                    about = {"data": data, "family": family, "n": n, "kind": kind, "name": name}
                    rows.append({**about, **found})
    table = pd.DataFrame(rows)
    measures = list(FLOORS)
    honest = table[table["kind"] == "honest"]
    factors = honest[measures].max().clip(lower=1.0)
    factors["input"] = 1.1 * honest["input"].nlargest(2).iloc[1]
    factors = (factors * 100).apply(np.ceil) / 100
    table["alarm"] = (table[measures] > factors).any(axis=1)
    honest = table[table["kind"] == "honest"]
    print(factors.to_string())
    print(f"honest retrainings that alarm: {int(honest['alarm'].sum())} of {len(honest)}")
    caught = table[table["kind"] == "fault"]
    shown = caught.pivot_table(
        index="name", columns=["data", "family", "n"], values="alarm", aggfunc="mean"
    )
    print(shown.round(2).to_string())
    print(f"faults caught: {int(caught['alarm'].sum())} of {len(caught)}")
    print(f"{time.process_time() - started:.0f} CPU s")
    if "--write" in sys.argv:
        content = {
            "calibrated_on": f"{len(honest)} honest retrainings of logistic regressions and "
            "boosted trees on UCI Adult and UCI Taiwan credit, 400 to 1,500 rows "
            "(bench/calibrate_explanations.py)",
            "honest": {"alarms": int(honest["alarm"].sum()), "of": len(honest)},
            "faults": {"caught": int(caught["alarm"].sum()), "of": len(caught)},
            "limits": {
                name: {"factor": float(factors[name]), "floor": FLOORS[name]} for name in measures
            },
        }
        LIMITS_FILE.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
