"""Fields of protobuf messages as raw values; knows no message type and executes nothing."""

from __future__ import annotations

from collections.abc import Iterator

Value = int | bytes


def fields(data: bytes) -> Iterator[tuple[int, Value]]:
    """Field number and raw value of one message. Raises ValueError where it is broken."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if number == 0:
            raise ValueError("a field has the number 0")
        if wire == 0:
            whole, at = varint(data, at)
            yield number, whole
            continue
        if wire == 2:
            size, at = varint(data, at)
        elif wire in (1, 5):
            size = 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field has the unknown wire type {wire}")
        if at + size > len(data):
            raise ValueError("it ends too early")
        yield number, data[at : at + size]
        at += size


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins at a place, and the place after it. Raises ValueError."""
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


def message(value: Value) -> bytes:
    """A field that must hold a message, text or bytes. Raises ValueError for a number."""
    if isinstance(value, bytes):
        return value
    raise ValueError("a message is a number")


def messages(data: bytes, *wanted: int) -> Iterator[bytes]:
    """The messages under the given field numbers, in the order of the data."""
    return (message(value) for number, value in fields(data) if number in wanted)


def text(data: bytes, wanted: int) -> str:
    """The first text under a field number; "" where there is none."""
    for number, value in fields(data):
        if number == wanted and isinstance(value, bytes):
            return value.decode("utf-8")
    return ""


def whole_numbers(data: bytes, wanted: int) -> tuple[int, ...]:
    """Repeated whole numbers under a field number, packed or not; negative ones stay negative."""
    found: list[int] = []
    for number, value in fields(data):
        if number != wanted:
            continue
        if isinstance(value, int):
            found.append(value)
            continue
        at = 0
        while at < len(value):
            one, at = varint(value, at)
            found.append(one)
    return tuple(one - 2**64 if one >= 2**63 else one for one in found)
