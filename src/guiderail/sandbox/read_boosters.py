"""Read native files of XGBoost (JSON, UBJSON) and LightGBM (text): plain data, nothing executes."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused

DEEPEST_NESTING = 64
_INTEGERS = {"i": ">b", "U": ">B", "I": ">h", "l": ">i", "L": ">q"}
_FLOATS = {"d": ">f", "D": ">d"}


def read_xgboost_json(data: bytes) -> ModelSummary:
    try:
        return _xgboost("xgboost-json", json.loads(data))
    except (ValueError, RecursionError) as problem:
        return refused("xgboost-json", f"the file is broken or cut off: {problem}")


def read_xgboost_ubj(data: bytes) -> ModelSummary:
    try:
        reader = _Ubjson(data)
        content = reader.value(reader.marker(), 0)
        if reader.at != len(data):
            return refused("xgboost-ubj", f"{len(data) - reader.at} bytes follow the model")
        return _xgboost("xgboost-ubj", content)
    except (ValueError, struct.error, IndexError) as problem:
        return refused("xgboost-ubj", f"the file is broken or cut off: {problem}")


def _xgboost(format_name: str, content: object) -> ModelSummary:
    learner = content.get("learner") if isinstance(content, Mapping) else None
    if not isinstance(learner, Mapping):
        return refused(format_name, "the file has no learner, so it is no XGBoost model")
    booster = _text(learner, "gradient_booster", "name")
    objective = _text(learner, "objective", "name")
    names = _texts(learner.get("feature_names"))
    types = _texts(learner.get("feature_types")) or ["unknown"] * len(names)
    count = _text(learner, "learner_model_param", "num_feature")
    return ModelSummary(
        format=format_name,
        safety="safe",
        inputs=tuple(zip(names, map(_xgboost_type, types), strict=False)) or None,
        input_count=len(names) or (int(count) if count.isdigit() else None),
        architecture=json_digest(["xgboost", booster, objective]),
        tuning=json_digest({"parameters": _flat(learner.get("learner_model_param"))}),
        classes=(f"xgboost.{booster or 'unknown'}",),
    )


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


class _Ubjson:
    """The subset of UBJSON that XGBoost writes: objects, typed arrays, numbers, texts."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def marker(self) -> str:
        mark = chr(self.data[self.at])
        self.at += 1
        return mark

    def take(self, count: int) -> bytes:
        if count < 0 or self.at + count > len(self.data):
            raise ValueError("it ends too early")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self, mark: str) -> int:
        if mark not in _INTEGERS:
            raise ValueError(f"{mark!r} is not an integer")
        pattern = _INTEGERS[mark]
        return int(struct.unpack(pattern, self.take(struct.calcsize(pattern)))[0])

    def text(self) -> str:
        return self.take(self.number(self.marker())).decode("utf-8")

    def value(self, mark: str, depth: int) -> object:
        if depth > DEEPEST_NESTING:
            raise ValueError("it is nested too deeply")
        if mark in _INTEGERS:
            return self.number(mark)
        if mark in _FLOATS:
            pattern = _FLOATS[mark]
            return float(struct.unpack(pattern, self.take(struct.calcsize(pattern)))[0])
        match mark:
            case "S":
                return self.text()
            case "C":
                return self.take(1).decode("latin-1")
            case "Z" | "N":
                return None
            case "T" | "F":
                return mark == "T"
            case "{":
                return self.mapping(depth)
            case "[":
                return self.array(depth)
        raise ValueError(f"{mark!r} is no type of value")

    def mapping(self, depth: int) -> dict[str, object]:
        content: dict[str, object] = {}
        while chr(self.data[self.at]) != "}":
            key = self.text()
            content[key] = self.value(self.marker(), depth + 1)
        self.at += 1
        return content

    def array(self, depth: int) -> list[object]:
        kind, count = None, None
        if chr(self.data[self.at]) == "$":
            self.at += 1
            kind = self.marker()
        if chr(self.data[self.at]) == "#":
            self.at += 1
            count = self.number(self.marker())
        if count is not None and kind is not None:
            # Typed numeric arrays hold the trees; their content is not needed, only their length.
            pattern = _INTEGERS.get(kind) or _FLOATS.get(kind)
            if pattern is not None:
                self.take(count * struct.calcsize(pattern))
                return []
        items: list[object] = []
        while len(items) < count if count is not None else chr(self.data[self.at]) != "]":
            items.append(self.value(kind or self.marker(), depth + 1))
        if count is None:
            self.at += 1
        return items


def read_lightgbm(data: bytes) -> ModelSummary:
    """The text format of LightGBM: `key=value` lines, trees, then a block of parameters."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as problem:
        return refused("lightgbm", f"the file is no text: {problem.reason}")
    if "end of trees" not in text:
        return refused("lightgbm", "the file is cut off: it has no end of trees")
    head, _, rest = text.partition("\nTree=")
    header = dict(line.partition("=")[::2] for line in head.splitlines() if "=" in line)
    names = header.get("feature_names", "").split()
    infos = header.get("feature_infos", "").split()
    kinds = ["number" if info.startswith("[") else "unknown" for info in infos]
    kinds += ["unknown"] * (len(names) - len(kinds))
    parameters = rest.partition("\nparameters:")[2].partition("end of parameters")[0]
    objective = header.get("objective", "").split(" ")[0]
    return ModelSummary(
        format="lightgbm",
        safety="safe",
        inputs=tuple(zip(names, kinds, strict=False)) or None,
        input_count=len(names) or None,
        architecture=json_digest(["lightgbm", objective, header.get("num_class", "1")]),
        tuning=json_digest(sorted(line for line in parameters.splitlines() if line.strip())),
        classes=(f"lightgbm.{objective or 'Booster'}",),
    )
