"""A value that a file of a pack must not hold, in words: what is wrong and what may stand there."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel

from guiderail.manifest.strict_yaml import Document
from guiderail.policy.lookalikes import first_foreign, instead, what_stands
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import did_you_mean

_TYPES: Final = {
    "string_type": ("text", "Put it in quotes if it is meant as one."),
    "bool_type": ("true or false", "Write true or false, without quotes."),
    "int_type": ("a whole number", "Write it without quotes and without a fraction."),
    "float_type": ("a number", "Write it without quotes."),
    "tuple_type": ("a list", "Write [one, two], or one item a line after a hyphen."),
    "dict_type": ("a mapping", "Write keys and values, as in {key: value}."),
    "model_type": ("a mapping", "Write keys and values, as in {key: value}."),
}


def value_problem(detail: Any, model: type[BaseModel], document: Document) -> Problem:
    """One mistake that pydantic found, at its place in the file."""
    path = _written(detail["loc"], document)
    shown = ".".join(map(str, path)) or "the file"
    last = str(detail["loc"][-1]) if detail["loc"] else shown
    foreign = _foreign(detail, path, document)
    if foreign is not None:
        return foreign
    place = document.value_place(path)
    context = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return Problem(document.place(path), f"{last} is missing in {shown}.",
                           f"Add `{last}:`.")  # fmt: skip
        case "extra_forbidden":
            hint = did_you_mean(last, _keys(model, detail["loc"]))
            return Problem(document.place(path), f"{last} is not a key here.",
                           hint or "Remove it.")  # fmt: skip
        case "literal_error":
            choices = str(context["expected"]).replace("'", "")
            near = did_you_mean(str(detail["input"]), choices.replace(" or ", ", ").split(", "))
            return Problem(place, f"{shown} cannot be this.",
                           f"{near} Choices: {choices}.".strip())  # fmt: skip
        case "string_pattern_mismatch":
            return Problem(place, f"{shown} has another form.",
                           f"It must match {context['pattern']}.")  # fmt: skip
        case "string_too_long":
            return Problem(place, f"{shown} is longer than {context['max_length']} characters.",
                           "Shorten it.")  # fmt: skip
        case "string_too_short" | "too_short":
            return Problem(place, f"{shown} is empty.", "Write what belongs there.")
        case "too_long":
            return Problem(place, f"{shown} has more than {context['max_length']} entries.",
                           "Split the rule: nobody can review so many at once.")  # fmt: skip
        case "value_error":
            return Problem(place, f"{shown} {context['error']}.", "Correct it.")
        case kind if kind in _TYPES:
            wanted, hint = _TYPES[kind]
            return Problem(place, f"{shown} is not {wanted}.", hint)
    return Problem(place, f"{shown}: {detail['msg']}.", "Correct it.")


def _written(loc: tuple[str | int, ...], document: Document) -> tuple[str | int, ...]:
    """The part of a path that is in the file: unions add names of their own alternatives."""
    path: tuple[str | int, ...] = ()
    for step in loc:
        if (*path, step) in document.spots:
            path = (*path, step)
    return path


def _foreign(detail: Any, path: tuple[str | int, ...], document: Document) -> Problem | None:
    """A character outside ASCII is the likely reason why a name or a member does not fit."""
    text = detail["input"]
    if detail["type"] not in ("literal_error", "string_pattern_mismatch"):
        return None
    at = first_foreign(text) if isinstance(text, str) else None
    if at is None:
        return None
    return Problem(document.inside(path, at), what_stands(text[at]), instead(text[at]))


def _keys(model: type[BaseModel], loc: tuple[str | int, ...]) -> list[str]:
    """The keys that may stand where an unknown one was found."""
    inner: Any = model
    for step in loc[:-1]:
        field = getattr(inner, "model_fields", {}).get(step)
        if field is not None:
            inner = next(
                (part for part in (field.annotation, *getattr(field.annotation, "__args__", ()))
                 if isinstance(part, type) and issubclass(part, BaseModel)), inner)  # fmt: skip
    return [field.alias or name for name, field in inner.model_fields.items()]
