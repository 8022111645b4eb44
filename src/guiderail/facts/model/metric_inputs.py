"""What a metric is fed: scores, decisions or numbers, as the metric needs them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from guiderail.core.metrics import METRIC_KINDS
from guiderail.facts.model.decisions import decisions, positive_class, positive_scores
from guiderail.manifest.schema import ModelManifest
from guiderail.measure.scored_rows import as_texts
from guiderail.measure.unmeasurable import NotMeasurable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from guiderail.manifest.release import Release
    from guiderail.manifest.schema import Evaluation
    from guiderail.sandbox.score import Scores


@dataclass(frozen=True, slots=True)
class MetricInputs:
    """values: one per row. positive: the class that counts as positive, None where none does."""

    values: NDArray[Any]
    positive: str | None


def metric_inputs(
    evaluation: Evaluation, release: Release, label: NDArray[Any], scores: Scores
) -> MetricInputs | NotMeasurable:
    """What `paired_change` takes for the evaluation's metric, from one version's scores."""
    manifest = release.manifest
    threshold = manifest.model.threshold if isinstance(manifest, ModelManifest) else None
    if len(label) != _rows(scores):
        return NotMeasurable(f"the model scored {_rows(scores)} rows, the data have {len(label)}")
    if evaluation.metric is None:
        return NotMeasurable("guiderail.yaml names no primary metric")
    fed = METRIC_KINDS[evaluation.metric].fed
    if fed == "numbers":
        if scores.meaning != "number" or scores.scores is None:
            return NotMeasurable(f"{evaluation.metric} needs a model that gives numbers")
        return MetricInputs(scores.scores, None)
    mismatch = _foreign_labels(label, scores)
    if mismatch is not None:
        return mismatch
    if fed == "matches" and len(scores.classes) != 2:
        found = decisions(scores, threshold, evaluation.positive)
        return found if isinstance(found, NotMeasurable) else MetricInputs(found, None)
    positive = positive_class(scores, evaluation.positive)
    if isinstance(positive, NotMeasurable):
        return positive
    if fed in ("matches", "decisions"):
        values = decisions(scores, threshold, evaluation.positive)
    elif fed == "probabilities" and scores.meaning != "probability":
        return NotMeasurable(f"{evaluation.metric} needs a model that gives probabilities")
    else:
        values = positive_scores(scores, evaluation.positive)
    return values if isinstance(values, NotMeasurable) else MetricInputs(values, positive)


def _rows(scores: Scores) -> int:
    return (
        len(scores.predictions)
        if scores.classes
        else 0
        if scores.scores is None
        else len(scores.scores)
    )


def _foreign_labels(label: NDArray[Any], scores: Scores) -> NotMeasurable | None:
    """Labels and classes that share no value are two codings of the truth, not a bad model."""
    if not scores.classes:
        return NotMeasurable("the model gives numbers, the metric needs classes")
    labels = {str(item) for item in np.unique(as_texts(label)).tolist()}
    if labels & set(scores.classes):
        return None
    shown = ", ".join(sorted(labels)[:5])
    classes = ", ".join(scores.classes[:5])
    return NotMeasurable(f"the labels are {shown}, the model's classes are {classes}")
