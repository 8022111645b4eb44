"""What is wrong with a manifest, in plain words, every problem with its place and advice."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from guiderail.core.errors import InputError, Place
from guiderail.manifest.schema import NAME_PATTERN, SENTENCE_PATTERN
from guiderail.manifest.strict_yaml import Document, YamlPath


class ManifestError(InputError):
    """A manifest cannot be used. `problems` lists every reason, in the order of the file."""

    code = "manifest/invalid"

    def __init__(self, problems: Iterable[InputError]) -> None:
        self.problems: tuple[InputError, ...] = tuple(sorted(problems, key=_position))
        first = self.problems[0]
        if len(self.problems) == 1:
            super().__init__(first.what, code=first.code, advice=first.advice, place=first.place)
            return
        lines = "".join(f"\n{problem}" for problem in self.problems)
        super().__init__(
            f"The manifest has {len(self.problems)} problems:{lines}",
            advice="Fix them in the order shown.",
            place=Place(first.place.file) if first.place else None,
        )


def _position(problem: InputError) -> tuple[int, int]:
    place = problem.place
    return (place.line or 0, place.column or 0) if place else (0, 0)


def did_you_mean(written: str, choices: Iterable[str]) -> str:
    """A question that ends with a space, or nothing when no choice is near."""
    near = difflib.get_close_matches(written.lower(), list(choices), n=1)
    return f"Did you mean {near[0]}? " if near else ""


def in_words(
    error: ValidationError, schema: type[BaseModel], document: Document
) -> list[InputError]:
    """One problem for each thing that validation found."""
    return [_in_words(detail, schema, document) for detail in error.errors(include_url=False)]


def _in_words(detail: Any, schema: type[BaseModel], document: Document) -> InputError:
    path: YamlPath = tuple(detail["loc"])
    match detail["type"]:
        case "missing":
            return _missing(path, schema, document)
        case "extra_forbidden":
            return _unknown_key(path, schema, document)
        case "literal_error":
            return _unknown_choice(path, schema, document)
        case "string_pattern_mismatch":
            return _pattern(path, detail["ctx"]["pattern"], document)
        case kind if kind in _RANGES:
            what, advice = _RANGES[kind]
            return _value_problem(path, what.format(**detail["ctx"]), advice, document)
        case kind if kind in _TYPES:
            return _wrong_type(path, kind, schema, document)
        case _:
            return _value_problem(
                path, f"is not accepted: {detail['msg']}", "Correct it.", document
            )


_RANGES = {
    "string_too_short": ("is empty", "Write a value."),
    "string_too_long": ("is longer than {max_length} characters", "Shorten it."),
    "greater_than": ("must be greater than {gt:g}", "Write a number in this range."),
    "greater_than_equal": ("must be at least {ge:g}", "Write a number in this range."),
    "less_than": ("must be less than {lt:g}", "Write a number in this range."),
    "less_than_equal": ("must be at most {le:g}", "Write a number in this range."),
    "too_short": ("must have at least {min_length} entries", "Add what is missing."),
    "too_long": ("must have at most {max_length} entries", "Keep the ones that count."),
}

_TYPES = {
    "string_type": "text",
    "bool_type": "true or false",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "tuple_type": "a list",
    "model_type": "a section with keys of its own",
    "dict_type": "a section with keys of its own",
}


def _missing(path: YamlPath, schema: type[BaseModel], document: Document) -> InputError:
    if isinstance(path[-1], int):
        return _value_problem(
            path[:-1], "lists too few values", "Write all of them, in brackets.", document
        )
    parent, key = path[:-1], str(path[-1])
    field = _field(schema, path)
    meaning = f" {field.description}" if field is not None and field.description else ""
    where = f" under {_dotted(parent)}" if parent else ""
    return InputError(
        f"{_dotted(path)} is missing.",
        code="manifest/missing-key",
        advice=f"Add `{key}:`{where}.{meaning}",
        place=document.place(parent),
    )


def _unknown_key(path: YamlPath, schema: type[BaseModel], document: Document) -> InputError:
    parent, key = path[:-1], str(path[-1])
    section = _section(schema, parent)
    known = list(section.model_fields) if section is not None else []
    hint = did_you_mean(key, known)
    elsewhere = [] if hint else [place for place in _keys(schema) if place.endswith(f".{key}")]
    if elsewhere:
        hint = f"It belongs in {elsewhere[0].rpartition('.')[0]}. "
    kind = document.data["kind"]
    where = f"in {_dotted(parent)}" if parent else f"at the top of a manifest of kind {kind}"
    return InputError(
        f"{key} is not a key {where}.",
        code="manifest/unknown-key",
        advice=f"{hint}Keys here: {', '.join(known)}.",
        place=document.place(path),
    )


def _unknown_choice(path: YamlPath, schema: type[BaseModel], document: Document) -> InputError:
    field = _field(schema, path)
    allowed = [str(choice) for choice in choices(field.annotation if field else None)]
    written = as_written(path, document)
    return InputError(
        f"{_dotted(path)} {refused(written)}.",
        code="manifest/unknown-choice",
        advice=f"{did_you_mean(written, allowed)}Choices: {', '.join(allowed)}.",
        place=document.value_place(path),
    )


_PATTERNS = {
    NAME_PATTERN: "must be lower-case letters, digits and hyphens, beginning with a letter",
    SENTENCE_PATTERN: "is blank",
}


def _pattern(path: YamlPath, pattern: str, document: Document) -> InputError:
    advice = "Write something that tells a reader what is meant."
    if pattern == NAME_PATTERN:
        slug = re.sub(r"[^a-z0-9]+", "-", as_written(path, document).lower()).strip("-0123456789")
        advice = f"For example {slug}." if slug else "For example credit-score."
    return _value_problem(path, _PATTERNS.get(pattern, "has another form"), advice, document)


def _wrong_type(
    path: YamlPath, kind: str, schema: type[BaseModel], document: Document
) -> InputError:
    wanted = _TYPES[kind]
    value = _value(path, document)
    if value is None:
        field = _field(schema, path)
        required = field is not None and field.is_required()
        advice = "Write a value." if required else "Write a value or remove the key."
        return _value_problem(path, f"is empty and must be {wanted}", advice, document)
    decimals = isinstance(value, float) and wanted == "a whole number"
    found = "a number with decimals" if decimals else _kind_of(value)
    what = f"must be {wanted}, not {found}"
    return _value_problem(path, what, _type_advice(path, wanted, value, document), document)


def _type_advice(path: YamlPath, wanted: str, value: object, document: Document) -> str:
    written = as_written(path, document)
    if wanted == "true or false" and isinstance(value, str):
        answers = {
            "yes": "true",
            "on": "true",
            "y": "true",
            "no": "false",
            "off": "false",
            "n": "false",
        }
        answer = answers.get(value.lower(), value.lower())
        return (
            f"Write {answer} without quotes."
            if answer in ("true", "false")
            else ("Write true or false without quotes; leave it out if it is not known.")
        )
    if wanted == "text" and written:
        return f'Put it in quotes: "{written}".'
    if wanted == "a list" and written:
        return f"Put it in brackets: [{written}]."
    if "number" in wanted and isinstance(value, str):
        return "Write the number alone, without quotes and unit, with a point before decimals."
    if wanted == "a whole number":
        return "Leave out the decimals."
    return f"Write {wanted}." if wanted != "text" else "Write text."


def _value_problem(path: YamlPath, what: str, advice: str, document: Document) -> InputError:
    return InputError(
        f"{_dotted(path)} {what}.",
        code="manifest/wrong-value",
        advice=advice,
        place=document.value_place(path),
    )


def _kind_of(value: object) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case dict():
            return "a section with keys"
        case _:
            return "a list"


def _dotted(path: YamlPath) -> str:
    return ".".join(map(str, path)) or "the manifest"


def _value(path: YamlPath, document: Document) -> object:
    value: Any = document.data
    for part in path:
        value = value[part]
    return value


def refused(written: str) -> str:
    """What is wrong with a text that is none of the choices."""
    return f"cannot be {written}" if written else "is empty"


def as_written(path: YamlPath, document: Document) -> str:
    """A scalar as it stands in the file; empty for a list, a section or nothing, cut when long."""
    spot = document.spots.get(path)
    text = (spot.text if spot is not None else None) or ""
    return text if len(text) <= 60 else text[:57] + "..."


def _parts(annotation: Any) -> Iterator[Any]:
    """An annotation and everything inside it: `tuple[A, ...] | None` holds A."""
    yield annotation
    for argument in get_args(annotation):
        yield from _parts(argument)


def _section(schema: type[BaseModel], path: YamlPath) -> type[BaseModel] | None:
    """The class of the section at a path; list positions are skipped."""
    section = schema
    for key in path:
        if isinstance(key, int):
            continue
        field = section.model_fields.get(key)
        inner = [
            part
            for part in (_parts(field.annotation) if field is not None else ())
            if isinstance(part, type) and issubclass(part, BaseModel)
        ]
        if not inner:
            return None
        section = inner[0]
    return section


def _field(schema: type[BaseModel], path: YamlPath) -> FieldInfo | None:
    keys = [part for part in path if isinstance(part, str)]
    section = _section(schema, tuple(keys[:-1]))
    return section.model_fields.get(keys[-1]) if section is not None and keys else None


def choices(annotation: Any) -> list[object]:
    """The choices that an annotation allows; none where it is not a choice."""
    return [
        choice
        for part in _parts(annotation)
        if get_origin(part) is Literal
        for choice in get_args(part)
    ]


def _keys(schema: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every dotted key below a section, list positions left out."""
    for name in schema.model_fields:
        yield f"{prefix}{name}"
        section = _section(schema, (name,))
        if section is not None:
            yield from _keys(section, f"{prefix}{name}.")
