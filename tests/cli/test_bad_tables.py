"""The grid: every measure on every kind of bad table.

What a measure does not read must not change its figures. What it reads and cannot use is said to be
unknown, or refused, with the name of the column; never a traceback, never another number.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli import bad_tables
from tests.cli.terminal import Said, Terminal

MEASURES = {
    "auc": "measure performance {} --label label --score score --baseline-score old",
    "weighted": "measure performance {} --label label --score score --weight weight "
    "--cluster person --metric brier --slices select,age",
    "accuracy": "measure performance {} --label label --score decision --baseline-score before "
    "--metric accuracy",
    "rmse": "measure performance {} --label amount --score age --metric rmse",
    "fairness": "measure fairness {} --label label --prediction decision "
    "--baseline-prediction before --score score --by select,age",
    "ranges": "measure fairness {} --prediction decision --by age:25,40",
    "audit": "measure fairness {} --ll144 --prediction decision --by select,team",
    "scored audit": "measure fairness {} --ll144 --score score --by select,team",
    "flips": "measure flips {} --old before --new decision --by select,age --value amount",
}
READS = {
    "auc": {"label", "score", "old"},
    "weighted": {"label", "score", "weight", "person", "select", "age"},
    "accuracy": {"label", "decision", "before"},
    "rmse": {"amount", "age"},
    "fairness": {"label", "decision", "before", "score", "select", "age"},
    "ranges": {"decision", "age"},
    "audit": {"decision", "select", "team"},
    "scored audit": {"score", "select", "team"},
    "flips": {"before", "decision", "select", "age", "amount"},
}
CHANGES = {
    "null-score": {"score"}, "null-label": {"label"}, "null-decision": {"decision"},
    "null-group": {"select"}, "null-age": {"age"}, "null-weight": {"weight"},
    "null-amount": {"amount"}, "null-input": {"x"}, "constant-score": {"score"},
    "one-class": {"label", "decision", "before"}, "infinite-score": {"score"},
    "infinite-age": {"age"}, "infinite-amount": {"amount"}, "infinite-weight": {"weight"},
    "infinite-input": {"x"}, "infinite-label": {"label"}, "infinite-decision": {"decision"},
    "negative-weights": {"weight"}, "date-score": {"score"}, "date-age": {"age"},
    "date-label": {"label"}, "date-amount": {"amount"}, "date-weight": {"weight"},
    "date-input": {"x"}, "text-labels": {"label"}, "boolean-labels": {"label"},
}  # fmt: skip
"""The tables with the rows of the good one, and the columns that differ."""

FIGURES = "figures"
"""A table that still has figures, which another test of the measure checks."""

SAYS: dict[str, dict[str, str]] = {
    "null-score": {
        "auc": "600 of 600 scores of the new model in the column score are missing",
        "weighted": "600 of 600 scores of the new model in the column score are missing",
        "fairness": "score holds no values",
        "scored audit": "score: some scores are missing or not a number",
    },
    "null-label": {
        "auc": "600 of 600 labels in the column label are missing",
        "weighted": "600 of 600 labels in the column label are missing",
        "accuracy": "600 of 600 labels in the column label are missing",
        "fairness": "600 of 600 cells of label are missing",
    },
    "null-decision": {
        "accuracy": "600 of 600 decisions of the new model in the column decision are missing",
        "fairness": "600 of 600 cells of decision are missing",
        "ranges": "600 of 600 cells of decision are missing",
        "audit": "decision: 600 of 600 decisions are missing",
        "flips": "600 of 600 cells of decision are missing",
    },
    "null-group": {
        "weighted": FIGURES,
        "fairness": "select has no values",
        "audit": FIGURES,
        "scored audit": FIGURES,
        "flips": FIGURES,
    },
    "null-age": {
        "weighted": FIGURES,
        "rmse": "600 of 600 scores of the new model in the column age are missing",
        "fairness": "age has no values",
        "ranges": "age has no values",
        "flips": FIGURES,
    },
    "null-weight": {"weighted": "weights in the column weight are"},
    "null-amount": {
        "rmse": "600 of 600 labels in the column amount are missing",
        "flips": "amount: the value is missing",
    },
    "constant-score": {
        "auc": "the new model in the column score gives every row the same score",
        "weighted": FIGURES,
        "fairness": FIGURES,
        "scored audit": FIGURES,
    },
    "one-class": {
        "auc": 'labels in the column label are all "1"',
        "weighted": 'labels in the column label are all "1"',
        **dict.fromkeys(("accuracy", "fairness", "ranges", "audit", "flips"), FIGURES),
    },
    "infinite-score": {
        "auc": "1 of 600 scores of the new model in the column score are infinite",
        "weighted": "1 of 600 scores of the new model in the column score are infinite",
        "fairness": "1 of 600 cells of score lie outside 0 to 1",
        "scored audit": "score: some scores are infinite",
    },
    "infinite-age": {
        "rmse": "1 of 600 scores of the new model in the column age are infinite",
        **dict.fromkeys(("weighted", "fairness", "ranges", "flips"), "(unknown)"),
    },
    "infinite-amount": {
        "rmse": "1 of 600 labels in the column amount are infinite",
        "flips": "amount: the value is infinite",
    },
    "infinite-weight": {"weighted": "1 of 600 weights in the column weight are infinite"},
    "infinite-label": {
        "auc": "1 of 600 labels in the column label are infinite",
        "weighted": "1 of 600 labels in the column label are infinite",
        "accuracy": "1 of 600 labels in the column label are infinite",
        "fairness": "some cells of label are infinite",
    },
    "infinite-decision": {
        "accuracy": "1 of 600 decisions of the new model in the column decision are infinite",
        "fairness": "some cells of decision are infinite",
        "ranges": "some cells of decision are infinite",
        "audit": "decision: some decisions are infinite",
        "flips": "some cells of decision are infinite",
    },
    "negative-weights": {"weighted": "1 of 600 weights in the column weight are negative"},
    "date-score": {
        "auc": "scores of the new model in the column score are not numbers",
        "weighted": "scores of the new model in the column score are not numbers",
        "fairness": "score is text, a score is a number from 0 to 1",
        "scored audit": "score: some scores are missing or not a number",
    },
    "date-age": {
        "weighted": FIGURES,
        "rmse": "scores of the new model in the column age are not numbers",
        "fairness": "fewer than 30 rows: age=2026-01-01",
        "ranges": "age is text, only numbers have ranges",
        "flips": FIGURES,
    },
    "date-label": {
        "auc": "labels in the column label have 84 classes",
        "weighted": "labels in the column label have 84 classes",
        "accuracy": 'in the column decision decides "0", which is not among the labels',
        "fairness": "cells of label",
    },
    "date-amount": {
        "rmse": "labels in the column amount are not numbers",
        "flips": "amount: the value is not a number",
    },
    "date-weight": {"weighted": "weights in the column weight are text, not numbers"},
    "text-labels": {
        "auc": FIGURES,
        "weighted": FIGURES,
        "accuracy": 'in the column decision decides "0", which is not among the labels',
        "fairness": "cells of label",
    },
    "boolean-labels": {
        "auc": FIGURES,
        "weighted": FIGURES,
        "accuracy": 'in the column decision decides "0", which is not among the labels',
        "fairness": "cells of label",
    },
}

TOO_MANY = {
    ("many-groups", "fairness"): "select has more than 200 different values",
    ("many-groups", "weighted"): "select has more than 200 different values",
    ("many-groups", "flips"): "select has more than 200 different values",
    ("many-groups", "audit"): "select has more than 200 different values",
    ("many-decisions", "fairness"): "decision has more than 200 different values",
    ("many-decisions", "ranges"): "decision has more than 200 different values",
    ("many-decisions", "flips"): "before has more than 200 different values",
    ("many-decisions", "accuracy"): 'in the column decision decides "c0"',
    ("many-labels", "auc"): "labels in the column label have 10000 classes",
    ("many-labels", "fairness"): "label has more than 200 different values",
    ("many-labels", "accuracy"): 'in the column decision decides "0"',
}

CODES = {
    "latin-1": "data/encoding", "windows-1252": "data/encoding",
    "utf-16-without-mark": "data/", "duplicate-names": "data/duplicate-column",
    "duplicate-names-parquet": "data/duplicate-column", "corrupt-pages": "data/not-readable",
    "cut-off": "data/not-readable", "longer-rows": "data/ragged-row",
    "one-long-row": "data/ragged-row", "empty-file": "data/empty-file", "binary": "data/",
    "a-name-too-few": "data/no-header",
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("tables")


def sane(said: Said) -> None:
    """No trace of our code, and no number that is none."""
    assert said.code in {0, 4}, said.err
    assert "Traceback" not in said.err
    assert "internal/bug" not in said.err
    assert "NaN" not in said.out
    assert "Infinity" not in said.out


def words(said: Said) -> str:
    """Everything that was said, on one line."""
    return " ".join((said.out + said.err).replace('\\"', '"').split())


def figures(document: Any) -> Any:
    """The points of a document: its counts and values. Intervals from draws hang on the file."""
    if "unknown" in document:
        return {}
    kept = ("n", "groups", "tables", "flips", "directions", "verdicts")
    found = {key: document[key] for key in kept if key in document}
    if isinstance(document.get("value"), float):
        found["value"] = document["value"]
    return found


def cells() -> Iterator[tuple[str, str]]:
    yield from ((kind, measure) for kind in CHANGES for measure in MEASURES)


@pytest.mark.parametrize("write", [bad_tables.write_csv, bad_tables.write_parquet])
@pytest.mark.parametrize(("kind", "measure"), list(cells()))
def test_a_measure_says_what_it_cannot_read_and_ignores_the_rest(
    guiderail: Terminal, place: Path, kind: str, measure: str, write: Any
) -> None:
    said = guiderail(f"{MEASURES[measure].format(write(place, kind))} --format json")
    sane(said)
    expected = SAYS.get(kind, {}).get(measure)
    if not CHANGES[kind] & READS[measure]:
        assert expected is None
        good = guiderail(f"{MEASURES[measure].format(write(place, 'good'))} --format json")
        assert figures(said.json) == figures(good.json) != {}
    elif expected == FIGURES:
        assert figures(said.json)
    else:
        assert expected is not None
        assert expected in words(said)


@pytest.mark.parametrize("write", [bad_tables.write_csv, bad_tables.write_parquet])
@pytest.mark.parametrize(("kind", "measure"), TOO_MANY)
def test_ten_thousand_categories_are_no_groups(
    guiderail: Terminal, place: Path, kind: str, measure: str, write: Any
) -> None:
    said = guiderail(f"{MEASURES[measure].format(write(place, kind))} --format json")
    sane(said)
    assert TOO_MANY[kind, measure] in words(said)


READERS = {
    **MEASURES,
    "drift": "measure drift {} {}",
    "proxies": "measure proxies {} --by select",
    "fingerprint": "measure fingerprint {}",
    "columns": "measure columns {}",
}


@pytest.mark.parametrize("measure", READERS)
@pytest.mark.parametrize("kind", CODES)
def test_a_file_that_cannot_be_read_is_refused_by_every_measure(
    guiderail: Terminal, place: Path, kind: str, measure: str
) -> None:
    path = bad_tables.write_broken(place, kind)
    said = guiderail(READERS[measure].format(path, path))
    sane(said)
    assert said.code == 4
    assert said.out == ""
    assert f"[{CODES[kind]}" in said.err
    assert path.name in "".join(said.err.split())
    if kind == "corrupt-pages":
        assert 'The column "' in " ".join(said.err.split())
    if kind in {"longer-rows", "one-long-row"}:
        assert f"{path.name}:{2 if kind == 'longer-rows' else 301}" in "".join(said.err.split())


@pytest.mark.parametrize("measure", MEASURES)
def test_no_rows_are_no_figures(guiderail: Terminal, place: Path, measure: str) -> None:
    for write in (bad_tables.write_csv, bad_tables.write_parquet):
        said = guiderail(f"{MEASURES[measure].format(write(place, 'no-rows'))} --format json")
        sane(said)
        assert "there are no rows" in words(said) or "there are no scores" in words(said)


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("kind", bad_tables.MARKED)
def test_another_way_of_writing_changes_no_figure(
    guiderail: Terminal, place: Path, kind: str, measure: str
) -> None:
    good = guiderail(
        f"{MEASURES[measure].format(bad_tables.write_csv(place, 'good'))} --format json"
    )
    said = guiderail(
        f"{MEASURES[measure].format(bad_tables.write_marked(place, kind))} --format json"
    )
    assert figures(said.json) == figures(good.json) != {}


@pytest.mark.parametrize(
    ("kind", "encoding"), [("latin-1", "latin-1"), ("utf-16-without-mark", "utf-16-le")]
)
@pytest.mark.parametrize("measure", MEASURES)
def test_a_named_encoding_changes_no_figure(
    guiderail: Terminal, place: Path, kind: str, encoding: str, measure: str
) -> None:
    good = guiderail(
        f"{MEASURES[measure].format(bad_tables.write_csv(place, 'good'))} --format json"
    )
    path = bad_tables.write_broken(place, kind)
    said = guiderail(f"{MEASURES[measure].format(path)} --encoding {encoding} --format json")
    assert figures(said.json) == figures(good.json) != {}


@pytest.mark.parametrize("kind", [kind for kind in CHANGES if kind != "negative-weights"])
def test_drift_tells_of_the_columns_that_changed_and_of_no_other(
    guiderail: Terminal, place: Path, kind: str
) -> None:
    for write in (bad_tables.write_csv, bad_tables.write_parquet):
        said = guiderail(f"measure drift {write(place, 'good')} {write(place, kind)} --format json")
        sane(said)
        told = {row["name"] for row in said.json["columns"] if row["verdict"] != "steady"}
        subtle = kind.startswith("infinite")
        assert told == (set() if subtle else CHANGES[kind])
        for row in said.json["columns"]:
            assert row["verdict"] != "not measured" or row["reason"]
            if subtle and row["name"] in CHANGES[kind]:
                assert row["missing_current"] == pytest.approx(1 / bad_tables.ROWS)


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        ("null-group", "attribute select is not known for any row: every cell is empty"),
        ("null-input", "every cell is empty"),
        ("infinite-input", "1 of 600 cells are infinite"),
        ("many-groups", "select has more than 200 different values"),
        ("constant-score", "every row has the same value"),
    ],
)
def test_proxies_say_what_they_cannot_learn_from(
    guiderail: Terminal, place: Path, kind: str, says: str
) -> None:
    path = bad_tables.write_csv(place, kind)
    said = guiderail(f"measure proxies {path} --by select --features x,score --format json")
    sane(said)
    assert says in words(said)
