"""`guiderail policy check`: the problems of packs, each with the line that it stands in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from guiderail.core.time import Clock, system_clock
from guiderail.policy.pack import Pack
from guiderail.policy.pack_folder import PACK_FILE, SHIPPED, UnreadableError, read_regular
from guiderail.policy.vocabulary import did_you_mean
from guiderail.service.pack_cache import Remembered, cache_folder, look, recall, remember

if TYPE_CHECKING:
    from guiderail.core.errors import Place
    from guiderail.policy.problem import Problem
    from guiderail.policy.problems import CheckedPack

_WIDEST: Final = 76
"""Columns of a source line that are shown; longer ones are cut around the place."""
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]+|\"[^\"]*\"|'[^']*'|.")


def check_packs(names: Sequence[str], clock: Clock = system_clock) -> dict[str, Any]:
    """Check packs, each named by its directory or, where it ships, by its name; none means all.

    The document of one pack, or `packs` with those of several; `problems` lists all of them.
    """
    today = clock().date()
    documents = [check_pack(directory_of(name), today) for name in names or shipped_names()]
    if len(documents) == 1:
        return documents[0]
    problems = [problem for document in documents for problem in document["problems"]]
    return {"packs": documents, "problems": problems}


def shipped_names() -> tuple[str, ...]:
    """The packs that ship."""
    return tuple(sorted(path.parent.name for path in SHIPPED.glob(f"*/{PACK_FILE}")))


def directory_of(name: str) -> Path:
    """The directory that a name on the command line means."""
    shipped = name in shipped_names() and not Path(name).is_dir()
    return SHIPPED / name if shipped else Path(name)


def check_pack(directory: Path, today: date) -> dict[str, Any]:
    """What is in a pack directory and what is wrong with it; from memory where nothing changed."""
    folder, named = cache_folder(), str(directory)
    known = recall(directory, folder)
    if known is not None and (known.day, known.named) == (today.isoformat(), named):
        return dict(known.document)
    from guiderail.policy.problems import check_pack_directory

    seen = look(directory)
    checked = check_pack_directory(directory, today=today)
    document = _document(directory, checked, today)
    pack = checked.pack
    tree, texts = (pack.tree, pack.texts) if pack else (None, None)
    remember(directory, folder, seen, Remembered(tree, texts, today.isoformat(), named, document))
    return document


def compiled_directory(directory: Path) -> Pack:
    """A pack directory, compiled; from memory where nothing changed. Raises PackError."""
    folder = cache_folder()
    known = recall(directory, folder)
    remembered = known.pack if known is not None else None
    if remembered is not None:
        return remembered
    from guiderail.policy.pack import load_pack_directory

    seen = look(directory)
    pack = load_pack_directory(directory)
    remember(directory, folder, seen, Remembered(pack.tree, pack.texts))
    return pack


def _document(directory: Path, checked: CheckedPack, today: date) -> dict[str, Any]:
    """lighter: what the pack makes lighter than the one that it extends."""
    from guiderail.policy.diff.extended import lighter_than_extended
    from guiderail.render.diff_json import change_document

    pack = checked.pack
    problems = [_problem(problem) for problem in checked.problems]
    if pack is None:
        if not directory.exists():
            problems[0]["hint"] = did_you_mean(str(directory), shipped_names()) or (
                f"Name the directory of a pack, or one that ships: {', '.join(shipped_names())}."
            )
        return {"pack": str(directory), "version": None, "digest": None, "texts_digest": None,
                "effective_from": None, "in_force": False, "parts": 0, "sections": {},
                "examples": 0, "mappings": 0, "problems": problems,
                "lighter": []}  # fmt: skip
    begins = str(pack.tree["effective_from"])
    return {
        "pack": pack.id,
        "version": pack.version,
        "digest": pack.digest,
        "texts_digest": pack.texts_digest,
        "effective_from": begins,
        "in_force": begins <= today.isoformat(),
        "parts": sum(checked.parts.values()),
        "sections": dict(checked.parts),
        "examples": checked.examples,
        "mappings": checked.mappings,
        "problems": problems,
        "lighter": [change_document(one) for one in lighter_than_extended(checked.reading, pack)],
    }


def _problem(problem: Problem) -> dict[str, Any]:
    source, caret = _quoted(problem.place)
    return {
        "file": problem.place.file,
        "line": problem.place.line,
        "column": problem.place.column,
        "message": problem.message,
        "hint": problem.hint,
        "source": source,
        "caret": caret,
    }


def _quoted(place: Place) -> tuple[str | None, str | None]:
    """The line of a place, and spaces with carets below what stands there; None without a line."""
    line = _line(place) if place.line is not None else None
    if line is None or place.column is None:
        return line, None
    start = place.column - 1
    cut = max(0, start - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown = line[cut : cut + _WIDEST]
    word = _WORD.match(shown, start - cut)
    width = _columns(word.group()) if word is not None else 1
    return shown, " " * _columns(shown[: start - cut]) + "^" * max(width, 1)


def _line(place: Place) -> str | None:
    file = Path(place.file)
    try:
        data = read_regular(file, file.resolve().parent)
    except UnreadableError:
        return None
    lines = data.decode("utf-8", "replace").split("\n")
    row = (place.line or 1) - 1
    if row >= len(lines):
        return None
    return "".join(sign if unicodedata.category(sign)[0] != "C" else "\ufffd"
                   for sign in lines[row].rstrip("\r"))  # fmt: skip


def _columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(sign) else 1 + (unicodedata.east_asian_width(sign) in "WF")
        for sign in text
    )
