"""Print what differs between two releases of an example, on the frozen data of the newer one.

    python examples/differences.py demo/credit/v1 demo/credit/v2

The figures in the READMEs of the examples come from here: the primary metric with its paired
interval, and the decisions that flip.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import pandas
import skops.io

from guiderail.core.errors import InputError
from guiderail.core.interval import Interval
from guiderail.manifest.load import load_manifest
from guiderail.manifest.schema import ModelManifest
from guiderail.measure.flips import Flips, flips
from guiderail.measure.performance import paired_change
from guiderail.measure.unmeasurable import NotMeasurable


@dataclass(frozen=True, slots=True)
class Answers:
    """What one release says about the evaluation rows.

    values: the score of the positive class where a threshold decides, else the class itself.
    decisions: what follows from it, as text.
    """

    values: numpy.ndarray[Any, Any]
    decisions: numpy.ndarray[Any, Any]


@dataclass(frozen=True, slots=True)
class Differences:
    """The newer release against the older one.

    old, new: the primary metric. relative_pct: its change in percent, plus is better.
    error_growth_pct: growth of the metric's distance to perfect in percent.
    """

    metric: str
    rows: int
    old: Interval
    new: Interval
    relative_pct: Interval
    error_growth_pct: Interval
    flips: Flips


def read_manifest(release: Path) -> ModelManifest:
    manifest = load_manifest(release).manifest
    if not isinstance(manifest, ModelManifest) or manifest.evaluation is None:
        raise SystemExit(f"{release} is not a model with evaluation data.")
    return manifest


def answers(release: Path, rows: pandas.DataFrame) -> Answers:
    """Score the rows with the model of a release, loaded with the types that skops trusts."""
    described = read_manifest(release).model
    model = skops.io.load(release / described.file, trusted=[])
    inputs = rows[list(model.feature_names_in_)]
    if described.threshold is None:
        classes = model.predict(inputs)
        return Answers(classes, classes.astype(str))
    scores = model.predict_proba(inputs)[:, 1]
    return Answers(scores, numpy.where(scores >= described.threshold, "granted", "refused"))


def differences(old: Path, new: Path) -> Differences:
    """Both releases on the evaluation data that the newer one names. Ends where it cannot."""
    evaluation = read_manifest(new).evaluation
    if evaluation is None or evaluation.label is None or evaluation.metric is None:
        raise SystemExit(f"{new} names no label or no metric.")
    rows = pandas.read_csv(new / evaluation.data)
    before, after = answers(old, rows), answers(new, rows)
    label = rows[evaluation.label].to_numpy()
    change = paired_change(evaluation.metric, label, after.values, before.values)
    flipped = flips(before.decisions, after.decisions)
    if isinstance(change, NotMeasurable):
        raise SystemExit(f"The performance cannot be compared: {change.reason}")
    if isinstance(flipped, NotMeasurable):
        raise SystemExit(f"The flips cannot be counted: {flipped.reason}")
    if change.old is None or change.relative_pct is None or change.error_growth_pct is None:
        raise SystemExit("The older release is perfect or worthless; there is no relative change.")
    return Differences(
        change.metric,
        change.n,
        change.old,
        change.value,
        change.relative_pct,
        change.error_growth_pct,
        flipped,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    wanted = parser.parse_args()
    try:
        found = differences(wanted.old, wanted.new)
    except InputError as error:
        raise SystemExit(str(error)) from error
    change, rate = found.relative_pct, found.flips.rate
    print(f"rows        {found.rows}")
    print(f"{found.metric:<11} {found.old.value:.4f} -> {found.new.value:.4f}")
    print(f"change      {change.value:+.2f} % ({change.low:+.2f} to {change.high:+.2f})")
    growth = found.error_growth_pct
    print(f"distance to perfect  {growth.value:+.1f} % ({growth.low:+.1f} to {growth.high:+.1f})")
    print(f"flips       {found.flips.flips} = {rate.value:.2%} ({rate.low:.2%} to {rate.high:.2%})")
    for direction, count in sorted(found.flips.directions.items()):
        print(f"            {direction}: {count}")


if __name__ == "__main__":
    main()
