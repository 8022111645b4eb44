"""What an unquoted YAML value means: the YAML 1.2 core schema, without its doubtful corners.

`no`, `on`, `yes`, `12:30`, `1_000` and dates are text. Numbers that YAML 1.1 and 1.2 read
differently (`017`, `0o17`, `0x1F`) and numbers that are none (`.nan`, `.inf`) are refused.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from guiderail.core.digest import LARGEST_INTEGER

Scalar = str | int | float | bool | None

_CONSTANTS: dict[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_OTHER_BASE = re.compile(r"[-+]?(0[oO][0-7]+|0[xX][0-9a-fA-F]+|0[bB][01]+)")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+")
_ZERO = re.compile(r"[-+]?[0.]+([eE].*)?")


@dataclass(frozen=True, slots=True)
class Refused:
    """An unquoted value that is not accepted: a code of `yaml_refusals`."""

    code: str


def plain_value(text: str) -> Scalar | Refused:
    """The value of an unquoted scalar, or why it is refused."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    if _NOT_A_NUMBER.fullmatch(text):
        return Refused("yaml/not-finite")
    if _OTHER_BASE.fullmatch(text) or _LEADING_ZERO.fullmatch(text):
        return Refused("yaml/number-form")
    if _INTEGER.fullmatch(text):
        return _integer(text)
    if _FLOAT.fullmatch(text):
        return _float(text)
    return text


def _integer(text: str) -> int | Refused:
    # 2**53 has 16 digits; longer text is not even converted.
    value = int(text) if len(text) <= 17 else LARGEST_INTEGER + 1
    return value if abs(value) <= LARGEST_INTEGER else Refused("yaml/number-range")


def _float(text: str) -> float | Refused:
    value = float(text)
    vanished = value == 0.0 and not _ZERO.fullmatch(text)
    return Refused("yaml/number-range") if vanished or math.isinf(value) else value
