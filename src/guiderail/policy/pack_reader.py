"""The YAML files of a pack directory as typed parts.

Collects every problem instead of stopping at one.
"""

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
from guiderail.policy.pack_folder import (
    LONGEST_CHAIN,
    PACK_FILE,
    SECTIONS,
    PackFolder,
    parent_of,
    read_folder,
)
from guiderail.policy.part_texts import text_problems
from guiderail.policy.problem import Problem
from guiderail.policy.refused_value import value_problem

EXPRESSIONS: Final = frozenset({"when", "applies_when", "pass_when", "fail_when", "skip_when"})

LIMITS: Final = strict_yaml.Limits(size=256 * 1024, depth=12, text=8000, values=10_000)
"""Of one file. The deepest value of a part, a number in the facts of an example, is five deep."""

MOST_PROBLEMS: Final = 25
"""Of one file: whoever has that many begins with the first ones."""

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


_MODELS: Final[Mapping[str, type[PackPart]]] = {
    "tiers": RuleFile,
    "tracks": RuleFile,
    "gates": GateFile,
    "advice": AdviceFile,
    "questions": QuestionFile,
    "controls": ControlFile,
    "facts": FactFile,
}
FOLDERS: Final = tuple((name, _MODELS[name]) for name in SECTIONS)
"""Every folder of a pack with the class of its files."""


def read_directory(directory: Path) -> Reading:
    """Read a pack and every pack that it extends."""
    reading = Reading()
    _read(directory, reading, ())
    return reading


def _read(directory: Path, reading: Reading, path: tuple[Path, ...]) -> None:
    file = directory / PACK_FILE
    if not file.is_file():
        reading.problems.append(
            Problem(Place(str(file)), "There is no pack.yaml here.",
                    "Name the directory of a pack, for example src/guiderail/packs/model.")
        )  # fmt: skip
        return
    folder = read_folder(directory)
    reading.problems += folder.problems
    loaded = _load(folder, PACK_FILE, PackFile, reading.problems)
    if loaded is None:
        return
    pack, document = loaded
    if pack.extends is not None:
        _read_extended(directory, pack.extends, document, reading, path)
    sections = {name: _section(folder, name, model, reading.problems) for name, model in FOLDERS}
    reading.packs.append(PackSources(directory, pack, document, sections))


def _read_extended(
    directory: Path, extends: str, document: Document, reading: Reading, path: tuple[Path, ...]
) -> None:
    parent = parent_of(directory, extends)
    chain = (*path, directory.resolve())
    if parent is None:
        message = f"There is no pack {extends} to extend here."
        hint = "A pack extends one that stands beside it or ships with Guiderail."
    elif parent in chain:
        circle = " -> ".join([*(one.name for one in chain[chain.index(parent) :]), parent.name])
        message = f"The packs extend each other in a circle: {circle}."
        hint = "Let one of them stand alone or extend a pack that ships with Guiderail."
    elif len(chain) >= LONGEST_CHAIN:
        message = f"More than {LONGEST_CHAIN} packs extend one another."
        hint = "Join some of them: nobody can follow a policy through so many layers."
    else:
        _read(parent, reading, chain)
        return
    reading.problems.append(Problem(document.value_place(("extends",)), message, hint))


def _section(
    folder: PackFolder, section: str, model: type[PackPart], problems: list[Problem]
) -> list[Source]:
    sources: list[Source] = []
    for name in folder.files:
        if not name.startswith(f"{section}/"):
            continue
        loaded = _load(folder, name, model, problems)
        if loaded is None:
            continue
        part, document = loaded
        file = Path(name)
        if part.id != file.stem:
            problems.append(
                Problem(document.value_place(("id",)), f"{file.name} holds the id {part.id}.",
                        "The file is named as the id, so that both are found together.")
            )  # fmt: skip
        sources.append(Source(part, document))
    return sources


def _load(
    folder: PackFolder, name: str, model: type[Model], problems: list[Problem]
) -> tuple[Model, Document] | None:
    """One file, checked; None where it cannot be used or could not be read."""
    file, data = str(folder.directory / name), folder.files.get(name)
    if data is None:
        return None
    try:
        document = strict_yaml.load_bytes(data, file, limits=LIMITS, expressions=EXPRESSIONS)
    except InputError as error:
        problems.append(Problem(error.place or Place(file), error.what, error.advice))
        return None
    unreadable = text_problems(document)
    if unreadable:
        problems.extend(unreadable)
        return None
    try:
        return model.model_validate(_as_tuples(document.data)), document
    except ValidationError as error:
        details = error.errors(include_url=False)[:MOST_PROBLEMS]
        problems.extend(value_problem(detail, model, document) for detail in details)
        return None


def _as_tuples(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _as_tuples(value) for key, value in data.items()}
    if isinstance(data, list):
        return tuple(_as_tuples(item) for item in data)
    return data
