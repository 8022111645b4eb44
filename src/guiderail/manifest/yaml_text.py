"""Write values so that the strict loader reads them back unchanged."""

from __future__ import annotations

import json
import re

from guiderail.manifest.strict_yaml import HIDDEN
from guiderail.manifest.yaml_scalars import plain_value

_PLAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9 _./@-]*[A-Za-z0-9_./@-])?")
_YAML_1_1 = frozenset({"y", "n", "yes", "no", "on", "off"})


def yaml_text(value: str) -> str:
    """A text as one YAML value on one line, in quotes only where it needs them.

    Raises ValueError for text that UTF-8 cannot hold (lone surrogates).
    """
    value.encode("utf-8")
    plain = _PLAIN.fullmatch(value) and plain_value(value) == value
    if plain and value.lower() not in _YAML_1_1:
        return value
    return HIDDEN.sub(_escaped, json.dumps(value, ensure_ascii=False))


def comment(text: str) -> str:
    """A text as the inside of a comment: one line, nothing invisible."""
    return HIDDEN.sub("?", " ".join(text.split()))


def _escaped(match: re.Match[str]) -> str:
    point = ord(match.group())
    return f"\\u{point:04x}" if point < 0x10000 else f"\\U{point:08x}"
