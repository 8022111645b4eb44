"""Policy packs: check a directory, decide on facts from a file."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from guiderail.core.errors import Place
from guiderail.core.time import Clock, system_clock
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.diff.extended import lighter_than_extended
from guiderail.policy.facts_file import read_facts
from guiderail.policy.pack import Pack, load_pack, load_pack_directory
from guiderail.policy.problems import check_pack_directory
from guiderail.render.diff_json import change_document
from guiderail.service.check import parse_day


def check_pack(directory: Path, clock: Clock = system_clock) -> dict[str, Any]:
    """Every problem of a pack directory, with its place; none when it can decide.

    `lighter` is what it makes lighter than the pack that it extends. That is no problem: its owner
    may decide so.
    """
    checked = check_pack_directory(directory, today=clock().date())
    pack = checked.pack
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    return {
        "pack": pack.id if pack else str(directory),
        "version": pack.version if pack else None,
        "digest": pack.digest if pack else None,
        "parts": sum(len(pack.tree[section]) for section in sections) if pack else 0,
        "problems": [
            {
                "file": problem.place.file,
                "line": problem.place.line,
                "column": problem.place.column,
                "message": problem.message,
                "hint": problem.hint,
            }
            for problem in checked.problems
        ],
        "lighter": [
            change_document(change)
            for change in (lighter_than_extended(checked.reading, pack) if pack else ())
        ],
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
