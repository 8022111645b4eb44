"""A compiled expression as text in the policy language, for pages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def formula_text(tree: Mapping[str, Any]) -> str:
    """The expression as somebody would write it; parses and compiles to the same tree."""
    match tree:
        case {"all": parts}:
            return " && ".join(_inner(part) for part in parts)
        case {"any": parts}:
            return " || ".join(_inner(part) for part in parts)
        case {"not": part}:
            plain = "fact" in part and len(part) == 1
            return f"!{formula_text(part)}" if plain else f"!({formula_text(part)})"
        case {"compare": sign, "left": left, "right": right}:
            return f"{_operand(left)} {sign} {_operand(right)}"
        case {"in": fact, "items": items}:
            return f"{_operand(fact)} in [{', '.join(_operand(item) for item in items)}]"
        case {"has": fact, "item": item}:
            return f'"{item}" in {_operand(fact)}'
    return _operand(tree)


def _inner(part: Mapping[str, Any]) -> str:
    joined = "all" in part or "any" in part
    return f"({formula_text(part)})" if joined else formula_text(part)


def _operand(operand: Mapping[str, Any]) -> str:
    match operand:
        case {"fact": name}:
            return str(name)
        case {"number": text}:
            return str(text)
        case {"text": text}:
            return f'"{text}"'
    return "true" if operand["bool"] else "false"
