"""Recorded inputs against named sources, permissions, and sources since the last full review."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from guiderail.change.data_sources import DATA_SOURCES
from guiderail.core.errors import GuiderailError
from guiderail.facts.data.fingerprints import MODEL_DATA
from guiderail.facts.data.lineage_files import RecordedInput
from guiderail.facts.data.permissions import PERMISSIONS
from guiderail.facts.data.recorded_inputs import known_as
from guiderail.facts.standing import Standing
from guiderail.manifest.release import Release
from guiderail.manifest.schema import DataSource
from tests.facts.small_release import NOW, baseline, edit, reason, run

PERMITTED = {"by": "data-board", "purpose": "small-credit", "until": "2026-11-23"}


def source(release: Release) -> dict[str, Any]:
    """The training source as it is written, to be changed."""
    (one,) = release.manifest.training  # type: ignore[union-attr]  # the small release is a model
    return {key: value for key, value in one.model_dump(mode="json").items() if value is not None}


def event(*inputs: dict[str, Any]) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": "2026-11-20T08:00:00Z",
        "run": {"runId": "7"},
        "job": {"namespace": "training", "name": "credit"},
        "inputs": list(inputs),
        "outputs": [],
    }


def with_record(directory: Path, record: object) -> Release:
    (directory / "events.json").write_text(json.dumps(record))
    return edit(directory, lineage=[{"file": "events.json"}])


def training(directory: Path, rows: int = 700, columns: list[str] | None = None) -> dict[str, Any]:
    names = columns or list(pd.read_csv(directory / "training.csv", nrows=1).columns)
    return {
        "namespace": "s3://lake",
        "name": "credit/training.csv",
        "facets": {"schema": {"fields": [{"name": name} for name in names]}},
        "inputFacets": {"dataQualityMetrics": {"rowCount": rows}},
    }


def test_a_source_that_mlflow_names_is_known_by_where_its_run_keeps_it() -> None:
    name = "runs:/4be8/data/training.csv"
    source = DataSource(name="credit", data=name)
    for address in (name, "mlflow-artifacts:/1/4be8/artifacts/data/training.csv"):
        assert known_as(RecordedInput("MLflow", "4be8", "dataset", addresses=(address,)), source)
    for address in ("mlflow-artifacts:/1/other/artifacts/data/training.csv", "data/training.csv"):
        record = RecordedInput("MLflow", "4be8", "dataset", addresses=(address,))
        assert not known_as(record, source)


def test_a_record_that_fits_changes_nothing(directory: Path) -> None:
    holdout = {"namespace": "s3://lake", "name": "credit/evaluation.csv"}
    facts = run(MODEL_DATA, with_record(directory, event(training(directory), holdout)))
    assert facts["lineage.records"].value == 2
    assert facts["lineage.records"].detail["runs"] == ["7"]
    assert facts["lineage.unnamed"].value == 0
    assert facts["lineage.contradicted"].value == 0
    assert facts["lineage.unverified"].value == 0


def test_without_a_record_nothing_is_recorded(release: Release) -> None:
    assert run(MODEL_DATA, release)["lineage.records"].value == 0


def test_an_input_that_nobody_named_is_not_verified(directory: Path) -> None:
    bureau = {"namespace": "postgres://warehouse", "name": "bureau.scores"}
    facts = run(MODEL_DATA, with_record(directory, event(training(directory), bureau)))
    assert facts["lineage.unnamed"].detail["inputs"] == ["bureau.scores"]
    assert facts["lineage.unverified"].value == 1
    assert facts["lineage.unverified"].detail["sources"] == ["bureau.scores"]


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ({"rows": 699}, "recorded 699 rows for german-credit, and the file has 700"),
        ({"columns": ["status", "secret"]}, "lacks secret"),
    ],
    ids=["rows", "columns"],
)
def test_a_record_of_other_data_is_a_contradiction(
    directory: Path, record: dict[str, Any], said: str
) -> None:
    facts = run(MODEL_DATA, with_record(directory, event(training(directory, **record))))
    assert facts["lineage.contradicted"].value == 1
    assert any(said in text for text in facts["lineage.contradicted"].detail["reasons"])
    assert facts["lineage.unverified"].detail["sources"] == ["german-credit"]


def test_a_damaged_record_leaves_the_sources_unverified(directory: Path) -> None:
    facts = run(MODEL_DATA, with_record(directory, {"something": "else"}))
    for name in ("records", "unnamed", "contradicted", "unverified"):
        assert "no OpenLineage event" in reason(facts, f"lineage.{name}")
    assert facts["lineage.mismatched"].value == 0


def test_a_record_belongs_to_the_release(directory: Path) -> None:
    first = with_record(directory, event(training(directory)))
    second = with_record(directory, event(training(directory, rows=1)))
    assert first.digest != second.digest


def test_a_permission_holds_to_the_end_of_its_last_day(directory: Path, release: Release) -> None:
    permitted = edit(directory, training=[{**source(release), "permitted": PERMITTED}])
    assert run(PERMISSIONS, permitted)["lineage.without_permission"].value == 0
    later = run(PERMISSIONS, permitted, now=NOW + timedelta(days=1))["lineage.without_permission"]
    assert later.value == 1
    assert "ended on 2026-11-23" in str(later.detail["reasons"])


def test_a_permission_for_another_purpose_is_none(directory: Path, release: Release) -> None:
    other = {**PERMITTED, "purpose": "marketing"}
    facts = run(PERMISSIONS, edit(directory, training=[{**source(release), "permitted": other}]))
    assert facts["lineage.without_permission"].value == 1
    assert "another purpose" in str(facts["lineage.without_permission"].detail["reasons"])


def test_a_source_without_any_permission_is_counted(directory: Path) -> None:
    bare = edit(directory, training=[{"name": "bare", "data": "training.csv"}])
    assert run(PERMISSIONS, bare)["lineage.without_permission"].value == 1


def test_a_permission_until_a_day_that_is_none_is_refused(
    directory: Path, release: Release
) -> None:
    never = {**PERMITTED, "until": "2026-02-30"}
    with pytest.raises(GuiderailError, match="no day of the calendar"):
        edit(directory, training=[{**source(release), "permitted": never}])


def since(directory: Path, before: Release, **change: Any) -> Any:
    reviewed = baseline(before, run(MODEL_DATA, before))
    standing = Standing(production=reviewed, full_review=reviewed)
    return run(DATA_SOURCES, edit(directory, **change), standing=standing)


def test_the_same_sources_are_no_change(directory: Path, release: Release) -> None:
    facts = since(directory, release, version="v2")
    assert [fact.value for fact in facts.values()] == [0, 0, 0, 0]


def test_another_source_is_new_and_the_earlier_one_has_vanished(
    directory: Path, release: Release
) -> None:
    facts = since(directory, release, training=[{"name": "bureau", "data": "evaluation.csv"}])
    assert facts["change.new_sources"].detail["sources"] == ["bureau"]
    assert facts["change.vanished_sources"].detail["sources"] == ["german-credit"]


def test_another_name_for_the_same_content_is_neither(directory: Path, release: Release) -> None:
    facts = since(directory, release, training=[{**source(release), "name": "german"}])
    assert facts["change.new_sources"].value == 0
    assert facts["change.vanished_sources"].value == 0


def test_one_more_row_is_another_content(directory: Path, release: Release) -> None:
    reviewed = baseline(release, run(MODEL_DATA, release))
    frame = pd.read_csv(directory / "training.csv")
    frame.iloc[:-1].to_csv(directory / "training.csv", index=False)
    standing = Standing(production=reviewed, full_review=reviewed)
    facts = run(DATA_SOURCES, edit(directory, version="v2"), standing=standing)
    assert facts["change.changed_sources"].detail["sources"] == ["german-credit"]
    assert facts["change.new_sources"].value == 0


def test_another_permission_is_a_change(directory: Path, release: Release) -> None:
    facts = since(directory, release, training=[{**source(release), "permitted": PERMITTED}])
    assert facts["change.permissions"].detail["sources"] == ["german-credit"]
    assert facts["change.changed_sources"].value == 0


def test_without_a_recorded_review_every_comparison_is_unknown(release: Release) -> None:
    facts = run(DATA_SOURCES, release)
    assert all(fact.is_unknown for fact in facts.values())
