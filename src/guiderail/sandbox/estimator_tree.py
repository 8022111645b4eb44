"""What a tree of estimators says about itself: inputs, classes, settings.

Works on a neutral tree that the readers of skops and pickle files build without executing anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from guiderail.core.digest import json_digest
from guiderail.sandbox.trusted_types import public_name


@dataclass(frozen=True, slots=True)
class Array:
    """A numpy array. items: its content where it was readable; token: a digest of its content."""

    items: tuple[object, ...] | None
    token: str


@dataclass(frozen=True, slots=True, eq=False)
class Obj:
    """An instance of a class with its attributes; None where its state is not a mapping."""

    module: str
    name: str
    attributes: Mapping[str, object] = field(default_factory=dict)

    @property
    def public(self) -> str:
        return public_name(self.module, self.name)


@dataclass(frozen=True, slots=True)
class Description:
    """What `describe` reads from a tree; the fields are those of `ModelSummary`."""

    inputs: tuple[tuple[str, str], ...] | None
    input_count: int | None
    architecture: str
    tuning: str
    threshold: float | None
    classes: tuple[str, ...]


_DELEGATES = ("best_estimator_", "estimator_", "estimator")
_ENCODERS = frozenset({"OneHotEncoder", "OrdinalEncoder", "TargetEncoder"})
_NUMERIC_PACKAGES = frozenset(
    {
        "sklearn.decomposition",
        "sklearn.discriminant_analysis",
        "sklearn.ensemble",
        "sklearn.linear_model",
        "sklearn.naive_bayes",
        "sklearn.neighbors",
        "sklearn.neural_network",
        "sklearn.svm",
        "sklearn.tree",
    }
)
_NUMERIC_TRANSFORMERS = frozenset(
    {
        "StandardScaler",
        "MinMaxScaler",
        "MaxAbsScaler",
        "RobustScaler",
        "QuantileTransformer",
        "PowerTransformer",
        "KBinsDiscretizer",
        "PolynomialFeatures",
        "SplineTransformer",
        "Normalizer",
        "Binarizer",
    }
)


MOST_PARTS = 5_000_000
"""Parts of a tree when shared ones are counted as often as they are referred to."""


class EndlessTreeError(ValueError):
    """The tree is small in the file and beyond measure when it is walked through."""


def describe(root: object) -> Description | None:
    """Read inputs, class tree and settings of the outermost estimator; None for anything else.

    Raises EndlessTreeError where shared parts would unfold into more than can be walked through.
    """
    if not isinstance(root, Obj) or not root.module.startswith("sklearn."):
        return None
    if _unfolded(root, {}) > MOST_PARTS:
        raise EndlessTreeError("its parts refer to each other so often that it has no end")
    names, count = _inputs(root)
    types = _types(root, names or ())
    threshold = root.attributes.get("threshold", root.attributes.get("best_threshold_"))
    return Description(
        inputs=None if names is None else tuple((name, types[name]) for name in names),
        input_count=len(names) if names is not None else count,
        architecture=json_digest(_architecture(root)),
        tuning=json_digest(_tuning(root)),
        threshold=threshold if isinstance(threshold, float) else None,
        classes=tuple(_classes(root)),
    )


def _unfolded(part: object, known: dict[int, int]) -> int:
    """How many parts a walk would meet; each shared part is looked into once."""
    match part:
        case Obj(attributes=attributes):
            inside: Iterator[object] = iter(attributes.values())
        case Array(items=items):
            inside = iter(items or ())
        case list() | tuple():
            inside = iter(part)
        case Mapping():
            inside = iter(part.values())
        case _:
            return 1
    if id(part) not in known:
        known[id(part)] = 1 + sum(_unfolded(one, known) for one in inside)
    return known[id(part)]


def _inputs(root: Obj) -> tuple[tuple[str, ...] | None, int | None]:
    """Names and number of the inputs of the outermost estimator that recorded them at fitting."""
    current: Obj | None = root
    count: int | None = None
    while current is not None:
        names = current.attributes.get("feature_names_in_")
        if isinstance(names, Array) and names.items is not None:
            texts = tuple(item for item in names.items if isinstance(item, str))
            if len(texts) == len(names.items) and len(set(texts)) == len(texts):
                return texts, len(texts)
        if count is None and isinstance(current.attributes.get("n_features_in_"), int):
            count = int(str(current.attributes["n_features_in_"]))
        current = _inner(current)
    return None, count


def _inner(outer: Obj) -> Obj | None:
    """The estimator to which the outer one hands its inputs unchanged."""
    if outer.name == "Pipeline":
        for step in _items(outer.attributes.get("steps")):
            parts = _items(step)
            if len(parts) == 2 and isinstance(parts[1], Obj):
                return parts[1]
        return None
    for attribute in _DELEGATES:
        inner = outer.attributes.get(attribute)
        if isinstance(inner, Obj):
            return inner
    for inner in _items(outer.attributes.get("calibrated_classifiers_")):
        if isinstance(inner, Obj):
            return inner
    return None


def _types(root: Obj, names: tuple[str, ...]) -> dict[str, str]:
    """What the fitted transformers say about the type of each input."""
    types = dict.fromkeys(names, "unknown")
    current: Obj | None = root
    while current is not None:
        if current.name == "ColumnTransformer":
            for part in _items(current.attributes.get("transformers_")):
                pieces = _items(part)
                if len(pieces) == 3 and isinstance(pieces[1], Obj):
                    kind = _accepts(pieces[1])
                    for column in _items(pieces[2]):
                        if isinstance(column, str) and column in types:
                            types[column] = kind
            return types
        if current.name != "Pipeline":
            kind = _accepts(current)
            if kind != "unknown":
                return dict.fromkeys(names, kind)
        current = _inner(current)
    return types


def _accepts(transformer: Obj) -> str:
    """`text` or `number` where the transformer can take nothing else, else `unknown`."""
    if transformer.name == "Pipeline":
        kinds = {
            _accepts(step[1])
            for step in map(_items, _items(transformer.attributes.get("steps")))
            if len(step) == 2 and isinstance(step[1], Obj)
        } - {"unknown"}
        return kinds.pop() if len(kinds) == 1 else "text" if "text" in kinds else "unknown"
    if transformer.name in _ENCODERS:
        arrays = _items(transformer.attributes.get("categories_"))
        first = [array.items[0] for array in arrays if isinstance(array, Array) and array.items]
        if first and all(isinstance(item, str) for item in first):
            return "text"
        return "unknown"
    if transformer.name.startswith("HistGradientBoosting"):  # takes categories too
        return "unknown"
    package = transformer.public.rpartition(".")[0]
    if transformer.name in _NUMERIC_TRANSFORMERS or package in _NUMERIC_PACKAGES:
        return "number"
    return "unknown"


def _items(value: object) -> tuple[object, ...]:
    if isinstance(value, Array):
        return value.items or ()
    return tuple(value) if isinstance(value, list | tuple) else ()


def _settings(estimator: Obj) -> Iterator[tuple[str, object]]:
    """Constructor settings: what fitting adds ends, or begins, with an underscore."""
    for name in sorted(estimator.attributes):
        if not name.endswith("_") and not name.startswith("_"):
            yield name, estimator.attributes[name]


def _architecture(estimator: Obj) -> list[object]:
    children: list[object] = []
    for name, value in _settings(estimator):
        found = [_architecture(child) for child in _estimators(value)]
        if found:
            children.append([name, found])
    return [estimator.public, children]


def _estimators(value: object) -> Iterator[Obj]:
    """Estimators directly below a setting, through lists, tuples and mappings, in their order."""
    if isinstance(value, Obj):
        if value.module.startswith("sklearn."):
            yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _estimators(item)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=str):
            yield from _estimators(value[key])


def _classes(estimator: Obj) -> Iterator[str]:
    yield estimator.public
    for _, value in _settings(estimator):
        for child in _estimators(value):
            yield from _classes(child)


def _tuning(value: object) -> object:
    """Settings as canonical JSON; floats as their shortest decimal text."""
    match value:
        case Obj():
            return {
                "class": value.public,
                "settings": {name: _tuning(item) for name, item in _tuned(value)},
            }
        case Array(token=token):
            return {"array": token}
        case None | bool() | str():
            return value
        case int() | float():
            return {"number": repr(value)}
        case bytes():
            return {"bytes": value.hex()}
        case list() | tuple():
            return [_tuning(item) for item in value]
        case Mapping():
            return {str(key): _tuning(value[key]) for key in value}
    return {"other": type(value).__name__}


def _tuned(estimator: Obj) -> Iterator[tuple[str, object]]:
    for name, value in _settings(estimator):
        if estimator.name == "ColumnTransformer" and name == "transformers":
            # Which columns go where is a matter of inputs, not of tuning.
            yield name, [list(_items(part)[:2]) for part in _items(value)]
        else:
            yield name, value
