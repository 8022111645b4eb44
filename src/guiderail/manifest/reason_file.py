"""The file of reason texts: what people are told where an input speaks against them.

audiences: [person, sales]
reasons:
  credit_amount:
    person: {high: The amount is high ..., low: The amount is low ...}
    sales: The amount weighed against the customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.manifest.strict_yaml import Document, load_file

ReasonTable = Mapping[str, Mapping[str, tuple[str, str]]]
"""Input -> audience -> (text for a high value, text for a low value)."""

_ADVICE = (
    "Write `audiences: [person]` and under `reasons`, for each input and audience, a sentence or "
    "{high: a sentence, low: a sentence}."
)


def read_reasons(path: Path, file: str | None = None) -> tuple[tuple[str, ...], ReasonTable]:
    """(audiences, texts). Raises InputError with the place of what is not right."""
    document = load_file(path, file=file)
    data = document.data
    if not isinstance(data, dict) or set(data) - {"audiences", "reasons"}:
        raise _wrong(document, (), "the file is no table of `audiences` and `reasons`")
    audiences = data.get("audiences", ["person"])
    if (
        not isinstance(audiences, list)
        or not audiences
        or not all(isinstance(name, str) and name for name in audiences)
        or len(set(audiences)) < len(audiences)
    ):
        raise _wrong(document, ("audiences",), "`audiences` is no list of different names")
    rows = data.get("reasons")
    if not isinstance(rows, dict):
        raise _wrong(document, ("reasons",), "`reasons` holds no input")
    table = {name: _audiences(document, name, row, audiences) for name, row in rows.items()}
    return tuple(audiences), table


def _audiences(
    document: Document, name: str, row: object, audiences: list[str]
) -> dict[str, tuple[str, str]]:
    if isinstance(row, str):
        return dict.fromkeys(audiences, (row, row))
    where = ("reasons", name)
    if not isinstance(row, dict):
        raise _wrong(document, where, f"{name} has no text")
    found = {}
    for audience, text in row.items():
        if audience not in audiences:
            raise _wrong(document, (*where, audience), f"{name}: {audience} is no audience")
        if isinstance(text, str):
            found[audience] = (text, text)
        elif (
            isinstance(text, dict)
            and set(text) == {"high", "low"}
            and all(isinstance(one, str) for one in text.values())
        ):
            found[audience] = (text["high"], text["low"])
        else:
            raise _wrong(document, (*where, audience), f"{name} has no text for {audience}")
    return found


def _wrong(document: Document, path: tuple[str | int, ...], what: str) -> InputError:
    return InputError(what, code="reasons/invalid", advice=_ADVICE, place=document.place(path))
