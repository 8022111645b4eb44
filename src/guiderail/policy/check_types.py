"""Types of an expression against the fact catalogue, and the compiled tree that comes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from guiderail.core.digest import decimal_string
from guiderail.facts.fact_type import FactType
from guiderail.policy.parse import ExpressionError, parse
from guiderail.policy.syntax import (
    All,
    AnyOf,
    Boolean,
    Comparison,
    Contains,
    Expression,
    Limit,
    Mistake,
    Name,
    Not,
    Number,
    OneOf,
    Operand,
    Text,
)
from guiderail.policy.vocabulary import CATALOGUE_ONLY, Vocabulary, did_you_mean

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


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an expression may name, and the mistakes found in it so far."""

    vocabulary: Vocabulary
    limits: Mapping[str, float]
    mistakes: list[Mistake] = field(default_factory=list)


def compile_text(
    text: str, vocabulary: Vocabulary = CATALOGUE_ONLY, limits: Mapping[str, float] | None = None
) -> Tree:
    """Parse, check and compile. Raises ExpressionError with every mistake that was found.

    limits: the numbers that the pack gives a name; `limit.NAME` compiles to the number itself.
    """
    expression = parse(text)
    seen = _Seen(vocabulary, limits or {})
    tree = _condition(expression, seen)
    if seen.mistakes:
        raise ExpressionError(*sorted(seen.mistakes, key=lambda mistake: mistake.at))
    return tree


def _condition(expression: Expression, seen: _Seen) -> Tree:
    match expression:
        case All(parts=parts):
            return {"all": [_condition(part, seen) for part in parts]}
        case AnyOf(parts=parts):
            return {"any": [_condition(part, seen) for part in parts]}
        case Not(part=part):
            return {"not": _condition(part, seen)}
        case Boolean(value=value):
            return {"bool": value}
        case Name():
            return _bare(expression, seen)
        case Comparison():
            return _comparison(expression, seen)
        case OneOf():
            return _one_of(expression, seen)
        case Contains():
            return _contains(expression, seen)


def _bare(name: Name, seen: _Seen) -> Tree:
    fact = _fact(name, seen)
    if fact is not None and fact.type != "bool":
        seen.mistakes.append(
            Mistake(name.at, f"{name.name} is {_TYPE_WORDS[fact.type]}, not true or false.",
                    f"Compare it, for example {_example(fact)}.")
        )  # fmt: skip
    return {"fact": name.name}


def _comparison(node: Comparison, seen: _Seen) -> Tree:
    right = _number(node.right, seen) if isinstance(node.right, Limit) else node.right
    tree: Tree = {"compare": node.sign, "left": _operand(node.left), "right": _operand(right)}
    if not isinstance(node.left, Name):
        hint = "Write the fact first, then the limit." if isinstance(node.right, Name) else ""
        seen.mistakes.append(Mistake(node.at, "A comparison starts with a fact.",
                                hint or "Compare a fact with a value."))  # fmt: skip
        return tree
    fact = _fact(node.left, seen)
    if fact is None:
        return tree
    if fact.type == "set":
        seen.mistakes.append(Mistake(node.at, f"{fact.name} is a set of texts.",
                                f'Ask for membership: "..." in {fact.name}.'))  # fmt: skip
    elif isinstance(right, Name):
        _check_pair(fact, right, seen)
    else:
        _check_literal(fact, right, seen)
    if fact.type not in _NUMERIC and node.sign not in _EQUALITY:
        _check_order(node, fact, seen)
        tree["order"] = list(fact.values)
    return tree


def _check_pair(left: FactType, other: Name, seen: _Seen) -> None:
    right = _fact(other, seen)
    if right is None:
        return
    both_numbers = left.type in _NUMERIC and right.type in _NUMERIC
    if not both_numbers and (left.type, left.values) != (right.type, right.values):
        seen.mistakes.append(
            Mistake(other.at, f"{left.name} is {_TYPE_WORDS[left.type]} and {right.name} is "
                    f"{_TYPE_WORDS[right.type]}.", "Compare facts of the same type only.")
        )  # fmt: skip
    elif both_numbers and left.unit != right.unit:
        seen.mistakes.append(
            Mistake(other.at, f"{left.name} counts in {left.unit or 'plain numbers'} and "
                    f"{right.name} in {right.unit or 'plain numbers'}.",
                    "Compare facts of the same unit only.")
        )  # fmt: skip


