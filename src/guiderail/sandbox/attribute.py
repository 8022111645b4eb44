"""Explain rows of a table with a model in the sandbox; the parent gets numbers, never objects."""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.digest import file_digest, json_digest
from guiderail.sandbox.kept import keep
from guiderail.sandbox.model_imports import imports_of
from guiderail.sandbox.process import (
    Failure,
    Isolation,
    Limits,
    read_isolation,
    read_left,
    run_python,
)
from guiderail.sandbox.score import LARGEST_SCORES, content_digest, installed

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ATTRIBUTE_VERSION = 1
ROWS, SAMPLED_ROWS, REFIT_ROWS, BACKGROUND, PAIRS = 400, 150, 100, 60, 24
LIBRARIES = (
    *("numpy", "pandas", "scikit-learn", "skops", "joblib"),
    *("onnxruntime", "lightgbm", "xgboost", "xgboost-cpu"),
)
LIMITS = Limits(cpu_seconds=600, wall_seconds=1200.0)


@dataclass(frozen=True, slots=True)
class Refits:
    """Train the recipe again `draws` times on resampled rows of `table`, to learn what is usual."""

    table: Path
    label: str
    draws: int = 16


@dataclass(frozen=True, slots=True)
class Attributions:
    """What each input adds to the score of each explained row.

    names: the inputs. rows: numbers of the explained rows in the table, from 0 on.
    values: (rows, inputs), in the scale of the score. base: mean score of the background. scores:
        (rows,); values and base add up to it.
    halves: values against each half of the background, empty where there is no background.
    errors: standard errors of `values`; None where they are exact.
    scale: `margin` or `probability` of the second class, or `number`. classes: as in `Scores`.
    refits: values and scores of the refitted recipe on the first of the rows, one pair for each
        draw; refit_problem: why there are none.
    """

    names: tuple[str, ...]
    rows: NDArray[np.int64]
    values: NDArray[np.float64]
    base: float
    scores: NDArray[np.float64]
    halves: tuple[NDArray[np.float64], ...]
    errors: NDArray[np.float64] | None
    method: str
    scale: str
    classes: tuple[str, ...]
    refits: tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]
    refit_problem: str
    isolation: Isolation


def attribute(
    model: Path,
    table: Path,
    inputs: Sequence[str] | None,
    *,
    exclude: Sequence[str] = (),
    encoding: Encoding | None = None,
    sampled: bool = False,
    refits: Refits | None = None,
    cache: Path | None = None,
    limits: Limits = LIMITS,
) -> Attributions | Failure:
    """Explain rows of `table` (CSV or Parquet) with `model` in a confined child process.

    The table's content chooses rows, background and orders, so two models are explained on the same
    rows against the same background. inputs, exclude, encoding: as in `sandbox.score`; the
    encoding holds for training data too. sampled: sample even where an exact method exists, to
    compare models that no exact method explains alike.
    """
    request = {
        "inputs": None if inputs is None else list(inputs),
        "exclude": list(exclude),
        "encoding": encoding,
        "rows": ROWS,
        "sampled_rows": SAMPLED_ROWS,
        "refit_rows": REFIT_ROWS,
        "background": BACKGROUND,
        "pairs": PAIRS,
        "seed": int(file_digest(table).removeprefix("sha256:")[:12], 16),
        "sampled": sampled,
    }
    slot = None if cache is None else cache / f"{_key(model, table, request, refits)}.explained"
    if slot is not None and (found := _read(slot)) is not None:
        return found
    places: dict[str, Any] = {"model": str(model.resolve()), "table": str(table.resolve())}
    places["refit"] = None if refits is None else {
        "table": str(refits.table.resolve()), "label": refits.label, "draws": refits.draws
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="guiderail-explain-") as place:
        workdir = Path(place)
        (workdir / "request.json").write_text(json.dumps(request | places), encoding="utf-8")
        read = [model, table] if refits is None else [model, table, refits.table]
        done = run_python(
            "guiderail.sandbox.attribute_child",
            [],
            workdir=workdir,
            limits=limits,
            read=read,
            imports=imports_of(model),
        )
        if isinstance(done, Failure):
            return done
        result = _read(workdir)
        if result is None:
            return Failure("it left no readable attributions", done.isolation)
        if slot is not None:
            keep(workdir, slot, ("attributions.npz", "isolation.json"))
        return result


def _read(directory: Path) -> Attributions | None:
    """What a child left behind; None where it is missing, broken or of shapes that do not fit."""
    import zipfile

    import numpy as np

    try:
        content = io.BytesIO(read_left(directory / "attributions.npz", LARGEST_SCORES))
        with np.load(content, allow_pickle=False) as stored:
            parts: dict[str, Any] = {name: stored[name] for name in stored.files}
        layers = parts["values"]
        count = sum(1 for name in parts if name.startswith("refit_scores_"))
        result = Attributions(
            names=tuple(str(name) for name in parts["names"].tolist()),
            rows=parts["rows"],
            values=layers[0],
            base=float(parts["base"][0]),
            scores=parts["scores"],
            halves=tuple(layers[1:]),
            errors=parts.get("errors"),
            method=str(parts["method"].item()),
            scale=str(parts["scale"].item()),
            classes=tuple(str(item) for item in parts["classes"].tolist()),
            refits=tuple(
                (np.asarray(parts[f"refit_{i}"], dtype=np.float64), parts[f"refit_scores_{i}"])
                for i in range(count)
            ),
            refit_problem=str(parts["refit_problem"].item()) if "refit_problem" in parts else "",
            isolation=read_isolation(directory / "isolation.json"),
        )
    except (OSError, ValueError, OverflowError, LookupError, EOFError, zipfile.BadZipFile):
        return None
    shape = (len(result.rows), len(result.names))
    numbers = [result.scores, *result.halves, *(part for pair in result.refits for part in pair)]
    numbers += [result.values, np.asarray(result.base)]
    fits = (
        result.values.shape == shape
        and result.scores.shape == shape[:1]
        and all(half.shape == shape for half in result.halves)
        and all(one.shape == (len(scores), shape[1]) for one, scores in result.refits)
    )
    return result if fits and all(bool(np.isfinite(part).all()) for part in numbers) else None


def _key(model: Path, table: Path, request: dict[str, Any], refits: Refits | None) -> str:
    digest = json_digest(
        {
            "version": ATTRIBUTE_VERSION,
            "model": content_digest(model),
            "table": file_digest(table),
            "request": request,
            "refits": None
            if refits is None
            else [file_digest(refits.table), refits.label, refits.draws],
            "libraries": {name: installed(name) for name in LIBRARIES},
        }
    )
    return digest.removeprefix("sha256:")
