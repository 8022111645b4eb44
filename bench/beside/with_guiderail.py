"""Guiderail: from files to figures, by the kernels that its commands and gates use."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nanoarrow  # noqa: F401 - imports are no part of what is measured
import scipy.special
import scipy.stats  # noqa: F401
from measured import Figures, Question, run

from guiderail.measure.binned_auc import BinnedAuc, binned_auc
from guiderail.measure.calibration import calibration
from guiderail.measure.cells import Group
from guiderail.measure.columns import classify_columns
from guiderail.measure.comparisons import GroupReport
from guiderail.measure.distinct_rows import DistinctRows, distinct_rows
from guiderail.measure.drift import Drift, drift
from guiderail.measure.fairness import group_rates
from guiderail.measure.flips import Flips, flips
from guiderail.measure.performance import Performance, paired_change
from guiderail.measure.profile import make_profile, read_profile
from guiderail.measure.proxies import ProxyReport, table_proxies
from guiderail.measure.rate_changes import rate_changes
from guiderail.measure.scored_rows import ScoredRows
from guiderail.measure.slices import slices
from guiderail.measure.table import open_table

ATTRIBUTES = ("sex", "region", "race", "age_band")
COMPARED = ("selection_rate", "tpr", "fpr", "fnr", "accuracy")
PROTECTED = ("sex", "age_band")


def folder_itself(folder: Path) -> Path:
    return folder


def rates(folder: Path, deepest: int | None) -> GroupReport:
    with open_table(folder / "rows.parquet") as table:
        rows = distinct_rows(table, dict.fromkeys(ATTRIBUTES), ["label", "decision"])
    assert isinstance(rows, DistinctRows)
    found = group_rates(
        rows.frame["decision"],
        {name: rows.frame[name] for name in ATTRIBUTES},
        rows.frame["label"],
        counts=rows.counts,
        deepest=deepest,
    )
    assert isinstance(found, GroupReport)
    return found


def rate_figures(_: Any, found: GroupReport) -> Figures:
    told: Figures = {}
    for cell in found.cells:
        for name in COMPARED:
            rate = cell.rate(name)
            if rate is not None:
                told[f"{name}|{named(cell.group)}"] = rate.value
    return told


def named(group: Group) -> str:
    return ",".join(f"{attribute}={value}" for attribute, value in group)


def from_reference(folder: Path) -> Drift:
    return drift(make_profile(folder / "reference.parquet"), folder / "current.parquet")


def from_profile(folder: Path) -> Drift:
    profile = read_profile(folder / "profile.json")
    return drift(profile, folder / "current.parquet")


def drift_figures(_: Any, found: Drift) -> Figures:
    told: Figures = {}
    for column in found.columns:
        if column.ks is not None:
            told[f"KS|{column.name}"] = [column.ks.low, column.ks.high]
            told[f"Wasserstein|{column.name}"] = column.wasserstein
        elif column.chi2 is not None:
            told[f"chi-square|{column.name}"] = column.chi2.statistic
            told[f"Jensen-Shannon of categories|{column.name}"] = column.js
    return told


def area(folder: Path) -> Performance:
    with open_table(folder / "rows.parquet") as table:
        rows = table.frame(["label", "score"])
    found = paired_change("roc_auc", rows["label"], rows["score"])
    assert isinstance(found, Performance)
    return found


def binned_area(folder: Path) -> BinnedAuc:
    with open_table(folder / "rows.parquet") as table:
        found = binned_auc(table, "label", "score")
    assert isinstance(found, BinnedAuc)
    return found


def area_figures(_: Any, found: Performance) -> Figures:
    return {"AUC|": found.value.value}


def binned_area_figures(_: Any, found: BinnedAuc) -> Figures:
    return {"AUC|": found.change.value.value}


def proxy_report(folder: Path) -> ProxyReport:
    with open_table(folder / "rows.parquet") as table:
        features = [name for name in table.names if name not in PROTECTED]
        return table_proxies(table, features, dict.fromkeys(PROTECTED), seed=1)


def suite(folder: Path) -> Figures:
    """What the gates of a model measure, part by part, each from the file."""
    path, found = folder / "rows.parquet", {}
    with open_table(path) as table:
        scored = ["label", "new_score", "old_score", "new_decision", "old_decision"]
        rows = table.frame([*scored, *PROTECTED])
        features = [name for name in table.names if name not in (*scored, *PROTECTED)]
    label, new, old = rows["label"], rows["new_score"], rows["old_score"]
    decided, before = rows["new_decision"], rows["old_decision"]
    groups = {name: rows[name] for name in PROTECTED}

    def performance() -> Figures:
        auc, brier = (paired_change(name, label, new, old) for name in ("roc_auc", "brier"))
        assert isinstance(auc, Performance) and isinstance(brier, Performance)  # noqa: PT018
        assert auc.delta is not None and brier.delta is not None  # noqa: PT018
        return {
            "AUC|": auc.value.value,
            "change of AUC|": auc.delta.value,
            "change of Brier score|": -brier.delta.value,
        }

    def rates_by_group() -> Figures:
        report = group_rates(decided, groups, label)
        assert isinstance(report, GroupReport)
        assert isinstance(group_rates(before, groups, label), GroupReport)
        assert isinstance(rate_changes(before, decided, groups, label), tuple)
        return {
            f"spread of {name}|{by}": spread(report, by, name)
            for by in PROTECTED
            for name in ("selection_rate", "tpr", "fpr")
        }

    def calibrations() -> Figures:
        everybody = {"all": [""] * len(label)}
        whole, parts = (calibration(new, label, by) for by in (everybody, groups))
        assert isinstance(whole, tuple) and isinstance(parts, tuple)  # noqa: PT018
        told = {f"calibration error|{named(part.group)}": part.error for part in parts}
        return told | {"calibration error|": whole[0].error}

    def slices_of_it() -> Figures:
        assert hasattr(slices("brier", scored_rows(label, new, old), groups), "slices")
        return {}

    def changed_decisions() -> Figures:
        changed = flips(before, decided, groups)
        assert isinstance(changed, Flips)
        return {"share of changed decisions|": changed.rate.value}

    def drifted() -> Figures:
        drift(make_profile(folder / "train.parquet", features), path, features)
        return {}

    def proxies_of_it() -> Figures:
        with open_table(path) as opened:
            table_proxies(opened, features, dict.fromkeys(PROTECTED), seed=1)
        return {}

    def personal_data() -> Figures:
        classify_columns(path)
        return {}

    for name, part in {
        "performance": performance,
        "rates by group": rates_by_group,
        "calibration": calibrations,
        "subgroups": slices_of_it,
        "changed decisions": changed_decisions,
        "drift": drifted,
        "proxies": proxies_of_it,
        "personal data": personal_data,
    }.items():
        found |= timed(name, part)
    return found


def scored_rows(label: Any, new: Any, old: Any) -> ScoredRows:
    return ScoredRows(label.astype(float), new, old, None)


def spread(report: GroupReport, by: str, name: Any) -> float:
    """Largest minus smallest rate of the groups of one attribute."""
    cells = [cell for cell in report.cells if [pair[0] for pair in cell.group] == [by]]
    found = [rate.value for cell in cells if (rate := cell.rate(name)) is not None]
    return max(found) - min(found)


def timed(name: str, part: Callable[[], Figures]) -> Figures:
    before = time.process_time()
    found = part()
    return found | {f"CPU|{name}": time.process_time() - before}


def as_found(_: Any, found: Figures) -> Figures:
    return found


def nothing(*_: Any) -> Figures:
    return {}


if __name__ == "__main__":
    run(
        {
            "groups": Question(folder_itself, lambda data: rates(data, 1), rate_figures),
            "intersections": Question(folder_itself, lambda data: rates(data, None), rate_figures),
            "drift": Question(folder_itself, from_reference, drift_figures),
            "drift-stored": Question(folder_itself, from_profile, drift_figures),
            "area": Question(folder_itself, area, area_figures),
            "area-binned": Question(folder_itself, binned_area, binned_area_figures),
            "proxies": Question(folder_itself, proxy_report, nothing),
            "suite": Question(folder_itself, suite, as_found),
        }
    )
