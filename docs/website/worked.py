"""Worked examples: facts from `worked_examples/`, decided by the evaluator."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from guiderail.core.errors import Place
from guiderail.facts.fact import FactSet
from guiderail.policy.decide import decide
from guiderail.policy.decision import Decision
from guiderail.policy.facts_file import parse_facts
from guiderail.policy.pack import Pack
from website.shelf import Shelf

FOLDER = Path(__file__).resolve().parent / "worked_examples"


@dataclass(frozen=True, slots=True)
class Worked:
    """One example and what was decided about it.

    written: the whole facts file. differing: what is not as in the first example of its kind.
    against: the title of the example that it is compared with; empty for the first of a kind.
    """

    id: str
    title: str
    story: str
    pack: Pack
    kind: str
    written: Mapping[str, Any]
    differing: tuple[str, ...]
    against: str
    facts: FactSet
    decision: Decision


def worked_examples(shelf: Shelf) -> tuple[Worked, ...]:
    """Every example whose kind some pack decides about, decided now."""
    return tuple(
        example
        for pack in shelf.packs
        for file in sorted(FOLDER.glob("*.yaml"))
        for example in _of_file(yaml.safe_load(file.read_text("utf-8")), pack)
    )


def deciding_day(pack: Pack) -> datetime:
    """The first day on which every part of the pack is in force."""
    sections = ("tiers", "tracks", "gates", "advice", "questions")
    days = [part["since"] for name in sections for part in pack.tree[name]]
    return datetime.fromisoformat(max(days, default=pack.tree["effective_from"])).replace(
        tzinfo=UTC
    )


def _of_file(content: Mapping[str, Any], pack: Pack) -> Iterator[Worked]:
    kind = content["kind"]
    if kind not in pack.kinds:
        return
    facts: dict[str, Mapping[str, Any]] = {}
    titles: dict[str, str] = {}
    for row in content["examples"]:
        base = row.get("extends", content["examples"][0]["id"])
        written = {**facts.get(base, content["calm"]), **row["changes"]}
        facts[row["id"]], titles[row["id"]] = written, row["title"]
        read = parse_facts(json.dumps(written).encode(), Path("facts.json"), pack.vocabulary)
        yield Worked(
            id=f"{kind}-{row['id']}",
            title=row["title"],
            story=row["story"],
            pack=pack,
            kind=kind,
            written=written,
            differing=tuple(row["changes"]),
            against=titles[base] if base in facts and base != row["id"] else "",
            facts=read,
            decision=decide(pack, read, kind=kind, at=deciding_day(pack), place=_no_place),
        )


def _no_place(_: str) -> Place:
    return Place("facts.json")
