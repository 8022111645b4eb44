"""Score a table with a model in the sandbox; the parent gets numbers, never objects."""

from __future__ import annotations

import hashlib
import io
import json
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
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

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SCORE_VERSION = 4
LARGEST_SCORES = 2 * 1024**3
LIBRARIES = (
    *("numpy", "pandas", "scikit-learn", "skops", "joblib"),
    *("onnxruntime", "xgboost", "xgboost-cpu", "lightgbm"),
)

__all__ = ["Failure", "Scores", "score"]


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of every row of a table, in the table's order.

    classes: class labels as texts; empty for a regression.
    meaning: `probability` or `margin` of the second class, `number` for a regression, `none`.
    scores: float64 of shape (rows,) for two classes (of the *second* class) and for regressions,
        else None. May hold NaN or infinities: whoever measures must say unknown then.
    probabilities: float64 of shape (rows, classes), or None.
    predictions: texts of shape (rows,): the class the model itself takes; empty for a regression.
    """

    classes: tuple[str, ...]
    meaning: str
    scores: NDArray[np.float64] | None
    probabilities: NDArray[np.float64] | None
    predictions: NDArray[np.str_]
    isolation: Isolation


def score(
    model: Path,
    table: Path,
    inputs: Sequence[str] | None,
    *,
    exclude: Sequence[str] = (),
    encoding: Encoding | None = None,
    cache: Path | None = None,
    limits: Limits | None = None,
) -> Scores | Failure:
    """Score `table` (CSV or Parquet) with `model` in a confined child process.

    inputs: the columns to feed, in the model's order; None for a model that names none: then all
        columns but `exclude` are fed, if their number is what the model takes.
    encoding: of a CSV file, where its owner names one.
    cache: directory for results, keyed by the digests of everything that goes in.
    """
    slot = None
    if cache is not None:
        slot = cache / f"{_key(model, table, encoding, inputs, exclude)}.scores"
    if slot is not None and (found := _read(slot)) is not None:
        return found
    with tempfile.TemporaryDirectory(prefix="guiderail-score-") as place:
        workdir = Path(place)
        request = {
            "model": str(model.resolve()),
            "table": str(table.resolve()),
            "encoding": encoding,
            "inputs": None if inputs is None else list(inputs),
            "exclude": list(exclude),
        }
        (workdir / "request.json").write_text(json.dumps(request), encoding="utf-8")
        done = run_python(
            "guiderail.sandbox.score_child",
            [],
            workdir=workdir,
            limits=limits,
            read=[model, table],
            imports=imports_of(model),
        )
        if isinstance(done, Failure):
            return done
        result = _read(workdir)
        if result is None:
            return Failure("it left no readable scores", done.isolation)
        if slot is not None:
            keep(workdir, slot, ("scores.npz", "isolation.json"))
        return result


def _read(directory: Path) -> Scores | None:
    """What a child left behind; None where it is missing or broken."""
    import zipfile

    import numpy as np

    try:
        content = io.BytesIO(read_left(directory / "scores.npz", LARGEST_SCORES))
        with np.load(content, allow_pickle=False) as stored:
            parts: dict[str, Any] = {name: stored[name] for name in stored.files}
        return Scores(
            classes=tuple(str(item) for item in parts["classes"].tolist()),
            meaning=str(parts["meaning"].item()),
            scores=parts.get("scores"),
            probabilities=parts.get("probabilities"),
            predictions=parts["predictions"],
            isolation=read_isolation(directory / "isolation.json"),
        )
    except (OSError, ValueError, OverflowError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _key(
    model: Path,
    table: Path,
    encoding: Encoding | None,
    inputs: Sequence[str] | None,
    exclude: Sequence[str],
) -> str:
    digest = json_digest(
        {
            "version": SCORE_VERSION,
            "model": content_digest(model),
            "table": file_digest(table),
            "encoding": encoding,
            "inputs": None if inputs is None else list(inputs),
            "exclude": list(exclude),
            "libraries": {name: installed(name) for name in LIBRARIES},
        }
    )
    return digest.removeprefix("sha256:")


def content_digest(path: Path) -> str:
    if not path.is_dir():
        return file_digest(path)
    files = sorted(item for item in path.rglob("*") if item.is_file())
    listing = "\n".join(f"{item.relative_to(path)} {file_digest(item)}" for item in files)
    return hashlib.sha256(listing.encode()).hexdigest()


def installed(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
