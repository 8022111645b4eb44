"""The child of `sandbox.score`: read request.json, score the table, leave scores.npz.

A problem that a person can act on is left in failure.txt, in words.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from guiderail.core.errors import GuiderailError
from guiderail.sandbox.load import LoadedModel, load_model


class _UnusableError(ValueError):
    """The table does not fit the model."""


def main() -> int:
    try:
        request = json.loads(Path("request.json").read_text("utf-8"))
        model = load_model(Path(request["model"]))
        frame = input_columns(
            model, read_rows(Path(request["table"])), request["inputs"], request["exclude"]
        )
        _save(model, frame)
    except GuiderailError as problem:
        return _explain(problem.what)
    except _UnusableError as problem:
        return _explain(str(problem))
    except MemoryError:
        return _explain("it needed more memory than the sandbox allows")
    except Exception as problem:  # noqa: BLE001  # any code of any model may fail in any way here
        return _explain(f"the model failed on the table: {type(problem).__name__}: {problem}")
    return 0


def _explain(reason: str) -> int:
    Path("failure.txt").write_text(reason[:2_000], encoding="utf-8")
    return 1


def read_rows(path: Path) -> pd.DataFrame:
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return _parquet(path)
        return pd.read_csv(path)
    except (ValueError, OSError, UnicodeDecodeError) as problem:
        raise _UnusableError(f"the table {path.name} cannot be read: {problem}") from problem


def _parquet(path: Path) -> pd.DataFrame:
    """DuckDB reads Parquet here; it is installed with Guiderail, other engines may not be."""
    import duckdb

    try:
        with duckdb.connect(config={"threads": 1}) as connection:
            columns = connection.read_parquet(str(path)).fetchnumpy()
    except duckdb.Error as problem:
        raise ValueError(str(problem).splitlines()[0]) from problem
    return pd.DataFrame(columns)


def input_columns(
    model: LoadedModel, table: pd.DataFrame, inputs: Sequence[str] | None, exclude: Sequence[str]
) -> pd.DataFrame:
    if table.empty:
        raise _UnusableError("the table has no rows")
    if inputs is not None:
        missing = [name for name in inputs if name not in table.columns]
        if missing:
            raise _UnusableError(f"the table lacks the model's input {missing[0]!r}")
        return table.loc[:, list(inputs)]
    rest = [name for name in table.columns if name not in exclude]
    wanted = model.summary.input_count
    if wanted != len(rest):
        raise _UnusableError(
            f"the model names no inputs and takes {wanted}, the table offers {len(rest)}"
        )
    return table.loc[:, rest]


def _save(model: LoadedModel, frame: pd.DataFrame) -> None:
    scored = model.score(frame)
    parts = {
        "classes": np.array(scored.classes, dtype=np.str_),
        "meaning": np.array(scored.meaning),
        "predictions": np.array(scored.predictions, dtype=np.str_),
    }
    if scored.scores is not None:
        parts["scores"] = scored.scores
    if scored.probabilities is not None:
        parts["probabilities"] = scored.probabilities
    for name, part in parts.items():
        if name not in ("classes", "meaning") and part.size and len(part) != len(frame):
            raise _UnusableError(f"the model gave {len(part)} answers for {len(frame)} rows")
    np.savez("scores.npz", allow_pickle=False, **parts)


if __name__ == "__main__":
    sys.exit(main())
