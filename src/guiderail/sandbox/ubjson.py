"""The subset of UBJSON that XGBoost writes: objects, typed arrays, numbers, texts."""

from __future__ import annotations

import struct

DEEPEST_NESTING = 64
_INTEGERS = {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q"}
_FLOATS = {"d": "f", "D": "d"}


def read_ubjson(data: bytes) -> object:
    """The value in the data. Raises ValueError where it is broken, cut off or followed by more."""
    reader = _Reader(data)
    try:
        content = reader.value(reader.marker(), 0)
    except (struct.error, IndexError) as problem:
        raise ValueError("it ends too early") from problem
    if reader.at != len(data):
        raise ValueError(f"{len(data) - reader.at} bytes follow the model")
    return content


class _Reader:
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
        pattern = f">{_INTEGERS[mark]}"
        return int(struct.unpack(pattern, self.take(struct.calcsize(pattern)))[0])

    def text(self) -> str:
        return self.take(self.number(self.marker())).decode("utf-8")

    def value(self, mark: str, depth: int) -> object:
        if depth > DEEPEST_NESTING:
            raise ValueError("it is nested too deeply")
        if mark in _INTEGERS:
            return self.number(mark)
        if mark in _FLOATS:
            pattern = f">{_FLOATS[mark]}"
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
            if key in content:
                raise ValueError(f"it holds {key[:40]!r} twice")
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
        if kind is not None and count is None:
            raise ValueError("a typed array does not state its length")
        if kind is not None and count is not None:
            pattern = _INTEGERS.get(kind) or _FLOATS.get(kind)
            if pattern is not None:
                size = struct.calcsize(f">{pattern}")
                content = self.take(count * size if count >= 0 else -1)
                return list(struct.unpack(f">{count}{pattern}", content))
            if kind in "ZNTF":  # they take no bytes, so any number of them would fit
                raise ValueError(f"it holds an array of {count} values without content")
        items: list[object] = []
        while len(items) < count if count is not None else chr(self.data[self.at]) != "]":
            items.append(self.value(kind or self.marker(), depth + 1))
        if count is None:
            self.at += 1
        return items
