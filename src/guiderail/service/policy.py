"""Policy packs: check a directory, decide on facts from a file."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

from guiderail.core.errors import InputError, Place
from guiderail.core.time import Clock, system_clock
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.diff.extended import lighter_than_extended
from guiderail.policy.facts_file import read_facts
from guiderail.policy.pack import Pack, load_pack, load_pack_directory
from guiderail.policy.problem import PackError
from guiderail.policy.problems import check_pack_directory
from guiderail.render.diff_json import change_document
from guiderail.service.check import parse_day
from guiderail.service.policy_in_force import recorded, stored_pack
from guiderail.service.workspace import Workspace


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


def checked_pack(name: str, workspace: Workspace, *, today: date) -> Pack:
    """A pack that passes every check: a directory, a shipped one, or one that was in force here.

    Raises PackError with every problem of a directory, and InputError for a name of nothing.
    """
    if Path(name).is_dir():
        checked = check_pack_directory(Path(name), today=today)
        if checked.pack is None or checked.problems:
            raise PackError(checked.problems)
        return checked.pack
    return earlier_pack(name, workspace) if name.startswith("sha256:") else load_pack(name)


def earlier_pack(digest: str, workspace: Workspace) -> Pack:
    """A pack that was put into force in this workspace, by the digest of its rules."""
    with workspace.store.read() as snapshot:
        policy = recorded(snapshot, workspace)
    for activation in reversed(policy.activations):
        if activation.digest == digest:
            return stored_pack(workspace, activation)
    raise InputError(
        f"no pack {digest} was ever in force here",
        code="policy/no-such-pack",
        advice="`guiderail policy status` lists the packs that were, with their digests.",
    )


def evaluate_file(
    pack: str, facts: Path, *, kind: str | None, at: str | None, clock: Clock = system_clock
) -> Decision:
    """Decide on facts from a file. Facts that it leaves out are unknown.

    kind: of the workload; None for the first kind of the pack.
    """
    moment: datetime = parse_day(at) if at else clock()
    chosen = named_pack(pack)
    return decide(
        chosen,
        read_facts(facts),
        kind=kind or next(iter(chosen.kinds), "model"),
        at=moment,
        place=lambda _: Place(str(facts)),
    )
