"""Facts that reviewers see and no rule reads: weak slices, moved inputs, and what they rest on."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest
import yaml

from guiderail.change.moved import MOVED_SINCE
from guiderail.change.slices import SLICE_CHANGE
from guiderail.core.errors import InputError
from guiderail.facts.data.columns import DATA_COLUMNS
from guiderail.facts.data.moved import MOVED
from guiderail.facts.model.performance import PERFORMANCE
from guiderail.facts.model.slices import SLICES
from guiderail.facts.standing import Standing
from guiderail.manifest.load import load_release
from guiderail.measure.column_dictionary import load_dictionary
from guiderail.render.lines import plain_text
from guiderail.render.weak_spots_text import weak_spots
from guiderail.service.snapshot import facts_to_json
from tests.facts.small_release import after, edit, reason, run, write


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return write(tmp_path / "v1")


def flipped_labels(place: Path) -> None:
    """Wrong for women only: the model is worse there than elsewhere."""
    rows = pd.read_csv(place / "evaluation.csv")
    rows = pd.concat([rows] * 4, ignore_index=True)
    women = rows["sex"] == "female"
    rows.loc[women, "good"] = 1 - rows.loc[women, "good"]
    rows.to_csv(place / "evaluation.csv", index=False)


def test_a_group_in_which_the_model_fails_is_counted_and_named(place: Path) -> None:
    flipped_labels(place)
    facts = run(SLICES, load_release(place))
    fact = facts["performance.worse_slices"]
    assert isinstance(fact.value, int)
    assert fact.value >= 1
    worst = fact.detail["worst"]
    assert isinstance(worst, list)
    assert "sex female" in {row["slice"] for row in worst if row["worse"]}
    shown = plain_text(weak_spots(facts_to_json(facts)))
    assert "worse than elsewhere" in shown
    assert "sex female" in shown


def test_without_a_metric_the_fact_is_unknown(place: Path) -> None:
    release = edit(place, evaluation={"label": None, "positive": None, "metric": None})
    facts = run(SLICES, release)
    assert "names no primary metric" in reason(facts, "performance.worse_slices")
    shown = " ".join(plain_text(weak_spots(facts_to_json(facts))).split())
    assert "names no primary metric" in shown


def test_the_same_version_got_worse_nowhere_and_moved_nowhere(place: Path) -> None:
    release = load_release(place)
    assert run(SLICE_CHANGE, release, after(release))["change.worse_slices"].value == 0
    assert run(MOVED_SINCE, release, after(release))["change.moved_columns"].value == 0
    assert "nothing runs" in reason(run(SLICE_CHANGE, release), "change.worse_slices")
    assert "nothing runs" in reason(run(MOVED_SINCE, release), "change.moved_columns")


def test_evaluation_data_of_other_people_are_told(place: Path) -> None:
    assert run(MOVED, load_release(place))["data.moved_columns"].value == 0
    rows = pd.read_csv(place / "evaluation.csv")
    rows["month"] += 60
    rows.to_csv(place / "evaluation.csv", index=False)
    fact = run(MOVED, load_release(place))["data.moved_columns"]
    assert (fact.value, fact.detail["moved"]) == (1, ["month"])


def test_data_in_a_named_encoding_give_the_same_facts(place: Path) -> None:
    before = run(PERFORMANCE, load_release(place))["performance.value"].value
    rows = pd.read_csv(place / "evaluation.csv")
    rows["sex"] = rows["sex"].replace("female", "wéiblich")
    rows.to_csv(place / "evaluation.csv", index=False, encoding="cp1252", sep=";")
    facts = run(PERFORMANCE, load_release(place))
    assert "not written in UTF-8" in reason(facts, "performance.value")
    facts = run(PERFORMANCE, edit(place, evaluation={"encoding": "windows-1252"}))
    assert facts["performance.value"].value == before


def test_one_file_has_one_encoding(place: Path) -> None:
    path = place / "guiderail.yaml"
    content = yaml.safe_load(path.read_text())
    digest = load_release(place).digest
    assert "encoding" not in str(load_release(place).canonical)
    content["training"][0] |= {"data": "evaluation.csv", "encoding": "latin-1"}
    content["evaluation"]["encoding"] = "utf-16"
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(InputError, match=r"latin-1 and in utf-16"):
        load_release(place)
    content["evaluation"]["encoding"] = "latin-1"
    path.write_text(yaml.safe_dump(content))
    assert load_release(place).digest != digest


def test_what_the_organisation_says_about_columns_reaches_the_facts(
    place: Path, tmp_path: Path
) -> None:
    (tmp_path / "columns.yaml").write_text(
        "columns:\n  - {name: savings, class: protected, kind: wealth, said_by: data-office}\n"
    )
    release = load_release(place)
    said = Standing(columns=load_dictionary(tmp_path / "columns.yaml"))
    cache = tmp_path / "cache"
    assert run(DATA_COLUMNS, release, cache=cache)["data.protected_columns"].value == ("sex",)
    facts = run(DATA_COLUMNS, release, said, cache=cache)
    assert facts["data.protected_columns"].value == ("savings", "sex")
