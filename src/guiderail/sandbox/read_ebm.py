"""Read what `to_json` of an explainable boosting machine writes: plain data, nothing executes.

The export of InterpretML 0.7 (version "1.0" of its format): features with the limits of their bins,
and terms of one or more features with a score for every combination of bins. Bin 0 is for missing
cells, the last one for what no bin knows. A file whose parts do not fit together is refused here,
so that whoever runs it may look up scores without asking again.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused
from guiderail.sandbox.read_xgboost import once

LARGEST_JSON = 256 * 1024**2
"""Bytes. `to_json(file, detail="interpretable")` leaves out what only training needs."""

LINKS = {"logit": 1, "identity": 1, "log": 1, "mlogit": 0}
"""How scores become answers; the value is how many scores a row has, 0 for one of each class."""

_FORMAT = "ebm-json"
_MOST_TOGETHER = 8
_SIZE_BESIDE_BINS = 2


@dataclass(frozen=True, slots=True)
class EbmFeature:
    """levels: limits (continuous) or categories of each resolution; the last serves all others.

    Limits ascend, and a value on a limit belongs above it. A bin may hold several categories.
    """

    name: str
    continuous: bool
    levels: tuple[tuple[Any, ...], ...]

    def level(self, together: int) -> tuple[Any, ...]:
        """What a term of so many features uses."""
        return self.levels[min(len(self.levels), together) - 1]

    def bins(self, together: int) -> int:
        """Bins of that level, those for missing and for unknown cells included."""
        return len(self.level(together)) + _SIZE_BESIDE_BINS + self.continuous


@dataclass(frozen=True, slots=True)
class EbmTerm:
    """features: places in `Ebm.features`. scores: nested lists, one level for each feature."""

    features: tuple[int, ...]
    scores: list[Any]


@dataclass(frozen=True, slots=True)
class Ebm:
    """A checked export. classes: as the file writes them; empty for a number."""

    features: tuple[EbmFeature, ...]
    terms: tuple[EbmTerm, ...]
    intercept: tuple[float, ...]
    link: str
    classes: tuple[object, ...]
    parameters: Mapping[str, object] | None


def read_ebm(data: bytes) -> ModelSummary:
    try:
        model = checked_ebm(data)
    except (ValueError, RecursionError) as problem:
        return refused(_FORMAT, f"the file is broken: {problem}")
    kinds = ("number" if one.continuous else "unknown" for one in model.features)
    names = [one.name for one in model.features]
    task = "Classifier" if model.classes else "Regressor"
    return ModelSummary(
        format=_FORMAT,
        safety="safe",
        inputs=tuple(zip(names, kinds, strict=True)),
        input_count=len(names),
        architecture=json_digest(["ebm", task, model.link]),
        tuning=None if model.parameters is None else json_digest(repr_of(model.parameters)),
        classes=(f"interpret.ExplainableBoosting{task}",),
    )


def repr_of(parameters: Mapping[str, object]) -> dict[str, str]:
    """Settings as texts: a digest holds no floats."""
    return {str(key): repr(value) for key, value in sorted(parameters.items())}


def checked_ebm(data: bytes) -> Ebm:
    """The content of an export. Raises ValueError with what does not fit together."""
    if len(data) > LARGEST_JSON:
        raise ValueError(f'it is larger than {LARGEST_JSON} bytes; save it with detail="minimal"')
    outer = json.loads(data, object_pairs_hook=once)
    inner = outer.get("ebm") if isinstance(outer, Mapping) else None
    if not isinstance(inner, Mapping) or outer.get("version") != "1.0":
        raise ValueError('it holds no "ebm" of version "1.0"')
    link, classes = _output(inner.get("outputs"))
    width = LINKS[link] or len(classes)
    features = tuple(_feature(one) for one in _list(inner, "features"))
    names = [one.name for one in features]
    if len(set(names)) != len(names) or not names:
        raise ValueError("its features are not named, each by a name of its own")
    intercept = tuple(_number(one) for one in _list(inner, "intercept"))
    if len(intercept) != width:
        raise ValueError(f"it has {len(intercept)} intercepts for {width} scores")
    terms = tuple(_term(one, features, names, width) for one in _list(inner, "terms"))
    parameters = inner.get("implementation_params")
    kept = parameters if isinstance(parameters, Mapping) else None
    return Ebm(features, terms, intercept, link, classes, kept)


def _output(outputs: object) -> tuple[str, tuple[object, ...]]:
    if not isinstance(outputs, list) or len(outputs) != 1 or not isinstance(outputs[0], Mapping):
        raise ValueError("it has not one output")
    link = outputs[0].get("link")
    if link not in LINKS:
        raise ValueError(f"its link is {link!r}, none of {', '.join(LINKS)}")
    classes = tuple(_list(outputs[0], "classes")) if link in ("logit", "mlogit") else ()
    if any(not isinstance(one, str | int | float) for one in classes):
        raise ValueError("its classes are neither texts nor numbers")
    if (link == "logit" and len(classes) != 2) or (link == "mlogit" and len(classes) < 2):
        raise ValueError(f"it has {len(classes)} classes for the link {link}")
    return str(link), classes


def _feature(part: object) -> EbmFeature:
    if not isinstance(part, Mapping) or not isinstance(part.get("name"), str):
        raise ValueError("a feature has no name")
    name, kind = str(part["name"]), part.get("type")
    if kind not in ("continuous", "nominal", "ordinal"):
        raise ValueError(f"the feature {name} is of the type {kind!r}")
    continuous = kind == "continuous"
    given = _list(part, "cuts" if continuous else "categories")
    levels = tuple(_limits(name, one) if continuous else _categories(name, one) for one in given)
    if not levels:
        raise ValueError(f"the feature {name} has no bins")
    return EbmFeature(name, continuous, levels)


def _limits(name: str, level: object) -> tuple[float, ...]:
    if not isinstance(level, list):
        raise ValueError(f"the limits of {name} are no list")
    limits = tuple(_number(one) for one in level)
    if any(later <= earlier for earlier, later in pairwise(limits)):
        raise ValueError(f"the limits of {name} do not ascend")
    return limits


def _categories(name: str, level: object) -> tuple[tuple[str, ...], ...]:
    if not isinstance(level, list):
        raise ValueError(f"the categories of {name} are no list")
    bins = [tuple(one) if isinstance(one, list) else (one,) for one in level]
    every = [category for held in bins for category in held]
    if any(not isinstance(one, str) for one in every) or len(set(every)) != len(every):
        raise ValueError(f"the categories of {name} are not different texts")
    return tuple(bins)


def _term(part: object, features: tuple[EbmFeature, ...], names: list[str], width: int) -> EbmTerm:
    if not isinstance(part, Mapping):
        raise ValueError("a term is no object")
    named = _list(part, "term_features")
    if not 0 < len(named) <= _MOST_TOGETHER or len(set(map(str, named))) != len(named):
        raise ValueError("a term names no features, one twice, or too many")
    unknown = [name for name in named if name not in names]
    if unknown:
        raise ValueError(f"a term asks for the feature {unknown[0]!r}, which does not exist")
    places = tuple(names.index(name) for name in named)
    shape = [features[place].bins(len(places)) for place in places]
    scores = _list(part, "scores")
    _check_scores(scores, [*shape, width] if width > 1 else shape, " & ".join(named))
    return EbmTerm(places, scores)


def _check_scores(scores: object, shape: list[int], term: str) -> None:
    """Nested lists of exactly this shape, with finite numbers inside."""
    if not isinstance(scores, list) or len(scores) != shape[0]:
        raise ValueError(f"the scores of {term} do not fit its bins")
    if len(shape) > 1:
        for one in scores:
            _check_scores(one, shape[1:], term)
    elif any(type(one) not in (int, float) or not math.isfinite(one) for one in scores):
        raise ValueError(f"a score of {term} is no finite number")


def _number(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]  # is one of both
        raise ValueError(f"{value!r} stands where a finite number must")
    return float(value)  # type: ignore[arg-type]  # is a number


def _list(part: Mapping[str, object], key: str) -> list[Any]:
    found = part.get(key)
    if not isinstance(found, list):
        raise ValueError(f"it has no list {key!r}")
    return found
