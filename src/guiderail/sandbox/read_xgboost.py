"""Read native files of XGBoost (JSON, UBJSON): plain data, nothing executes.

A tree whose children or features lie outside of it is refused, because the library may follow such
places unchecked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused
from guiderail.sandbox.ubjson import read_ubjson

LARGEST_JSON = 256 * 1024**2
"""Bytes. Parsed JSON takes many times the memory of its text; UBJSON is the form for more."""

_MOST_FEATURES = 10_000_000


def read_xgboost_json(data: bytes) -> ModelSummary:
    if len(data) > LARGEST_JSON:
        return refused("xgboost-json", f"it is larger than {LARGEST_JSON} bytes; save it as .ubj")
    try:
        return _xgboost("xgboost-json", json.loads(data, object_pairs_hook=once))
    except (ValueError, RecursionError) as problem:
        return refused("xgboost-json", f"the file is broken or cut off: {problem}")


def read_xgboost_ubj(data: bytes) -> ModelSummary:
    try:
        return _xgboost("xgboost-ubj", read_ubjson(data))
    except ValueError as problem:
        return refused("xgboost-ubj", f"the file is broken or cut off: {problem}")


def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Two readers may take different ones of two equal keys, so neither is taken."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("it holds a key twice")
    return found


def _xgboost(format_name: str, content: object) -> ModelSummary:
    learner = content.get("learner") if isinstance(content, Mapping) else None
    if not isinstance(learner, Mapping):
        return refused(format_name, "the file has no learner, so it is no XGBoost model")
    booster = _text(learner, "gradient_booster", "name")
    objective = _text(learner, "objective", "name")
    names = _texts(learner.get("feature_names"))
    types = _texts(learner.get("feature_types")) or ["unknown"] * len(names)
    stated = _text(learner, "learner_model_param", "num_feature")
    count = int(stated) if stated.isdigit() and len(stated) < 10 else None
    if count is None or count > _MOST_FEATURES or (names and len(names) != count):
        return refused(
            format_name, f"it states {stated or 'no number of'} features and names {len(names)}"
        )
    for number, tree in enumerate(_trees(learner.get("gradient_booster"))):
        problem = _tree_problem(tree, count)
        if problem:
            return refused(format_name, f"tree {number} {problem}")
    return ModelSummary(
        format=format_name,
        safety="safe",
        inputs=tuple(zip(names, map(_xgboost_type, types), strict=False)) or None,
        input_count=count or None,
        architecture=json_digest(["xgboost", booster, objective]),
        tuning=json_digest({"parameters": _flat(learner.get("learner_model_param"))}),
        classes=(f"xgboost.{booster or 'unknown'}",),
    )


def _trees(booster: object) -> Iterator[object]:
    """The trees of gbtree, and those of the gbtree inside dart; gblinear has none."""
    if not isinstance(booster, Mapping):
        return
    inside = booster.get("gbtree", booster)
    model = inside.get("model") if isinstance(inside, Mapping) else None
    trees = model.get("trees") if isinstance(model, Mapping) else None
    if isinstance(trees, list):
        yield from trees


def _tree_problem(tree: object, features: int) -> str | None:
    """What is wrong with a tree as the end of a sentence; None where its places exist."""
    if not isinstance(tree, Mapping):
        return "is no tree"
    stated = _text(tree, "tree_param", "num_nodes")
    left, right, split = (
        tree.get(key) for key in ("left_children", "right_children", "split_indices")
    )
    if not (isinstance(left, list) and isinstance(right, list) and isinstance(split, list)):
        return "lists no nodes"
    nodes = len(left)
    values = tree.get("split_conditions")
    listed = {nodes, len(right), len(split), len(values) if isinstance(values, list) else -1}
    if listed != {nodes} or stated != str(nodes):
        return f"states {stated or 'no number of'} nodes and lists others"
    children = [child for child in (*left, *right) if child != -1]
    if any(type(child) is not int or not 0 <= child < nodes for child in children):
        return "has a child that does not exist"
    if len(set(children)) != len(children) or 0 in children:
        return "leads in a circle"
    inner = (
        index for index, child, other in zip(split, left, right, strict=True)
        if child != -1 or other != -1
    )  # fmt: skip
    if any(type(index) is not int or not 0 <= index < features for index in inner):
        return "asks for a feature that does not exist"
    return None


def _xgboost_type(name: str) -> str:
    if name in ("float", "int", "q", "quantitive"):
        return "number"
    return {"i": "boolean", "c": "text"}.get(name, "unknown")


def _text(outer: Mapping[str, object], key: str, inner: str) -> str:
    part = outer.get(key)
    value = part.get(inner) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _flat(part: object) -> dict[str, str]:
    if not isinstance(part, Mapping):
        return {}
    return {str(key): str(value) for key, value in part.items()}