def _check_order(node: Comparison, fact: FactType, seen: _Seen) -> None:
    if fact.type == "enum" and fact.risk_direction != "none":
        return
    why = "has no order" if fact.type == "enum" else f"is {_TYPE_WORDS[fact.type]}"
    seen.mistakes.append(Mistake(node.at, f"{fact.name} {why}, so `{node.sign}` says nothing.",
                            f"Use == or !=, or {_example(fact)}."))  # fmt: skip


def _one_of(node: OneOf, seen: _Seen) -> Tree:
    if not isinstance(node.left, Name):
        seen.mistakes.append(
            Mistake(node.at, "`in` starts with a fact.", "Write fact in [values].")
        )
        return {}
    fact = _fact(node.left, seen)
    if fact is not None and fact.type == "set":
        seen.mistakes.append(Mistake(node.at, f"{fact.name} is a set of texts.",
                                f'Ask for one member: "..." in {fact.name}.'))  # fmt: skip
    elif fact is not None:
        for item in node.items:
            _check_literal(fact, item, seen)
    return {"in": _operand(node.left), "items": [_operand(item) for item in node.items]}


def _contains(node: Contains, seen: _Seen) -> Tree:
    fact = _fact(node.right, seen)
    if fact is not None and fact.type != "set":
        seen.mistakes.append(Mistake(node.right.at, f"{fact.name} is not a set.",
                                "Write fact in [values], or name a set."))  # fmt: skip
    if not isinstance(node.item, Text):
        seen.mistakes.append(
            Mistake(node.at, "Only a text can be in a set.", 'Write "..." in quotes.')
        )
        return {}
    return {"has": {"fact": node.right.name}, "item": node.item.text}


def _check_literal(fact: FactType, literal: Operand, seen: _Seen) -> None:
    match literal:
        case Number() if fact.type in _NUMERIC:
            if fact.type == "integer" and "." in _plain(literal.text):
                seen.mistakes.append(Mistake(literal.at, f"{fact.name} is a whole number.",
                                        "Leave out the decimals."))  # fmt: skip
        case Text() if fact.type == "enum":
            if literal.text not in fact.values:
                hint = did_you_mean(literal.text, fact.values)
                choices = f"Choices: {', '.join(fact.values)}."
                seen.mistakes.append(Mistake(literal.at, f'{fact.name} is never "{literal.text}".',
                                        f"{hint} {choices}".strip()))  # fmt: skip
        case Text() if fact.type == "text":
            pass
        case Boolean() if fact.type == "bool":
            pass
        case _:
            seen.mistakes.append(
                Mistake(literal.at, f"{fact.name} is {_TYPE_WORDS[fact.type]}.",
                        f"Write for example {_example(fact)}.")
            )  # fmt: skip


def _fact(name: Name, seen: _Seen) -> FactType | None:
    found = seen.vocabulary.fact_type(name.name)
    if found is None:
        hint = seen.vocabulary.nearest(name.name)
        seen.mistakes.append(Mistake(name.at, f"There is no fact {name.name}.", hint))
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


def _number(limit: Limit, seen: _Seen) -> Number:
    """The number behind the name of a limit."""
    value = seen.limits.get(limit.name)
    if value is None:
        choices = ", ".join(sorted(seen.limits)) or "none"
        hint = did_you_mean(limit.name, seen.limits) or f"Limits of this pack: {choices}."
        seen.mistakes.append(Mistake(limit.at, f"There is no limit {limit.name}.", hint))
        return Number("0", limit.at)
    return Number(decimal_string(-value if limit.negative else value), limit.at)


def _operand(node: Operand) -> Tree:
    match node:
        case Limit():  # only where a comparison has already been refused
            return {"number": "0"}
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
