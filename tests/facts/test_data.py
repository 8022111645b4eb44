"""Columns, fingerprints, lineage, approvals and groups."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from guiderail.core.interval import Interval
from guiderail.facts.data.approval import DATA_APPROVAL
from guiderail.facts.data.columns import DATA_COLUMNS
from guiderail.facts.data.fingerprints import MODEL_DATA
from guiderail.facts.data.groups import GROUPS
from guiderail.facts.data.permissions import PERMISSIONS
from guiderail.facts.standing import DataApproval, Standing
from guiderail.manifest.release import Release
from tests.facts.small_release import NOW, edit, reason, run


def add(directory: Path, name: str, **columns: Any) -> None:
    frame = pd.read_csv(directory / name)
    frame.assign(**columns).to_csv(directory / name, index=False)


def test_a_protected_column_for_testing_is_no_protected_input(release: Release) -> None:
    facts = run(DATA_COLUMNS, release)

    assert facts["data.protected_columns"].value == ("sex",)
    assert facts["data.protected"].value is False
    assert facts["data.personal"].value is True


def test_an_input_that_is_declared_protected_is_protected_data(directory: Path) -> None:
    facts = run(
        DATA_COLUMNS, edit(directory, evaluation={"protected": ["sex", "savings", "status"]})
    )

    assert facts["data.protected"].value is True
    assert facts["data.protected"].detail["inputs"] == ["status"]


def test_a_detected_column_counts_also_where_nothing_is_declared(directory: Path) -> None:
    facts = run(DATA_COLUMNS, edit(directory, evaluation={"protected": None}))

    assert facts["data.protected_columns"].value == ("sex",)


def test_contact_details_in_training_data_are_personal(directory: Path) -> None:
    mails = [f"person{number}@example.org" for number in range(700)]
    add(directory, "training.csv", contact_email=mails)

    facts = run(DATA_COLUMNS, edit(directory, version="v2"))

    assert "contact_email" in facts["data.personal_columns"].value


def test_data_that_cannot_be_read_are_unknown_with_the_file(directory: Path) -> None:
    (directory / "evaluation.csv").write_text("")

    facts = run(DATA_COLUMNS, edit(directory, version="v2"))

    assert facts["data.protected"].is_unknown
    assert facts["data.personal"].is_unknown
    assert reason(facts, "data.personal")


def test_a_release_without_data_knows_nothing_about_them(directory: Path) -> None:
    bare = edit(directory, training=None, evaluation=None)

    assert "names no training or evaluation data" in reason(
        run(DATA_COLUMNS, bare), "data.protected"
    )
    assert "no training source" in reason(run(MODEL_DATA, bare), "lineage.mismatched")
    assert run(MODEL_DATA, bare)["lineage.sources"].value == 0


def test_lineage_that_fits(release: Release) -> None:
    facts = run(MODEL_DATA, release)

    assert [facts[f"lineage.{name}"].value for name in ("sources", "mismatched")] == [1, 0]
    assert facts["lineage.unverified"].value == 0
    assert run(PERMISSIONS, release)["lineage.without_permission"].value == 0
    assert facts["data.training_fingerprint"].value != facts["data.evaluation_fingerprint"].value


def test_one_changed_cell_is_a_mismatch(directory: Path) -> None:
    frame = pd.read_csv(directory / "training.csv")
    frame.loc[5, "month"] += 1
    frame.to_csv(directory / "training.csv", index=False)

    facts = run(MODEL_DATA, edit(directory, version="v2"))

    assert facts["lineage.mismatched"].value == 1
    assert facts["lineage.mismatched"].detail["sources"] == ["german-credit"]


def test_another_order_of_rows_is_the_same_data(directory: Path, release: Release) -> None:
    before = run(MODEL_DATA, release)["data.training_fingerprint"].value
    frame = pd.read_csv(directory / "training.csv")
    frame.iloc[::-1].to_csv(directory / "training.csv", index=False)

    after = run(MODEL_DATA, edit(directory, version="v2"))

    assert after["data.training_fingerprint"].value == before
    assert after["lineage.mismatched"].value == 0


def test_a_source_without_fingerprint_or_permission_is_counted(directory: Path) -> None:
    bare = edit(directory, training=[{"name": "bare", "data": "training.csv"}])

    assert run(MODEL_DATA, bare)["lineage.unverified"].value == 1
    assert run(PERMISSIONS, bare)["lineage.without_permission"].value == 1


def test_a_source_that_cannot_be_read_is_not_verified(directory: Path) -> None:
    (directory / "training.csv").write_bytes(b"")

    facts = run(MODEL_DATA, edit(directory, version="v2"))

    assert "training.csv" in reason(facts, "lineage.unverified")
    assert facts["data.training_fingerprint"].is_unknown
    assert not facts["data.evaluation_fingerprint"].is_unknown


def approval(granted: bool = True, days: int = 30, **other: str) -> DataApproval:
    named = {"source": "german-credit", "purpose": "Decides small credits.", **other}
    return DataApproval(granted=granted, until=NOW + timedelta(days=days), **named)


@pytest.mark.parametrize(
    ("approvals", "answer"),
    [
        ((), "none"),
        ((approval(),), "approved"),
        ((approval(purpose="small-credit"),), "approved"),
        ((approval(days=-1),), "none"),
        ((approval(source="other"),), "none"),
        ((approval(purpose="Advertising."),), "none"),
        ((approval(granted=False),), "refused"),
        ((approval(), approval(granted=False, days=60)), "refused"),
    ],
)
def test_a_data_approval_names_source_and_purpose_and_ends(
    release: Release, approvals: tuple[DataApproval, ...], answer: str
) -> None:
    facts = run(DATA_APPROVAL, release, Standing(data_approvals=approvals))

    assert facts["data.personal_approval"].value == answer


def test_groups_are_compared_on_the_evaluation_data(release: Release) -> None:
    facts = run(GROUPS, release)

    ratio = facts["fairness.selection_ratio"]
    assert isinstance(ratio.value, Interval)
    assert 0 < ratio.value.low <= ratio.value.value <= 1
    assert facts["fairness.underpowered_groups"].value == 0
    groups = {cell["group"]: cell["n"] for cell in ratio.detail["cells"]}  # type: ignore[attr-defined]  # detail is plain JSON
    assert sum(groups.values()) == 300
    assert set(groups) == {"sex female", "sex male"}


def test_a_group_with_few_rows_is_counted_and_not_compared(directory: Path) -> None:
    add(directory, "evaluation.csv", region=["north"] * 290 + ["south"] * 10)
    release = edit(directory, evaluation={"protected": ["sex", "region"]})

    facts = run(GROUPS, release)

    assert facts["fairness.underpowered_groups"].detail["groups"] == ["region south"]


def test_an_attribute_with_one_group_cannot_be_compared(directory: Path) -> None:
    add(directory, "evaluation.csv", region="north")
    facts = run(GROUPS, edit(directory, evaluation={"protected": ["sex", "region"]}))

    assert facts["fairness.underpowered_groups"].detail["groups"] == ["region north"]


def test_an_empty_attribute_gives_no_ratio(directory: Path) -> None:
    frame = pd.read_csv(directory / "evaluation.csv").drop(columns="sex")
    frame.assign(region=None).to_csv(directory / "evaluation.csv", index=False)

    facts = run(GROUPS, edit(directory, evaluation={"protected": ["region"]}))

    assert facts["fairness.selection_ratio"].is_unknown


def test_without_attributes_nothing_is_said_about_groups(directory: Path) -> None:
    frame = pd.read_csv(directory / "evaluation.csv").drop(columns="sex")
    frame.to_csv(directory / "evaluation.csv", index=False)

    facts = run(GROUPS, edit(directory, evaluation={"protected": None}))

    assert "no protected attribute" in reason(facts, "fairness.selection_ratio")
    assert facts["fairness.underpowered_groups"].is_unknown


def test_an_attribute_that_is_not_in_the_data_is_a_reason(directory: Path) -> None:
    facts = run(GROUPS, edit(directory, evaluation={"protected": ["religion"]}))

    assert "religion" in reason(facts, "fairness.selection_ratio")
