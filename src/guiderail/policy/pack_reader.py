"""Read the YAML files of a pack directory. Collects every problem instead of stopping at one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from guiderail.core.errors import InputError, Place
from guiderail.manifest import strict_yaml
from guiderail.manifest.strict_yaml import Document
from guiderail.policy.pack_files import (
    AdviceFile,
    ControlFile,
    FactFile,
    GateFile,
    PackFile,
    QuestionFile,
    RuleFile,
)
from guiderail.policy.problem import Problem
from guiderail.policy.vocabulary import did_you_mean

SHIPPED: Final = Path(__file__).resolve().parent.parent / "packs"
EXPRESSIONS: Final = frozenset({"when", "applies_when", "pass_when", "fail_when", "skip_when"})

LONGEST_CHAIN: Final = 6
"""Packs that extend one another."""

PackPart = RuleFile | GateFile | AdviceFile | QuestionFile | ControlFile | FactFile
Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Source:
    """One file of a pack: what it says, and where each value stands."""

    part: PackPart
    document: Document


@dataclass(slots=True)
class PackSources:
    """The files of one pack directory, sorted by name within each section."""

    directory: Path
    pack: PackFile
    document: Document
    sections: Mapping[str, list[Source]]


@dataclass(slots=True)
class Reading:
    """Files that are read so far, the extended pack first, and what is wrong with them."""

    packs: list[PackSources] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


_FOLDERS: Final[tuple[tuple[str, type[PackPart]], ...]] = (
    ("tiers", RuleFile),
    ("tracks", RuleFile),
    ("gates", GateFile),
    ("advice", AdviceFile),
    ("questions", QuestionFile),
    ("controls", ControlFile),
    ("facts", FactFile),
)


def read_directory(directory: Path) -> Reading:
    """Read a pack and every pack that it extends."""
    reading = Reading()
    _read(directory, reading, ())
    return reading


def _read(directory: Path, reading: Reading, path: tuple[Path, ...]) -> None:
    file = directory / "pack.yaml"
    if not file.is_file():
        reading.problems.append(
            Problem(Place(str(file)), "There is no pack.yaml here.",
                    "Name the directory of a pack, for example src/guiderail/packs/model.")
        )  # fmt: skip
        return
    loaded = _load(file, PackFile, reading.problems)
    if loaded is None:
        return
    pack, document = loaded
    if pack.extends is not None:
        parent = _parent(directory, pack.extends)
        chain = (*path, directory.resolve())
        if parent is None:
            reading.problems.append(
                Problem(document.value_place(("extends",)),
                        f"There is no pack {pack.extends} to extend here.",
                        "A pack extends one that stands beside it or ships with Guiderail.")
            )  # fmt: skip
        elif parent in chain:
            circle = " -> ".join([*(one.name for one in chain[chain.index(parent) :]), parent.name])
            reading.problems.append(
                Problem(document.value_place(("extends",)),
                        f"The packs extend each other in a circle: {circle}.",
                        "Let one of them stand alone or extend a pack that ships with Guiderail.")
            )  # fmt: skip
        elif len(chain) >= LONGEST_CHAIN:
            reading.problems.append(
                Problem(document.value_place(("extends",)),
                        f"More than {LONGEST_CHAIN} packs extend one another.",
                        "Join some of them: nobody can follow a policy through so many layers.")
            )  # fmt: skip
        else:
            _read(parent, reading, chain)
    sections = {
        name: _section(directory / name, model, reading.problems) for name, model in _FOLDERS
    }
    reading.packs.append(PackSources(directory, pack, document, sections))


def _parent(directory: Path, name: str) -> Path | None:
    for root in (directory.resolve().parent, SHIPPED):
        if (root / name / "pack.yaml").is_file():
            return root / name
    return None


def _section(folder: Path, model: type[PackPart], problems: list[Problem]) -> list[Source]:
    sources: list[Source] = []
    if not folder.is_dir():
        return sources
    for file in sorted(folder.iterdir()):
        if file.suffix != ".yaml":
            problems.append(
                Problem(Place(str(file)), f"{file.name} is not a .yaml file.",
                        "A pack holds data only: move it elsewhere.")
            )  # fmt: skip
            continue
        loaded = _load(file, model, problems)
        if loaded is None:
            continue
        part, document = loaded
        if part.id != file.stem:
            problems.append(
                Problem(document.value_place(("id",)), f"{file.name} holds the id {part.id}.",
                        "The file is named as the id, so that both are found together.")
            )  # fmt: skip
        sources.append(Source(part, document))
    return sources


def _load(file: Path, model: type[Model], problems: list[Problem]) -> tuple[Model, Document] | None:
    try:
        document = strict_yaml.load_file(file, expressions=EXPRESSIONS)
    except InputError as error:
        problems.append(Problem(error.place or Place(str(file)), error.what, error.advice))
        return None
    try:
        return model.model_validate(_as_tuples(document.data)), document
    except ValidationError as error:
        problems.extend(
            _problem(detail, model, document) for detail in error.errors(include_url=False)
        )
        return None


def _as_tuples(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _as_tuples(value) for key, value in data.items()}
    if isinstance(data, list):
        return tuple(_as_tuples(item) for item in data)
    return data


def _problem(detail: Any, model: type[BaseModel], document: Document) -> Problem:
    # Alternatives of a union add their own name to the path: only what is written counts.
    path: tuple[str | int, ...] = ()
    for step in detail["loc"]:
        if (*path, step) in document.spots:
            path = (*path, step)
    shown = ".".join(map(str, path)) or "the file"
    last = str(detail["loc"][-1])
    match detail["type"]:
        case "missing":
            return Problem(document.place(path), f"{last} is missing in {shown}.",
                           f"Add `{last}:`.")  # fmt: skip
        case "extra_forbidden":
            hint = did_you_mean(last, model.model_fields)
            return Problem(document.place(path), f"{last} is not a key here.",
                           hint or "Remove it.")  # fmt: skip
        case "literal_error":
            choices = str(detail["ctx"]["expected"]).replace("'", "")
            return Problem(document.value_place(path), f"{shown} cannot be this.",
                           f"Choices: {choices}.")  # fmt: skip
        case "string_pattern_mismatch":
            return Problem(document.value_place(path), f"{shown} has another form.",
                           f"It must match {detail['ctx']['pattern']}.")  # fmt: skip
    return Problem(document.value_place(path), f"{shown}: {detail['msg']}.", "Correct it.")
