"""A version of a model scored on the evaluation data of the release that is judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from guiderail.facts.data.data_files import open_data
from guiderail.facts.fact import Unknown
from guiderail.facts.model.summary import model_file, model_summary
from guiderail.manifest.protected import protected_columns
from guiderail.manifest.release import Release
from guiderail.manifest.schema import Evaluation, ModelManifest
from guiderail.sandbox.process import Failure
from guiderail.sandbox.score import Scores, score

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from guiderail.facts.cache import FactCache
    from guiderail.measure.table import Table

NO_DATA = "guiderail.yaml names no evaluation data"


@dataclass(frozen=True, slots=True)
class EvaluationRows:
    """The columns of the evaluation data that are not fed to the model. label is None for none."""

    rows: int
    columns: tuple[str, ...]
    label: NDArray[Any] | None
    label_problem: str
    cluster: NDArray[Any] | None
    table: Table


def evaluation_of(release: Release) -> Evaluation | None:
    """The evaluation section of a model's manifest; None for other kinds."""
    manifest = release.manifest
    return manifest.evaluation if isinstance(manifest, ModelManifest) else None


def evaluation_key(release: Release) -> Mapping[str, object]:
    """Everything about the evaluation that a result depends on."""
    evaluation = evaluation_of(release)
    if evaluation is None:
        return {"evaluation": None}
    return {
        "evaluation": evaluation.model_dump(mode="json", exclude={"floor_percent", "recipe"}),
        "data": release.artefacts[evaluation.data],
        "encoding": release.encoding(evaluation.data),
    }


def model_key(release: Release) -> Mapping[str, object]:
    """Everything about a model that its decisions depend on."""
    manifest = release.manifest
    threshold = manifest.model.threshold if isinstance(manifest, ModelManifest) else None
    return {"model": release.artefacts[model_file(release)], "threshold": repr(threshold)}


def not_fed(evaluation: Evaluation) -> tuple[str, ...]:
    """Columns of the evaluation data that a model which names no inputs does not get."""
    outside = (evaluation.label, evaluation.cluster, *protected_columns(evaluation.protected))
    return tuple(name for name in outside if name is not None)


def scored(model: Release, data: Release, cache: FactCache) -> Scores | Failure | Unknown:
    """Score `model` on the evaluation data of `data`, in the sandbox.

    Raises InputError where the model file cannot be read.
    """
    evaluation = evaluation_of(data)
    if evaluation is None:
        return Unknown(NO_DATA)
    summary = model_summary(model, cache)
    if summary.safety == "unsafe":
        return Unknown(f"{model_file(model)} is refused: {'; '.join(summary.reasons)}")
    result = score(
        model.path(model_file(model)),
        data.path(evaluation.data),
        summary.names,
        exclude=not_fed(evaluation),
        encoding=data.encoding(evaluation.data),
        cache=cache.scores,
    )
    if isinstance(result, Failure):
        return Failure(
            f"{model_file(model)} could not be scored: {result.reason}", result.isolation
        )
    return result


def evaluation_rows(release: Release) -> EvaluationRows | Unknown:
    """Open the evaluation data. The caller closes `table`. Raises InputError for a bad file."""
    from guiderail.measure.scored_rows import count_missing

    evaluation = evaluation_of(release)
    if evaluation is None:
        return Unknown(NO_DATA)
    table = open_data(release, evaluation.data)
    problem, label = "guiderail.yaml names no label column", None
    if evaluation.label is not None:
        problem = f"{evaluation.data} has no column {evaluation.label!r}"
        if evaluation.label in table.names:
            label = table.column(evaluation.label)
            if count_missing(label) == table.rows:
                problem, label = (
                    f"the column {evaluation.label!r} of {evaluation.data} is empty",
                    None,
                )
    cluster = None
    if evaluation.cluster is not None:
        cluster = table.column(evaluation.cluster)
    return EvaluationRows(table.rows, table.names, label, problem, cluster, table)
