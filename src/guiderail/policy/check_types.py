"""Types of an expression against the fact catalogue, and the compiled tree that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from guiderail.facts.fact_type import FactType
from guiderail.policy.parse import ExpressionError, parse
from guiderail.policy.syntax import (
    All,
    AnyOf,
    Boolean,
    Comparison,
    Contains,
    Expression,
    Literal,
    Mistake,
    Name,
    Not,
    Number,
    OneOf,
    Operand,
    Text,
)
from guiderail.policy.vocabulary import did_you_mean, fact_type, nearest_fact

Tree = dict[str, object]

_NUMERIC: Final = ("integer", "number", "interval")
_EQUALITY: Final = ("==", "!=")
_TYPE_WORDS: Final[Mapping[str, str]] = {
    "bool": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "interval": "a number",
    "enum": "one of a list of words",
    "set": "a set of texts",
    "text": "a text",
}


def compile_text(text: str) -> Tree:
    """Parse, check and compile. Raises ExpressionError with every mistake that was found."""
    expression = parse(text)
    mistakes: list[Mistake] = []
    tree = _condition(expression, mistakes)
    if mistakes:
        raise ExpressionError(*sorted(mistakes, key=lambda mistake: mistake.at))
    return tree


def _condition(expression: Expression, mistakes: list[Mistake]) -> Tree:
    match expression:
        case All(parts=parts):
            return {"all": [_condition(part, mistakes) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [_condition(part, mistakes) for part in parts]}
        case Not(part=part):
            return {"not": _condition(part, mistakes)}
        case Boolean(value=value):
            return {"bool": value}
        case Name():
            return _bare(expression, mistakes)
        case Comparison():
            return _comparison(expression, mistakes)
        case OneOf():
            return _one_of(expression, mistakes)
        case Contains():
            return _contains(expression, mistakes)


def _bare(name: Name, mistakes: list[Mistake]) -> Tree:
    fact = _fact(name, mistakes)
    if fact is not None and fact.type != "bool":
        mistakes.append(
            Mistake(name.at, f"{name.name} is {_TYPE_WORDS[fact.type]}, not true or false.",
                    f"Compare it, for example {_example(fact)}.")
        )  # fmt: skip
    return {"fact": name.name}


def _comparison(node: Comparison, mistakes: list[Mistake]) -> Tree:
    tree: Tree = {"compare": node.sign, "left": _operand(node.left),
                  "right": _operand(node.right)}  # fmt: skip
    if not isinstance(node.left, Name):
        hint = "Write the fact first, then the limit." if isinstance(node.right, Name) else ""
        mistakes.append(Mistake(node.at, "A comparison starts with a fact.",
                                hint or "Compare a fact with a value."))  # fmt: skip
        return tree
    fact = _fact(node.left, mistakes)
    if fact is None:
        return tree
    if fact.type == "set":
        mistakes.append(Mistake(node.at, f"{fact.name} is a set of texts.",
                                f'Ask for membership: "..." in {fact.name}.'))  # fmt: skip
    elif isinstance(node.right, Name):
        _check_pair(fact, node.right, mistakes)
    else:
        _check_literal(fact, node.right, mistakes)
    if fact.type not in _NUMERIC and node.sign not in _EQUALITY:
        _check_order(node, fact, mistakes)
        tree["order"] = list(fact.values)
    return tree


def _check_pair(left: FactType, other: Name, mistakes: list[Mistake]) -> None:
    right = _fact(other, mistakes)
    if right is None:
        return
    both_numbers = left.type in _NUMERIC and right.type in _NUMERIC
    if not both_numbers and (left.type, left.values) != (right.type, right.values):
        mistakes.append(
            Mistake(other.at, f"{left.name} is {_TYPE_WORDS[left.type]} and {right.name} is "
                    f"{_TYPE_WORDS[right.type]}.", "Compare facts of the same type only.")
        )  # fmt: skip
    elif both_numbers and left.unit != right.unit:
        mistakes.append(
            Mistake(other.at, f"{left.name} counts in {left.unit or 'plain numbers'} and "
                    f"{right.name} in {right.unit or 'plain numbers'}.",
                    "Compare facts of the same unit only.")
        )  # fmt: skip


def _check_order(node: Comparison, fact: FactType, mistakes: list[Mistake]) -> None:
    if fact.type == "enum" and fact.risk_direction != "none":
        return
    why = "has no order" if fact.type == "enum" else f"is {_TYPE_WORDS[fact.type]}"
    mistakes.append(Mistake(node.at, f"{fact.name} {why}, so `{node.sign}` says nothing.",
                            f"Use == or !=, or {_example(fact)}."))  # fmt: skip


def _one_of(node: OneOf, mistakes: list[Mistake]) -> Tree:
    if not isinstance(node.left, Name):
        mistakes.append(Mistake(node.at, "`in` starts with a fact.", "Write fact in [values]."))
        return {}
    fact = _fact(node.left, mistakes)
    if fact is not None and fact.type == "set":
        mistakes.append(Mistake(node.at, f"{fact.name} is a set of texts.",
                                f'Ask for one member: "..." in {fact.name}.'))  # fmt: skip
    elif fact is not None:
        for item in node.items:
            _check_literal(fact, item, mistakes)
    return {"in": _operand(node.left), "items": [_operand(item) for item in node.items]}


def _contains(node: Contains, mistakes: list[Mistake]) -> Tree:
    fact = _fact(node.right, mistakes)
    if fact is not None and fact.type != "set":
        mistakes.append(Mistake(node.right.at, f"{fact.name} is not a set.",
                                "Write fact in [values], or name a set."))  # fmt: skip
    if not isinstance(node.item, Text):
        mistakes.append(Mistake(node.at, "Only a text can be in a set.", 'Write "..." in quotes.'))
        return {}
    return {"has": {"fact": node.right.name}, "item": node.item.text}


def _check_literal(fact: FactType, literal: Operand, mistakes: list[Mistake]) -> None:
    match literal:
        case Number() if fact.type in _NUMERIC:
            if fact.type == "integer" and Decimal(literal.text) % 1:
                mistakes.append(Mistake(literal.at, f"{fact.name} is a whole number.",
                                        "Leave out the decimals."))  # fmt: skip
        case Text() if fact.type == "enum":
            if literal.text not in fact.values:
                hint = did_you_mean(literal.text, fact.values)
                choices = f"Choices: {', '.join(fact.values)}."
                mistakes.append(Mistake(literal.at, f'{fact.name} is never "{literal.text}".',
                                        f"{hint} {choices}".strip()))  # fmt: skip
        case Text() if fact.type == "text":
            pass
        case Boolean() if fact.type == "bool":
            pass
        case _:
            mistakes.append(
                Mistake(literal.at, f"{fact.name} is {_TYPE_WORDS[fact.type]}.",
                        f"Write for example {_example(fact)}.")
            )  # fmt: skip


def _fact(name: Name, mistakes: list[Mistake]) -> FactType | None:
    found = fact_type(name.name)
    if found is None:
        mistakes.append(Mistake(name.at, f"There is no fact {name.name}.", nearest_fact(name.name)))
    return found


def _example(fact: FactType) -> str:
    match fact.type:
        case "enum":
            return f'{fact.name} == "{fact.values[-1]}"'
        case "text":
            return f'{fact.name} == "..."'
        case "set":
            return f'"..." in {fact.name}'
        case "bool":
            return fact.name
    return f"{fact.name} > 5"


def _operand(node: Operand | Literal) -> Tree:
    match node:
        case Name(name=name):
            return {"fact": name}
        case Number(text=text):
            return {"number": _plain(text)}
        case Text(text=text):
            return {"text": text}
        case Boolean(value=value):
            return {"bool": value}


def _plain(text: str) -> str:
    """One form per number, so that 5 and 5.0 compile to the same bytes."""
    plain = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if plain in ("-0", "") else plain
