"""Text of the policy language to syntax tree. Lengths and nesting are limited beforehand."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedToken

from guiderail.policy.lookalikes import first_foreign, instead, look_alike, what_stands
from guiderail.policy.syntax import (
    All,
    AnyOf,
    Boolean,
    Comparison,
    Contains,
    Expression,
    Limit,
    Literal,
    Mistake,
    Name,
    Not,
    Number,
    OneOf,
    Operand,
    Text,
)

LONGEST: Final = 2000
"""Characters in one expression."""
DEEPEST: Final = 16
"""Brackets inside one another."""
LONGEST_NUMBER: Final = 30
"""Signs in one number; more than a float keeps, and few enough to convert at once."""
MOST_ITEMS: Final = 100
"""Values in one list after `in`."""

_GRAMMAR = Path(__file__).with_name("grammar.lark")
_TEXTS = re.compile(r"\"[^\"\n]*\"|'[^'\n]*'")


class ExpressionError(ValueError):
    """An expression cannot be used. `mistakes` says why, each with its place."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__("; ".join(mistake.message for mistake in mistakes))
        self.mistakes = mistakes


def parse(text: str) -> Expression:
    """Read one expression. Raises ExpressionError with exactly one mistake."""
    _check_limits(text)
    try:
        tree = _parser().parse(text)
    except UnexpectedEOF:
        raise ExpressionError(_ends_early(text)) from None
    except UnexpectedToken as error:
        raise ExpressionError(_unexpected(error, text)) from None
    except UnexpectedCharacters as error:
        raise ExpressionError(_sign(text, error.pos_in_stream or 0)) from None
    build = _Build()
    result: Expression = build.transform(tree)
    if build.mistakes:
        raise ExpressionError(build.mistakes[0])
    return result


@cache
def _parser() -> Lark:
    grammar = _GRAMMAR.read_text("utf-8")
    return Lark(grammar, parser="lalr", propagate_positions=True, maybe_placeholders=False)


def _check_limits(text: str) -> None:
    if not text.strip():
        raise ExpressionError(Mistake(0, "The expression is empty.", _CONDITION))
    if len(text) > LONGEST:
        raise ExpressionError(
            Mistake(LONGEST, f"The expression is longer than {LONGEST} characters.",
                    "Compute what it asks for as a fact, or split the rule.")
        )  # fmt: skip
    foreign = first_foreign(text.replace("\n", " "))
    if foreign is not None:
        sign = text[foreign]
        raise ExpressionError(Mistake(foreign, what_stands(sign), instead(sign)))
    depth = 0
    for at, sign in enumerate(_TEXTS.sub(lambda found: " " * len(found.group()), text)):
        depth += (sign == "(") - (sign == ")")
        if depth > DEEPEST:
            raise ExpressionError(
                Mistake(at, f"Brackets are nested deeper than {DEEPEST} levels.",
                        "Write the condition flatter, or split the rule.")
            )  # fmt: skip


_CONDITION = "Write a condition over facts, for example use.regulated or change.flips.low > 2."


def _ends_early(text: str) -> Mistake:
    return Mistake(len(text), "The expression ends too early.", "Write what is missing.")


def _unexpected(error: UnexpectedToken, text: str) -> Mistake:
    token: Token = error.token
    at = token.start_pos if token.start_pos is not None else len(text)
    if token.type == "$END":
        return _ends_early(text)
    written = str(token)
    if token.type == "COMPARE":
        return Mistake(at, f"`{written}` cannot follow here.",
                       "Comparisons do not chain and `!` comes before brackets: "
                       "write a <= b && b < c, or !(a == b).")  # fmt: skip
    if written == "!":
        return Mistake(at, "`!` cannot follow here.", "Write `!` once, before a fact or brackets.")
    if written == "(":
        return Mistake(at, "A bracket cannot follow here.",
                       "There are no functions: only && || ! == != < <= > >= in ( ).")  # fmt: skip
    if token.type == "NAME" and written in _WORDS:
        return Mistake(at, f"`{written}` is not an operator.", f"Write {_WORDS[written]}.")
    return Mistake(at, f"`{written}` cannot follow here.",
                   "Join conditions with && or ||; write texts in quotes.")  # fmt: skip


