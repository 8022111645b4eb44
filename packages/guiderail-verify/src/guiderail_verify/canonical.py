"""Canonical JSON: the one byte form that may be hashed or signed.

Keys sorted by code point, no spaces, UTF-8, no floats, integers between -(2**53 - 1) and
2**53 - 1, no duplicate keys. Bytes in any other form are refused, never repaired.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable

from guiderail_verify.errors import VerifyError

LARGEST_INTEGER = 2**53 - 1
DEEPEST_NESTING = 64


def canonical_json(value: object) -> bytes:
    """The canonical bytes of a JSON value.

    Raises VerifyError `canonical/...` for floats, large integers, keys that are not text, text
    that is not Unicode, and nesting deeper than 64.
    """
    _refuse(value, 0)
    try:
        return _write(value).encode("utf-8")
    except (TypeError, UnicodeEncodeError) as error:
        raise VerifyError("canonical/not-json", f"The value is not JSON: {error}.") from error


def parse_canonical(data: bytes) -> object:
    """Read canonical bytes. Raises VerifyError for every byte string that is not canonical."""
    try:
        return _parse_quickly(data)
    except (_DoubtError, ValueError, RecursionError):
        return _parse_thoroughly(data)


def _parse_thoroughly(data: bytes) -> object:
    """The plain way, which says what is wrong."""
    try:
        value: object = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except RecursionError as error:
        raise VerifyError("canonical/too-deep", "The JSON is nested too deeply.") from error
    except (UnicodeDecodeError, ValueError) as error:
        raise VerifyError("canonical/not-json", f"The bytes are not JSON: {error}.") from error
    if canonical_json(value) != data:
        raise VerifyError("canonical/not-canonical", "The JSON is not in its canonical form.")
    return value


class _DoubtError(Exception):
    """The quick way cannot vouch for these bytes."""


def _parse_quickly(data: bytes) -> object:
    """The same value as the plain way where the bytes are canonical beyond doubt.

    What the reader understood is written again and compared. That shows other spaces, order and
    spelling, and a key that stood there twice; what it would not show makes the reader stop.
    """
    text = data.decode("utf-8")
    value, end = _scan(text, 0)
    if end != len(text) or _write(value) != text:
        raise _DoubtError
    if data.count(b"[") + data.count(b"{") > DEEPEST_NESTING:
        _refuse(value, 0)
    return value


def _doubt(_: object) -> object:
    raise _DoubtError


def _integer(text: str) -> int:
    if len(text) > _SHORT_INTEGER:
        raise _DoubtError
    return int(text)


_SHORT_INTEGER = 15
_scan: Callable[[str, int], tuple[object, int]] = json.JSONDecoder(
    parse_float=_doubt, parse_int=_integer, parse_constant=_doubt
).raw_decode
_write = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


def parse_object(data: bytes) -> dict[str, object]:
    """Like `parse_canonical`, for an object. Raises VerifyError for any other value."""
    value = parse_canonical(data)
    if not isinstance(value, dict):
        raise VerifyError("canonical/not-an-object", "The JSON is not an object.")
    return value


def decode_base64(text: str, code: str) -> bytes:
    """Standard base64 in its one canonical spelling. Raises VerifyError `code` otherwise."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise VerifyError(code, "A base64 value cannot be read.") from error
    if encode_base64(data) != text:
        raise VerifyError(code, "A base64 value is not in its canonical form.")
    return data


def encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise VerifyError("canonical/duplicate-key", "A JSON object names one key twice.")
    return found


def _no_float(text: str) -> object:
    raise VerifyError("canonical/float", f"The JSON holds the inexact number {text}.")


def _refuse(value: object, depth: int) -> None:
    if depth > DEEPEST_NESTING:
        raise VerifyError("canonical/too-deep", "The JSON is nested too deeply.")
    if isinstance(value, float):
        raise VerifyError("canonical/float", f"The JSON holds the inexact number {value}.")
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        raise VerifyError("canonical/large-integer", "An integer is 2**53 or larger.")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise VerifyError("canonical/not-json", f"The object key {key!r} is not text.")
            _refuse(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _refuse(item, depth + 1)
