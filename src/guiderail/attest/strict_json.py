"""JSON from outside, read so that it can mean one thing only."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 100
"""Objects and lists inside one another; SBOMs of real programs stay below 20."""


def read_json(content: bytes) -> Any:
    """The value. Raises ValueError for bytes that are no JSON, or JSON that readers may differ on.

    Refused are keys named twice, NaN and infinities, nesting deeper than 100, text that is not
    UTF-8, and a byte order mark.
    """
    try:
        value = json.loads(
            content.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_refuse_constant
        )
        _refuse_deep(value)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"an object names {twice[:60]!r} twice")
    return found


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _refuse_deep(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            item
            for one in level
            if isinstance(one, dict | list)
            for item in (one.values() if isinstance(one, dict) else one)
        ]
        if not level:
            return
    raise ValueError("it is nested too deeply")
