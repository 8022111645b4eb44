"""What an organisation knows about its own column names, in a YAML file (`columns.yaml`).

columns:                       # exact names
  - {name: bp_nr, class: personal, kind: person number, said_by: data-office}
words:                         # words of a name, as in "Kundennr" or "kunde_nr"
  - {words: betreuer, class: personal, kind: person name}

`class` is personal, protected or plain. An entry makes a column personal or protected. Plain
settles only what nothing else says, or what a name alone proposed: it never hides values that were
found.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from guiderail.core.digest import Digest, json_digest
from guiderail.core.errors import InputError
from guiderail.manifest.strict_yaml import load_file
from guiderail.measure.column_names import NameRule, holds_phrase, words_of

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    name: _Text
    cls: Literal["personal", "protected", "plain"] = Field(alias="class")
    kind: str = ""
    said_by: str = ""


class _Words(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    words: _Text
    cls: Literal["personal", "protected"] = Field(alias="class")
    kind: _Text


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    columns: tuple[_Column, ...] = ()
    words: tuple[_Words, ...] = ()


@dataclass(frozen=True, slots=True)
class KnownColumn:
    """One column by its exact name. said_by: "" where the file does not say who said it."""

    cls: Literal["personal", "protected", "plain"]
    kind: str
    said_by: str


@dataclass(frozen=True)
class ColumnDictionary:
    columns: Mapping[str, KnownColumn]
    rules: tuple[NameRule, ...] = ()

    @cached_property
    def digest(self) -> Digest:
        """Of everything that it says."""
        return json_digest(
            {
                "columns": {
                    name: [one.cls, one.kind, one.said_by] for name, one in self.columns.items()
                },
                "words": [[rule.cls, rule.kind, list(rule.phrases)] for rule in self.rules],
            }
        )

    def known(self, name: str) -> KnownColumn | None:
        return self.columns.get(name)

    def rule_for(self, name: str) -> NameRule | None:
        """The first rule whose words stand in the name."""
        words = words_of(name)
        for rule in self.rules:
            if any(holds_phrase(words, words_of(phrase)) for phrase in rule.phrases):
                return rule
        return None


NO_DICTIONARY = ColumnDictionary({})


def load_dictionary(path: Path) -> ColumnDictionary:
    """Raises InputError with the place of the first entry that is not right."""
    document = load_file(path)
    try:
        found = _File.model_validate(document.data)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(
            f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}",
            code="dictionary/invalid",
            advice="Entries under columns have name and class; entries under words have words, "
            "class and kind. A class is personal or protected; plain for a column.",
            place=document.place(tuple(first["loc"])[:2]),
        ) from error
    for number, entry in enumerate(found.words):
        if not words_of(entry.words):
            raise InputError(
                f"words.{number}: {entry.words!r} holds no word",
                code="dictionary/invalid",
                advice="Write letters; digits and signs are no words of a name.",
                place=document.place(("words", number)),
            )
    return ColumnDictionary(
        {one.name: KnownColumn(one.cls, one.kind, one.said_by) for one in found.columns},
        tuple(NameRule(one.cls, one.kind, (one.words,)) for one in found.words),
    )
