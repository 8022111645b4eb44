"""Eight faults that a retraining can have without its accuracy showing it, put in on purpose."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from guiderail.measure.attribution_agreement import Explained
from guiderail.sandbox.shapley import Pool, additive, halves
from guiderail.sandbox.tree_shapley import tree_values

LABEL = "label"
LEAK = "settled_amount"


@dataclass(frozen=True)
class Study:
    """A table with a label of 0 and 1. number, other: two numeric inputs with weight; group: an
    input and the value whose rows are relabelled.
    """

    rows: pd.DataFrame
    inputs: tuple[str, ...]
    number: str
    other: str
    strongest: str
    group: tuple[str, str]


Fault = Callable[[Study, pd.DataFrame, np.random.Generator], pd.DataFrame]


def dropped(study: Study, rows: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    """A broken join: the strongest input is always the same."""
    return rows.assign(**{study.strongest: rows[study.strongest].mode()[0]})


def shuffled(study: Study, rows: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    return rows.assign(**{study.strongest: draw.permutation(rows[study.strongest].to_numpy())})


def swapped(study: Study, rows: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    return rows.assign(**{study.number: rows[study.other], study.other: rows[study.number]})


def sign_flipped(study: Study, rows: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    column = rows[study.number]
    return rows.assign(**{study.number: column.min() + column.max() - column})


def label_noise(_: Study, rows: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    wrong = draw.random(len(rows)) < 0.3
    return rows.assign(**{LABEL: np.where(wrong, 1 - rows[LABEL], rows[LABEL])})


def group_relabelled(study: Study, rows: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    column, value = study.group
    return rows.assign(**{LABEL: np.where(rows[column] == value, 0, rows[LABEL])})


def leak(_: Study, rows: pd.DataFrame, draw: np.random.Generator) -> pd.DataFrame:
    """A column that is known only after the outcome; `fit` takes it where it is there."""
    return rows.assign(**{LEAK: leaked(rows, draw)})


def leaked(rows: pd.DataFrame, draw: np.random.Generator) -> pd.Series:
    return rows[LABEL] + draw.normal(scale=0.4, size=len(rows))


def removed(study: Study, rows: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
    return rows.drop(columns=study.strongest)


FAULTS: Mapping[str, Fault] = {
    "dropped": dropped,
    "shuffled": shuffled,
    "swapped": swapped,
    "sign flipped": sign_flipped,
    "label noise": label_noise,
    "group relabelled": group_relabelled,
    "leak": leak,
    "removed column": removed,
}


def fit(study: Study, rows: pd.DataFrame, estimator: object | None = None) -> Pipeline:
    inputs = [name for name in (*study.inputs, LEAK) if name in rows.columns]
    texts = [name for name in inputs if rows[name].dtype.kind not in "biuf"]
    numbers = [name for name in inputs if name not in texts]
    columns = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore", sparse_output=False), texts),
        (StandardScaler(), numbers),
    )
    if estimator is None:
        estimator = LogisticRegression(max_iter=500)
    model = make_pipeline(columns, estimator)
    return model.fit(rows[inputs], rows[LABEL])


def explain(model: Pipeline, evaluation: pd.DataFrame, rows: int = 150) -> Explained:
    """As the sandbox explains: the rows behind the first sixty against these sixty."""
    inputs = list(model.feature_names_in_)
    table = evaluation[inputs].iloc[: rows + 60]
    table = pd.concat([table.iloc[60:], table.iloc[:60]], ignore_index=True)
    pool = Pool(table, len(table) - 60, halves(60)[:, :1])
    scores = np.asarray(model.decision_function(table))
    found = additive(lambda frame: np.asarray(model.decision_function(frame)), pool, scores)
    found = found or tree_values(model, pool, scores)
    assert found is not None
    # Of everyone, the 40 per cent with the lowest scores are refused.
    refused = scores[: pool.rows] < np.quantile(scores[pool.rows :], 0.4)
    return Explained(tuple(inputs), found.values[0], "margin", refused, -1.0)
