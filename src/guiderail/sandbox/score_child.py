"""The child of `sandbox.score`: read request.json, score the table, leave scores.npz.

A problem that a person can act on is left in failure.txt, in words.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from guiderail.sandbox.child import run
from guiderail.sandbox.input_rows import UnusableTableError, input_columns, read_rows
from guiderail.sandbox.load import LoadedModel, load_model


def main() -> int:
    return run(_work)


def _work() -> None:
    request = json.loads(Path("request.json").read_text("utf-8"))
    model = load_model(Path(request["model"]))
    table = read_rows(Path(request["table"]), encoding=request["encoding"])
    _save(model, input_columns(model, table, request["inputs"], request["exclude"]))


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
            raise UnusableTableError(f"the model gave {len(part)} answers for {len(frame)} rows")
    np.savez("scores.npz", allow_pickle=False, **parts)


if __name__ == "__main__":
    sys.exit(main())
