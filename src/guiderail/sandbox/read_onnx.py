"""Read an ONNX file's graph from its protobuf bytes: operators, inputs, nothing executes."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.digest import json_digest
from guiderail.sandbox.model_summary import ModelSummary, refused

KNOWN_DOMAINS = frozenset({"", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "com.microsoft"})
_NUMBERS = frozenset({1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13, 16})
_EXTERNAL = 1


def read_onnx(data: bytes) -> ModelSummary:
    """Fields by number as in onnx.proto: ModelProto 7 = graph, 8 = opset_import, 25 = functions."""
    try:
        model = list(_fields(data))
        graphs = [value for number, value in model if number == 7 and isinstance(value, bytes)]
        if len(graphs) != 1:
            return refused("onnx", "the file has no graph, so it is no ONNX model")
        graph = list(_fields(graphs[0]))
        nodes = [_node(value) for number, value in graph if number == 1]
        tensors = [value for number, value in graph if number == 5]
        stored = {_text(_fields(_bytes(tensor)), 8) for tensor in tensors}
        external = any(_is_external(_bytes(tensor)) for tensor in tensors)
        inputs = [_input(_bytes(value)) for number, value in graph if number == 11]
    except ValueError as problem:
        return refused("onnx", f"the file is broken or cut off: {problem}")
    foreign = sorted({domain for domain, _ in nodes} - KNOWN_DOMAINS)
    if foreign:
        return refused("onnx", f"it uses operators that need extra code: {', '.join(foreign)}")
    if external:
        return refused("onnx", "it reads weights from other files, which the digest does not cover")
    fed = tuple(pair for pair in inputs if pair[0] not in stored)
    operators = [f"{domain or 'ai.onnx'}.{name}" for domain, name in nodes]
    return ModelSummary(
        format="onnx",
        safety="safe",
        inputs=fed or None,
        input_count=len(fed) or None,
        architecture=json_digest(["onnx", operators]),
        classes=tuple(dict.fromkeys(operators)),
    )


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """Field number and raw value of one protobuf message. Raises ValueError where it is broken."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("a field has the number 0")
        if wire == 0:
            whole, at = _varint(data, at)
            yield number, whole
            continue
        if wire == 2:
            size, at = _varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field has the unknown wire type {wire}")
        if at + size > len(data):
            raise ValueError("it ends too early")
        yield number, data[at : at + size]
        at += size


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 70, 7):
        if at >= len(data):
            raise ValueError("it ends too early")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
    raise ValueError("a number is too long")


def _bytes(value: int | bytes) -> bytes:
    if isinstance(value, bytes):
        return value
    raise ValueError("a message is a number")


def _text(fields: Iterator[tuple[int, int | bytes]], wanted: int) -> str:
    for number, value in fields:
        if number == wanted and isinstance(value, bytes):
            return value.decode("utf-8")
    return ""


def _node(value: int | bytes) -> tuple[str, str]:
    """NodeProto: 4 = op_type, 7 = domain."""
    content = _bytes(value)
    return _text(_fields(content), 7), _text(_fields(content), 4)


def _is_external(tensor: bytes) -> bool:
    """TensorProto: 13 = external_data, 14 = data_location."""
    return any(
        number == 13 or (number == 14 and value == _EXTERNAL) for number, value in _fields(tensor)
    )


def _input(value: bytes) -> tuple[str, str]:
    """ValueInfoProto: 1 = name, 2 = type; TypeProto 1 = tensor; its 1 = element type."""
    kind = "unknown"
    for number, typed in _fields(value):
        for inner, tensor in _fields(_bytes(typed)) if number == 2 else ():
            for key, element in _fields(_bytes(tensor)) if inner == 1 else ():
                if key == 1:
                    kind = {8: "text", 9: "boolean"}.get(int(str(element)), "unknown")
                    kind = "number" if element in _NUMBERS else kind
    return _text(_fields(value), 1), kind
