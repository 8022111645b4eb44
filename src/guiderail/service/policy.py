"""Policy packs: check a directory, decide on facts from a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from guiderail.core.errors import Place
from guiderail.core.time import Clock, system_clock
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.facts_file import read_facts
from guiderail.policy.pack import Pack, load_pack, load_pack_directory
from guiderail.policy.problem import PackError
from guiderail.service.check import parse_day


def check_pack(directory: Path) -> dict[str, Any]:
    """Every problem of a pack directory, with its place; none when it can decide.

    Raises InputError when there is no such directory.
    """
    try:
        pack = load_pack_directory(directory)
    except PackError as error:
        return {
            "pack": str(directory),
            "parts": 0,
            "problems": [
                {
                    "file": problem.place.file,
                    "line": problem.place.line,
                    "column": problem.place.column,
                    "message": problem.message,
                    "hint": problem.hint,
                }
                for problem in error.problems
            ],
        }
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    return {
        "pack": pack.id,
        "version": pack.version,
        "digest": pack.digest,
        "parts": sum(len(pack.tree[section]) for section in sections),
        "problems": [],
    }


def named_pack(name: str) -> Pack:
    """A shipped pack by name, or a pack directory."""
    return load_pack_directory(Path(name)) if Path(name).is_dir() else load_pack(name)


def evaluate_file(
    pack: str, facts: Path, *, kind: str, at: str | None, clock: Clock = system_clock
) -> Decision:
    """Decide on facts from a file. Facts that it leaves out are unknown."""
    moment: datetime = parse_day(at) if at else clock()
    return decide(
        named_pack(pack),
        read_facts(facts),
        kind=kind,
        at=moment,
        place=lambda _: Place(str(facts)),
    )