_WORDS: Final = {"and": "&&", "or": "||", "not": "!", "is": "=="}
_SIGNS: Final = {
    "=": "Write == to compare.",
    "&": "Write &&.",
    "|": "Write ||.",
    "#": "An expression has no comments: write the reason under `why`.",
    "+": "The language has no arithmetic: compute it as a fact.",
    "*": "The language has no arithmetic: compute it as a fact.",
    "/": "The language has no arithmetic: compute it as a fact.",
    "%": "Numbers carry no unit here: the unit is the fact's.",
    '"': "Close the text with the same quote on the same line; it may not hold a backslash.",
    "'": "Close the text with the same quote on the same line; it may not hold a backslash.",
}


def _sign(text: str, at: int) -> Mistake:
    sign = text[at]
    if sign == "!" and text[at + 1 : at + 2] == "=":
        sign = "!="
    hint = _SIGNS.get(sign, "Use facts, literals and && || ! == != < <= > >= in ( ) only.")
    return Mistake(at, f"`{sign}` cannot stand here.", hint)


class _Build(Transformer[Token, Any]):
    """Lark's tree to ours, from the leaves up; as deep as `DEEPEST` allows and no deeper."""

    def __init__(self) -> None:
        super().__init__()
        self.mistakes: list[Mistake] = []

    def name(self, parts: list[Token]) -> Name:
        return Name(str(parts[0]), _at(parts[0]))

    def limit(self, parts: list[Token]) -> Limit:
        written = str(parts[0])
        return Limit(written.removeprefix("-").partition(".")[2], written[0] == "-", _at(parts[0]))

    def number(self, parts: list[Token]) -> Number:
        if len(parts[0]) > LONGEST_NUMBER:
            self.mistakes.append(
                Mistake(_at(parts[0]), f"The number is longer than {LONGEST_NUMBER} signs.",
                        "No computer compares so many exactly: round it.")
            )  # fmt: skip
        return Number(str(parts[0]), _at(parts[0]))

    def text(self, parts: list[Token]) -> Text:
        return Text(str(parts[0])[1:-1], _at(parts[0]))

    def boolean(self, parts: list[Token]) -> Boolean:
        return Boolean(str(parts[0]) == "true", _at(parts[0]))

    def items(self, parts: list[Literal]) -> tuple[Literal, ...]:
        alike = look_alike([part.text for part in parts if isinstance(part, Text)])
        if len(parts) > MOST_ITEMS:
            self.mistakes.append(
                Mistake(parts[MOST_ITEMS].at, f"The list has more than {MOST_ITEMS} values.",
                        "Compute what they have in common as a fact.")
            )  # fmt: skip
        elif alike is not None:
            self._refuse_alike([part for part in parts if isinstance(part, Text)], *alike)
        return tuple(parts)

    def _refuse_alike(self, texts: list[Text], first: int, second: int) -> None:
        one, other = texts[first], texts[second]
        message = f'"{other.text}" stands in the list twice.'
        if one.text != other.text:
            message = f'"{one.text}" and "{other.text}" are easily taken for one another.'
        self.mistakes.append(Mistake(other.at, message, "Keep one of the two."))

    def comparison(self, parts: tuple[Operand, Token, Operand]) -> Comparison:
        left, sign, right = parts
        return Comparison(str(sign), left, right, left.at)

    def one_of(self, parts: tuple[Operand, tuple[Literal, ...]]) -> OneOf:
        return OneOf(parts[0], parts[1], parts[0].at)

    def contains(self, parts: tuple[Operand, Name]) -> Contains:
        return Contains(parts[0], parts[1], parts[0].at)

    def negation(self, parts: list[Expression]) -> Not:
        return Not(parts[0], max(parts[0].at - 1, 0))

    def conjunction(self, parts: list[Expression]) -> All:
        return All(tuple(parts), parts[0].at)

    def disjunction(self, parts: list[Expression]) -> AnyOf:
        return AnyOf(tuple(parts), parts[0].at)


def _at(token: Token) -> int:
    return token.start_pos or 0
