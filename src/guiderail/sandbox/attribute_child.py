"""The child of `sandbox.attribute`: read request.json, explain rows, leave attributions.npz.

What is explained is the score before it is squeezed into a probability where the model has one
(log-odds of the second class), else the probability of the second class, else the number.
A problem that a person can act on is left in failure.txt, in words.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import GuiderailError
from guiderail.sandbox.boosters import booster_of
from guiderail.sandbox.child import run
from guiderail.sandbox.ebm import EbmModel, ebm_values
from guiderail.sandbox.input_rows import UnusableTableError, input_columns, read_rows
from guiderail.sandbox.load import LoadedModel, load_model
from guiderail.sandbox.native_models import NativeModel
from guiderail.sandbox.scored import label_text
from guiderail.sandbox.shapley import (
    Attributed,
    Floats,
    Pool,
    ScoreFrame,
    additive,
    adds_up,
    halves,
    sampled,
)
from guiderail.sandbox.tree_shapley import tree_values


@dataclass(frozen=True, slots=True)
class _Request:
    """How many rows at most: rows for exact, sampled_rows for sampled values, refit_rows after
    training again, background to compare with.
    """

    model: Path
    table: Path
    inputs: list[str] | None
    exclude: list[str]
    encoding: Encoding | None
    rows: int
    sampled_rows: int
    refit_rows: int
    background: int
    pairs: int
    seed: int
    sampled: bool
    refit: Mapping[str, Any] | None


def main() -> int:
    warnings.simplefilter("ignore")
    return run(_work)


def _work() -> None:
    content = json.loads(Path("request.json").read_text("utf-8"))
    paths = {name: Path(content[name]) for name in ("model", "table")}
    _explain(_Request(**{**content, **paths}))


def _explain(request: _Request) -> None:
    table = read_rows(request.table, encoding=request.encoding)
    model = load_model(request.model)
    booster = booster_of(model)
    if booster is not None:
        frame = booster.frame(table, request.exclude)
        chosen, _ = _choose(len(frame), request)
        rows = frame.iloc[chosen]
        values, base, scores = booster.contributions(rows)
        found = Attributed(values[None], base[None], None, booster.method)
        _save(request, found, scores, chosen, rows.columns, booster.scale, booster.classes, {})
        return
    frame = input_columns(model, table, request.inputs, request.exclude)
    score, scale, classes = _score_of(model, frame)
    chosen, background = _choose(len(frame), request)
    pool = _pool(frame, chosen, background)
    found, scores = _attribute(model.estimator, score, pool, request)
    kept = found.values.shape[1]
    refits: dict[str, Any] = {}
    if request.refit is not None:
        refits = _refits(model, pool.table, found, request, request.refit, background)
    _save(request, found, scores[:kept], chosen[:kept], frame.columns, scale, classes, refits)


def _choose(rows: int, request: _Request) -> tuple[Any, Any]:
    """Places of the rows to explain and of the background: disjoint, drawn by the seed."""
    if rows < 20:
        raise UnusableTableError(f"the table has {rows} rows, at least 20 are needed to explain")
    order = np.random.default_rng(request.seed).permutation(rows)
    background = min(request.background, rows // 3) // 2 * 2
    return order[background : background + request.rows], order[:background]


def _pool(frame: pd.DataFrame, chosen: Any, background: Any) -> Pool:
    places = np.concatenate([chosen, background])
    table = frame.take(places).reset_index(drop=True)
    return Pool(table, len(chosen), halves(len(background)))


def _score_of(model: LoadedModel, frame: pd.DataFrame) -> tuple[ScoreFrame, str, tuple[str, ...]]:
    """The score that is explained, its scale and the classes."""
    estimator = model.estimator
    if isinstance(estimator, EbmModel) and estimator.link == "logit":
        return estimator.margins, "margin", estimator.classes
    if isinstance(estimator, NativeModel):
        return _native_score_of(estimator, frame)
    named = model.summary.names is not None

    def given(frame: pd.DataFrame) -> Any:
        return frame if named else frame.to_numpy()

    if not hasattr(estimator, "classes_") and not hasattr(estimator, "predict_proba"):
        return lambda frame: _flat(estimator.predict(given(frame))), "number", ()
    classes = tuple(label_text(item) for item in np.asarray(estimator.classes_).tolist())
    if len(classes) != 2:
        raise UnusableTableError(f"the model has {len(classes)} classes; two can be explained")
    if hasattr(estimator, "decision_function"):
        return lambda frame: _flat(estimator.decision_function(given(frame))), "margin", classes
    if not hasattr(estimator, "predict_proba"):
        raise UnusableTableError("the model gives classes and no scores, so nothing adds up to one")
    return (
        lambda frame: np.asarray(estimator.predict_proba(given(frame)), dtype=np.float64)[:, 1],
        "probability",
        classes,
    )


def _native_score_of(
    model: NativeModel, frame: pd.DataFrame
) -> tuple[ScoreFrame, str, tuple[str, ...]]:
    """As `_score_of`, for a model that says what its scores are when it is asked for some."""
    first = model.score(frame.head(1))
    if first.classes and len(first.classes) != 2:
        raise UnusableTableError(
            f"the model has {len(first.classes)} classes; two can be explained"
        )
    if first.scores is None:
        raise UnusableTableError("the model gives classes and no scores, so nothing adds up to one")
    return lambda rows: _flat(model.score(rows).scores), first.meaning, first.classes


def _flat(values: Any) -> Floats:
    return np.asarray(values, dtype=np.float64).reshape(-1)


def _attribute(
    estimator: Any, score: ScoreFrame, pool: Pool, request: _Request
) -> tuple[Attributed, Floats]:
    """The first method that is exact for this model, else the sampled one on fewer rows."""
    scores = score(pool.table)
    if not np.isfinite(scores).all():
        raise UnusableTableError(
            f"{int((~np.isfinite(scores)).sum())} scores are not finite numbers"
        )
    if not request.sampled:
        if isinstance(estimator, EbmModel):
            found = ebm_values(estimator, pool, scores)
        else:
            found = additive(score, pool, scores) or tree_values(estimator, pool, scores)
        if found is not None and adds_up(found.values, found.base, scores[: pool.rows]):
            return found, scores
    fewer = min(pool.rows, request.sampled_rows)
    keep = np.concatenate([np.arange(fewer), np.arange(pool.rows, len(pool.table))])
    small = Pool(pool.table.take(keep).reset_index(drop=True), fewer, pool.subsets)
    random = np.random.default_rng(request.seed)
    return sampled(score, small, scores[keep], request.pairs, random), scores[keep]


def _refits(
    model: LoadedModel,
    rows: pd.DataFrame,
    found: Attributed,
    request: _Request,
    wanted: Mapping[str, Any],
    background: Any,
) -> dict[str, Any]:
    """Attributions of the same recipe fitted again on resampled training rows.

    A recipe that cannot be fitted again is no failure: the reason is kept.
    """
    from sklearn.base import clone

    try:
        if isinstance(model.estimator, NativeModel):
            raise UnusableTableError(f"a file of {model.summary.format} cannot be trained again")
        training = read_rows(Path(wanted["table"]), encoding=request.encoding)
        label = wanted["label"]
        if label not in training.columns:
            raise UnusableTableError(f"the training data have no column {label!r}")
        given = input_columns(model, training, request.inputs, [*request.exclude, label])
        target = training[label].to_numpy()
        kept = min(found.values.shape[1], request.refit_rows)
        behind = np.arange(len(rows) - len(background), len(rows))
        explained = rows.take(np.concatenate([np.arange(kept), behind])).reset_index(drop=True)
        pool = Pool(explained, kept, halves(len(background))[:, :1])
        parts = {}
        for draw in range(int(wanted["draws"])):
            random = np.random.default_rng([request.seed, draw])
            places = random.integers(0, len(given), len(given))
            again = clone(model.estimator)
            shown = given.take(places).reset_index(drop=True)
            again.fit(
                shown if model.summary.names is not None else shown.to_numpy(), target[places]
            )
            score, _, _ = _score_of(LoadedModel(model.summary, again), shown)
            small, scores = _attribute(again, score, pool, request)
            parts[f"refit_{draw}"] = small.values[0].astype(np.float32)
            parts[f"refit_scores_{draw}"] = scores[: small.values.shape[1]]
    except (UnusableTableError, GuiderailError) as problem:
        return {"refit_problem": np.array(str(getattr(problem, "what", problem))[:500])}
    except Exception as problem:  # noqa: BLE001  # whatever fitting raises is why there is no null
        reason = f"it could not be trained again: {type(problem).__name__}: {problem}"
        return {"refit_problem": np.array(reason[:500])}
    return parts


def _save(
    request: _Request,
    found: Attributed,
    scores: Floats,
    chosen: Any,
    names: Any,
    scale: str,
    classes: tuple[str, ...],
    refits: Mapping[str, Any],
) -> None:
    if not np.isfinite(found.values).all():
        raise UnusableTableError("some attributions are not finite numbers")
    parts: dict[str, Any] = {
        "values": found.values,
        "base": found.base,
        "scores": scores,
        "rows": np.asarray(chosen, dtype=np.int64),
        "names": np.array([str(name) for name in names], dtype=np.str_),
        "method": np.array(found.method),
        "scale": np.array(scale),
        "classes": np.array(classes, dtype=np.str_),
        **refits,
    }
    if found.errors is not None:
        parts["errors"] = found.errors
    if request.refit is not None and not refits:
        parts["refit_problem"] = np.array("boosters in their native format cannot be trained again")
    np.savez("attributions.npz", allow_pickle=False, **parts)


if __name__ == "__main__":
    sys.exit(main())
