"""Keys of a manifest that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from itertools import pairwise

from guiderail.core.errors import InputError
from guiderail.core.metrics import METRIC_KINDS
from guiderail.manifest.protected import protected_attribute
from guiderail.manifest.release import AnyManifest, data_encodings
from guiderail.manifest.schema import (
    DataSource,
    Evaluation,
    Model,
    ModelManifest,
    PipelineManifest,
    Rollout,
)
from guiderail.manifest.strict_yaml import Document, YamlPath

_Found = tuple[YamlPath, str, str, str]
"""Where, code, what, advice."""


def inconsistencies(manifest: AnyManifest, document: Document) -> list[InputError]:
    """A problem for each contradiction, at the place of the key that should change."""
    return [
        InputError(what, code=f"manifest/{code}", advice=advice, place=document.value_place(path))
        for path, code, what, advice in _all(manifest)
    ]


def _all(manifest: AnyManifest) -> Iterator[_Found]:
    yield from _rollout(manifest.rollout)
    yield from _repeated(("code",), manifest.code)
    yield from _encodings(manifest)
    match manifest:
        case ModelManifest():
            yield from _threshold(manifest.model)
            yield from _repeated(("training",), [one.name for one in manifest.training], "name")
            yield from _permitted("training", manifest.training)
            if manifest.evaluation is not None:
                yield from _evaluation(manifest.evaluation, manifest.model)
            if manifest.monitoring.drift is not None:
                yield from _repeated(
                    ("monitoring", "drift", "watched"), manifest.monitoring.drift.watched
                )
        case PipelineManifest():
            yield from _repeated(("sources",), [one.name for one in manifest.sources], "name")
            yield from _permitted("sources", manifest.sources)
        case _:
            return


def _encodings(manifest: AnyManifest) -> Iterator[_Found]:
    """One file is written in one way, however often it is named."""
    said: dict[str, str] = {}
    for name, encoding in data_encodings(manifest):
        if encoding is not None and said.setdefault(name, encoding) != encoding:
            yield (
                (),
                "two-encodings",
                f"{name} is said to be written in {said[name]} and in {encoding}.",
                "Say the same encoding wherever the file is named.",
            )


def _permitted(key: str, sources: Sequence[DataSource]) -> Iterator[_Found]:
    for number, source in enumerate(sources):
        if source.permitted is None:
            continue
        try:
            date.fromisoformat(source.permitted.until)
        except ValueError:
            yield (
                (key, number, "permitted", "until"),
                "no-such-day",
                f"{source.permitted.until} is no day of the calendar.",
                "Write the last day of the permission, for example 2027-06-30.",
            )


def _rollout(rollout: Rollout) -> Iterator[_Found]:
    path: YamlPath = ("rollout", "steps")
    steps = rollout.steps
    rising = all(before < after for before, after in pairwise(steps))
    if not steps or not rising or steps[-1] != 100:
        yield (
            path,
            "rollout-steps",
            "rollout.steps must rise from step to step and end at 100.",
            "For example [10, 50, 100].",
        )


def _threshold(model: Model) -> Iterator[_Found]:
    envelope = model.threshold_envelope
    if envelope is None:
        return
    path: YamlPath = ("model", "threshold_envelope")
    low, high = envelope
    if model.threshold is None:
        yield (
            path,
            "envelope-without-threshold",
            "model.threshold_envelope is written and model.threshold is not.",
            "Write the threshold, or remove the envelope.",
        )
    elif low > high:
        yield (
            path,
            "envelope-reversed",
            f"model.threshold_envelope runs from {low:g} down to {high:g}.",
            f"Write the lower end first: [{high:g}, {low:g}].",
        )
    elif not low <= model.threshold <= high:
        yield (
            path,
            "envelope-excludes-threshold",
            f"model.threshold {model.threshold:g} lies outside its envelope, {low:g} to {high:g}.",
            "Widen the envelope or move the threshold; a reviewer approves both together.",
        )


def _evaluation(evaluation: Evaluation, model: Model) -> Iterator[_Found]:
    for key in ("metric", "positive", "error_rate"):
        if getattr(evaluation, key) is not None and evaluation.label is None:
            yield (
                ("evaluation", key),
                "label-missing",
                f"evaluation.{key} needs evaluation.label.",
                "Name the column with the true outcome.",
            )
    if evaluation.floor_percent is not None and evaluation.metric is None:
        yield (
            ("evaluation", "floor_percent"),
            "metric-missing",
            "evaluation.floor_percent needs evaluation.metric.",
            "Name the metric that the floor is about.",
        )
    if evaluation.metric is not None and METRIC_KINDS[evaluation.metric].fed == "numbers":
        yield from _classes_beside_number(evaluation, model)
    columns: list[str] = []
    for number, entry in enumerate(evaluation.protected):
        try:
            columns.append(protected_attribute(entry).column)
        except ValueError as error:
            yield (
                ("evaluation", "protected", number),
                "ranges",
                f"evaluation.protected lists {entry}, and {error}.",
                "Write the lower limits of the ranges from small to large, as in age:25,40.",
            )
    yield from _repeated(("evaluation", "protected"), columns)
    if evaluation.label is not None and evaluation.label in (*columns, evaluation.cluster):
        yield (
            ("evaluation", "label"),
            "label-reused",
            f"The column {evaluation.label} is the label and something else as well.",
            "Name it under evaluation.label alone.",
        )


def _classes_beside_number(evaluation: Evaluation, model: Model) -> Iterator[_Found]:
    """A metric for predicted numbers beside keys that only make sense for classes."""
    written: tuple[tuple[YamlPath, object], ...] = (
        (("evaluation", "positive"), evaluation.positive),
        (("model", "threshold"), model.threshold),
    )
    for path, value in written:
        if value is not None:
            yield (
                ("evaluation", "metric"),
                "metric-and-classes",
                f"evaluation.metric {evaluation.metric} is for predicted numbers, and "
                f"{'.'.join(map(str, path))} is for classes.",
                f"Choose a metric for classes, or remove {'.'.join(map(str, path))}.",
            )


def _repeated(path: YamlPath, names: Sequence[str], key: str | None = None) -> Iterator[_Found]:
    """Entries of a list (or one key of each) that stand there more than once."""
    for number, name in enumerate(names):
        if name in names[:number]:
            yield (
                (*path, number, key) if key is not None else (*path, number),
                "repeated",
                f"{'.'.join(map(str, path))} lists {name} twice.",
                "Keep one of the two.",
            )
