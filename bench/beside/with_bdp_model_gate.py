"""bdp-model-gate: its default suite with the older model as champion, and its proxy check alone.

Every setting is its default, but that the Brier score is guarded too. Its figures are rounded to
four or five digits by itself. A check is timed where it runs; parts are named as Guiderail's, and
`PARTS` says which checks make which.
"""

from __future__ import annotations

import json
import logging
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas

logging.disable(logging.WARNING)

import fairlearn.metrics  # noqa: E402, F401 - imports are no part of what is measured
import shap  # noqa: E402, F401
from bdp_model_gate import Champion, GateConfig, ModelGate, StructuredGateContext  # noqa: E402
from bdp_model_gate.structured import default_structured_checks  # noqa: E402
from bdp_model_gate.structured.fairness import ProxyCorrelationCheck  # noqa: E402
from measured import Figures, Question, run  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402

PROTECTED = ["sex", "age_band"]
SCORED = ["label", "new_score", "old_score", "new_decision", "old_decision"]
PARTS = {
    "performance": (
        "performance_thresholds", "comparison_integrity", "challenger_performance",
        "challenger_guardrails",
    ),
    "rates by group": ("disparate_impact", "equalised_odds", "fairness_delta"),
    "calibration": ("calibration", "subgroup_calibration"),
    "subgroups": ("subgroup_regression",),
    "changed decisions": ("decision_churn",),
    "drift": ("feature_drift",),
    "proxies": ("proxy_correlation",),
    "personal data": ("pii_leakage",),
}  # fmt: skip


def read_suite(folder: Path) -> StructuredGateContext:
    rows = pandas.read_parquet(folder / "rows.parquet")
    train = pandas.read_parquet(folder / "train.parquet")
    models = json.loads((folder / "models.json").read_text(encoding="utf-8"))
    features = [name for name in rows.columns if name not in (*SCORED, *PROTECTED)]
    new, old = (model_of(models[name], features) for name in ("new", "old"))
    return StructuredGateContext(
        model=new,
        X=rows[features],
        y_true=rows["label"].to_numpy(),
        y_pred=rows["new_score"].to_numpy(),
        protected_df=rows[PROTECTED],
        X_train=train[features],
        champion=Champion(old),
        task="binary",
        model_card={"use_case": "credit_scoring", "validation_strategy": "random_split"},
    )


def model_of(plain: dict[str, Any], features: list[str]) -> LogisticRegression:
    model = LogisticRegression()
    model.classes_ = np.array([0, 1])
    model.coef_ = np.array([plain["weights"]])
    model.intercept_ = np.array([plain["start"]])
    model.feature_names_in_ = np.array(features, dtype=object)
    model.n_features_in_ = len(features)
    return model


def suite(context: StructuredGateContext) -> tuple[Any, dict[str, float]]:
    config = GateConfig()
    config.comparison.guardrails = ["brier"]
    checks = default_structured_checks(config)
    seconds: dict[str, float] = {}
    for check in checks:
        check.run = timed(check.name, check.run, seconds)
    return ModelGate(checks, config).run(context), seconds


def timed(name: str, check: Any, seconds: dict[str, float]) -> Any:
    def measured(context: Any) -> Any:
        before = time.process_time()
        found = check(context)
        seconds[name] = time.process_time() - before
        return found

    return measured


def suite_figures(_: Any, found: tuple[Any, dict[str, float]]) -> Figures:
    report, seconds = found
    told: Figures = {f"CPU|{part}": 0.0 for part in PARTS}
    part_of = {check: part for part, checks in PARTS.items() for check in checks}
    for check, spent in seconds.items():
        part = part_of.get(check)
        if part is None:
            told[f"other|{check}"] = spent
        else:
            told[f"CPU|{part}"] += spent
    for result in report.results:
        told |= result_figures(result.check_name, result.metadata)
        if result.flag in {"CHECK_ERROR", "NOT_APPLICABLE"}:
            told[f"{result.flag}|{result.check_name}"] = 1
    return told


def result_figures(check: str, held: dict[str, Any]) -> Figures:
    by = held.get("protected_attr")
    if check == "performance_thresholds":
        return {"AUC|": held["value"]}
    if check == "challenger_performance":
        return {"change of AUC|": held["delta"]}
    if check == "challenger_guardrails" and "delta" in held:
        return {"change of Brier score|": held["delta"]}
    if check == "disparate_impact":
        return {f"spread of selection_rate|{by}": held["demographic_parity_diff"]}
    if check == "equalised_odds" and held.get("notion") == "equalised_odds":
        return {
            f"spread of tpr|{by}": held["tpr_difference"],
            f"spread of fpr|{by}": held["fpr_difference"],
        }
    if check == "calibration":
        return {"calibration error|": held["ece"]}
    if check == "subgroup_calibration":
        return {f"calibration error|{by}={g}": value for g, value in held["group_ece"].items()}
    if check == "decision_churn":
        return {"share of changed decisions|": held["flip_rate"]}
    return {}


def read_proxies(folder: Path) -> StructuredGateContext:
    rows = pandas.read_parquet(folder / "rows.parquet")
    return StructuredGateContext(X=rows.drop(columns=PROTECTED), protected_df=rows[PROTECTED])


def proxies(context: StructuredGateContext) -> Any:
    return ProxyCorrelationCheck().run(context)


def nothing(*_: Any) -> Figures:
    return {}


if __name__ == "__main__":
    run(
        {
            "suite": Question(read_suite, suite, suite_figures),
            "proxies": Question(read_proxies, proxies, nothing),
        }
    )
