"""Which columns of the evaluation data fairness is tested by, and in which ranges."""

from __future__ import annotations

from guiderail.facts.data.data_files import seen_columns
from guiderail.facts.model.scored import evaluation_of
from guiderail.facts.provider import Inputs
from guiderail.manifest.protected import protected_attribute, protected_columns


def declared_protected(inputs: Inputs) -> tuple[str, ...]:
    """Columns that the manifest keeps for testing fairness."""
    evaluation = evaluation_of(inputs.release)
    return protected_columns(evaluation.protected) if evaluation is not None else ()


def declared_ranges(inputs: Inputs) -> dict[str, tuple[float, ...]]:
    """Limits of the ranges of those columns that the manifest puts into ranges."""
    evaluation = evaluation_of(inputs.release)
    if evaluation is None:
        return {}
    entries = [protected_attribute(entry) for entry in evaluation.protected]
    return {one.column: one.edges for one in entries if one.edges is not None}


def tested_attributes(inputs: Inputs) -> tuple[str, ...]:
    """Columns of the evaluation data to test by: the declared ones and the detected ones."""
    evaluation = evaluation_of(inputs.release)
    if evaluation is None:
        return ()
    detected = [
        column.name
        for column in seen_columns(inputs.release, inputs)
        if column.file == evaluation.data and column.cls == "protected" and column.certain
    ]
    outside = {evaluation.label, evaluation.cluster}
    names = dict.fromkeys((*declared_protected(inputs), *detected))
    return tuple(name for name in names if name not in outside)
