"""Read an ONNX file's graphs from its protobuf bytes: operators, inputs; nothing executes.

Field numbers are those of onnx.proto. Graphs hide in attributes of nodes (the branches of If, the
body of Loop), in functions of the model and in sparse tensors; all of them are looked through.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused
from guiderail.sandbox.protobuf import fields, message, messages, text, whole_numbers

KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "com.microsoft"})
DEEPEST_NESTING = 16
_NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16})
_EXTERNAL = 1
_CLASS_LABELS = {"classlabels_int64s": 8, "classlabels_ints": 8, "classlabels_strings": 9}


class _UnsafeError(ValueError):
    """The file must not be loaded; the text says why."""


@dataclass(frozen=True, slots=True)
class GraphInput:
    """One input that a caller feeds. rank and width are None where the file does not say them."""

    name: str
    type: str
    rank: int | None
    width: int | None


@dataclass(slots=True)
class _Found:
    """What a walk through all graphs collects. operators: those of the main graph, in order."""

    operators: list[str] = field(default_factory=list)
    foreign: set[tuple[str, str]] = field(default_factory=set)
    local: set[tuple[str, str]] = field(default_factory=set)
    labels: tuple[str, ...] = ()


def read_onnx(data: bytes) -> ModelSummary:
    """ModelProto: 7 = graph, 25 = functions."""
    try:
        found, inputs = _read(data)
    except _UnsafeError as problem:
        return refused("onnx", str(problem))
    except ValueError as problem:
        return refused("onnx", f"the file is broken or cut off: {problem}")
    foreign = sorted({domain for domain, name in found.foreign - found.local})
    if foreign:
        return refused("onnx", f"it uses operators that need extra code: {', '.join(foreign)}")
    matrix = _matrix(inputs)
    return ModelSummary(
        format="onnx",
        safety="safe",
        inputs=None if matrix else tuple((one.name, one.type) for one in inputs) or None,
        input_count=matrix.width if matrix else len(inputs) or None,
        architecture=json_digest(["onnx", found.operators]),
        classes=tuple(dict.fromkeys(found.operators)),
    )


def class_labels(data: bytes) -> tuple[str, ...]:
    """The class labels that a classifier node of the file states; empty where none does.

    Raises ValueError for a broken file.
    """
    return _read(data)[0].labels


def _matrix(inputs: tuple[GraphInput, ...]) -> GraphInput | None:
    """The one input that takes all features as a matrix, whose columns have no names."""
    if len(inputs) == 1 and inputs[0].rank == 2 and inputs[0].width != 1:
        return inputs[0]
    return None


def _read(data: bytes) -> tuple[_Found, tuple[GraphInput, ...]]:
    graphs = list(messages(data, 7))
    if len(graphs) != 1:
        raise _UnsafeError("the file has no graph, so it is no ONNX model")
    found = _Found()
    for function in messages(data, 25):  # FunctionProto: 1 = name, 7 = node, 10 = domain
        found.local.add((text(function, 10), text(function, 1)))
        for node in messages(function, 7):
            _node(node, found, 1)
    stored = _graph(graphs[0], found, 0)
    return found, tuple(one for one in _inputs(graphs[0]) if one.name not in stored)


def _graph(graph: bytes, found: _Found, depth: int) -> set[str]:
    """GraphProto: 1 = node, 5 = initializer, 15 = sparse initializer. Gives names of the stored."""
    if depth > DEEPEST_NESTING:
        raise _UnsafeError("its graphs are nested too deeply")
    stored = set()
    for tensor in messages(graph, 5):
        _tensor(tensor)
        stored.add(text(tensor, 8))
    for sparse in messages(graph, 15):
        stored.add(_sparse(sparse))
    for node in messages(graph, 1):
        _node(node, found, depth)
    return stored


def _node(node: bytes, found: _Found, depth: int) -> None:
    """NodeProto: 4 = op_type, 5 = attribute, 7 = domain."""
    name, domain = text(node, 4), text(node, 7)
    if depth == 0:
        found.operators.append(f"{domain or 'ai.onnx'}.{name}")
    if domain not in KNOWN_DOMAINS:
        found.foreign.add((domain, name))
    for attribute in messages(node, 5):
        # AttributeProto: 5, 10 = tensor; 6, 11 = graph; 22, 23 = sparse tensor.
        for tensor in messages(attribute, 5, 10):
            _tensor(tensor)
        for sparse in messages(attribute, 22, 23):
            _sparse(sparse)
        for graph in messages(attribute, 6, 11):
            _graph(graph, found, depth + 1)
        number = _CLASS_LABELS.get(text(attribute, 1))
        if number is not None and not found.labels:
            found.labels = tuple(_labels(attribute, number))


def _labels(attribute: bytes, number: int) -> Iterator[str]:
    if number == 8:
        return map(str, whole_numbers(attribute, 8))
    return (value.decode("utf-8") for value in messages(attribute, 9))


def _sparse(sparse: bytes) -> str:
    """SparseTensorProto: 1 = values, 2 = indices. Gives the name of the values."""
    name = ""
    for number, part in fields(sparse):
        if number in (1, 2):
            _tensor(message(part))
            name = name or text(message(part), 8)
    return name


def _tensor(tensor: bytes) -> None:
    """TensorProto: 1 = dims, 13 = external_data, 14 = data_location. Raises _UnsafeError."""
    for number, value in fields(tensor):
        if number == 13 or (number == 14 and value == _EXTERNAL):
            raise _UnsafeError("it reads weights from other files, which the digest does not cover")
    shape = whole_numbers(tensor, 1)
    # No type needs less than half a byte for a value.
    if any(size < 0 for size in shape) or (shape and math.prod(shape) > 2 * len(tensor)):
        raise _UnsafeError("it declares a tensor that is larger than what the file holds")


def _inputs(graph: bytes) -> Iterator[GraphInput]:
    """GraphProto: 11 = input. ValueInfoProto: 1 = name, 2 = type; TypeProto: 1 = tensor;
    its 1 = element type, 2 = shape; TensorShapeProto: 1 = dim; its 1 = size."""
    for entry in messages(graph, 11):
        kind, rank, width = "unknown", None, None
        for tensor in (one for typed in messages(entry, 2) for one in messages(typed, 1)):
            element = next(iter(whole_numbers(tensor, 1)), 0)
            kind = {8: "text", 9: "boolean"}.get(element, "unknown")
            kind = "number" if element in _NUMBERS else kind
            for shape in messages(tensor, 2):
                dims = [whole_numbers(dim, 1) for dim in messages(shape, 1)]
                rank = len(dims)
                width = dims[-1][0] if dims and dims[-1] else None
        yield GraphInput(text(entry, 1), kind, rank, width)
