"""Read the text format of LightGBM: `key=value` lines, trees, then a block of parameters.

LightGBM follows the places of children, features and categories unchecked, and jumps to its trees
by the stated sizes, so a file whose numbers point outside of it is refused here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused

_END = "end of trees"
_WHOLE = re.compile(r"-?\d{1,10}\Z")


def read_lightgbm(data: bytes) -> ModelSummary:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        return refused("lightgbm", f"the file is no text: {problem.reason}")
    if f"\n{_END}" not in text:
        return refused("lightgbm", "the file is cut off: it has no end of trees")
    head, _, rest = text.partition("\nTree=")
    header = _pairs(head)
    try:
        _check_header(header)
        _check_trees(header, f"Tree={rest}" if rest else "")
    except ValueError as problem:
        return refused("lightgbm", f"the file contradicts itself: {problem}")
    names = header["feature_names"].split()
    infos = header["feature_infos"].split()
    kinds = ["number" if info.startswith("[") else "unknown" for info in infos]
    parameters = rest.partition("\nparameters:")[2].partition("end of parameters")[0]
    objective = header.get("objective", "").split(" ")[0]
    return ModelSummary(
        format="lightgbm",
        safety="safe",
        inputs=tuple(zip(names, kinds, strict=True)),
        input_count=len(names),
        architecture=json_digest(["lightgbm", objective, header["num_class"]]),
        tuning=json_digest(sorted(line for line in parameters.splitlines() if line.strip())),
        classes=(f"lightgbm.{objective or 'Booster'}",),
    )


def _pairs(block: str) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in block.splitlines() if "=" in line)


def _check_header(header: Mapping[str, str]) -> None:
    features = _one(header, "max_feature_idx") + 1
    for key in ("feature_names", "feature_infos"):
        count = len(header.get(key, "").split())
        if count != features:
            raise ValueError(f"it states {features} features and lists {count} {key}")
    classes, per_round = _one(header, "num_class"), _one(header, "num_tree_per_iteration")
    if classes < 1 or per_round != classes:
        raise ValueError(f"it has {classes} classes and {per_round} trees in a round")


def _check_trees(header: Mapping[str, str], rest: str) -> None:
    """The stated size of each tree leads to the next one, and each tree points into itself."""
    content = rest.encode("utf-8")
    place = 0
    sizes = _numbers(header, "tree_sizes")
    for number, size in enumerate(sizes):
        tree = content[place : place + size]
        if not 0 < size <= len(content) - place or not tree.startswith(f"Tree={number}\n".encode()):
            raise ValueError(f"the stated size of tree {number} leads outside of it")
        _check_tree(number, _pairs(tree.decode("utf-8")), _one(header, "max_feature_idx") + 1)
        place += size
    if content and not content[place:].startswith(_END.encode()):
        raise ValueError(f"more follows the {len(sizes)} trees whose sizes it states")
    if len(sizes) % _one(header, "num_class"):
        raise ValueError(f"{len(sizes)} trees are no whole number of rounds")


def _check_tree(number: int, tree: Mapping[str, str], features: int) -> None:
    leaves = _one(tree, "num_leaves")
    if leaves < 1 or len(tree.get("leaf_value", "").split()) != leaves:
        raise ValueError(f"tree {number} states {leaves} leaves and does not list so many")
    if leaves == 1:
        return
    inner = leaves - 1
    lists = {key: _numbers(tree, key) for key in ("left_child", "right_child", "split_feature")}
    lists["decision_type"] = _numbers(tree, "decision_type")
    for key, found in lists.items():
        if len(found) != inner or len(tree.get("threshold", "").split()) != inner:
            raise ValueError(f"tree {number} has {leaves} leaves and {len(found)} entries of {key}")
    children = (*lists["left_child"], *lists["right_child"])
    if any(not -leaves <= child < inner for child in children):
        raise ValueError(f"tree {number} has a child that does not exist")
    if len(set(children)) != len(children) or 0 in children:
        raise ValueError(f"tree {number} leads in a circle")
    if any(not 0 <= feature < features for feature in lists["split_feature"]):
        raise ValueError(f"tree {number} asks for a feature that does not exist")
    _check_categories(number, tree, lists["decision_type"])
    if tree.get("is_linear", "0") == "1":
        _check_linear(number, tree, leaves, features)


def _check_categories(number: int, tree: Mapping[str, str], decisions: tuple[int, ...]) -> None:
    """Bit 0 of a decision type says that the threshold is the number of a set of categories."""
    count = _one(tree, "num_cat")
    bounds = _numbers(tree, "cat_boundaries") if count else (0,)
    words = tree.get("cat_threshold", "").split() if count else []
    if len(bounds) != count + 1 or bounds[0] != 0 or bounds[-1] != len(words):
        raise ValueError(f"tree {number} states {count} sets of categories and lists others")
    if any(later < earlier for earlier, later in pairwise(bounds)):
        raise ValueError(f"tree {number} has a set of categories that ends before it begins")
    for decision, threshold in zip(decisions, tree["threshold"].split(), strict=True):
        if decision & 1 and not 0 <= float(threshold) < count:
            raise ValueError(f"tree {number} asks for a set of categories that does not exist")


def _check_linear(number: int, tree: Mapping[str, str], leaves: int, features: int) -> None:
    counts = _numbers(tree, "num_features")
    used = _numbers(tree, "leaf_features")
    coefficients = tree.get("leaf_coeff", "").split()
    if (
        len(counts) != leaves
        or min(counts) < 0
        or len(tree.get("leaf_const", "").split()) != leaves
        or not sum(counts) == len(used) == len(coefficients)
        or any(not 0 <= feature < features for feature in used)
    ):
        raise ValueError(f"the linear leaves of tree {number} do not fit together")


def _one(pairs: Mapping[str, str], key: str) -> int:
    text = pairs.get(key, "")
    if _WHOLE.match(text) is None:
        raise ValueError(f"{key} is no usable whole number")
    return int(text)


def _numbers(pairs: Mapping[str, str], key: str) -> tuple[int, ...]:
    parts = pairs.get(key, "").split()
    if any(_WHOLE.match(part) is None for part in parts):
        raise ValueError(f"{key} holds something that is no usable whole number")
    return tuple(int(part) for part in parts)
