"""Pages of rules, gates, facts and questions for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.render import words
from guiderail.render.lines import Line, columns, heading, paragraph

_SECTIONS = (
    ("what", "What it checks"),
    ("why", "Why it matters"),
    ("matters_to", "To whom"),
    ("good", "What good looks like"),
    ("fix", "How to fix it"),
    ("evidence", "Evidence it produces"),
    ("waiver", "Waiver"),
)


def page_lines(document: Mapping[str, Any]) -> list[Line]:
    """The page, in the order in which a reader needs it."""
    lines = [Line(f"{document['title']}", "bold")]
    lines += paragraph(_place(document), style="dim")
    for key, title in _SECTIONS:
        if document[key]:
            lines += heading(title)
            for part in document[key].split("\n\n"):
                lines += paragraph(part, indent=2)
        if key == "fix":
            lines += _listed("Tools", document["tools"])
    lines += _conditions(document)
    lines += _examples(document["examples"])
    lines += _listed("Used by", document["used_by"])
    lines += _details(document)
    if document["refs"]:
        lines += heading("References")
        for ref in document["refs"]:
            lines += paragraph(_reference(ref), indent=2, hang=2)
    return lines


def _place(document: Mapping[str, Any]) -> str:
    """What the page is about, for which kinds, and where the pages of other kinds are."""
    held = f"{document['kind']} {document['id']}, for {_joined(document['kinds'])}"
    others: Sequence[str] = document["other_pages"]
    if not others:
        return held
    has = "has a page of its own" if len(others) == 1 else "have pages of their own"
    return f"{held}; {_joined(others)} {has} (--kind {others[0]})"


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else "".join(names)


def _conditions(document: Mapping[str, Any]) -> list[Line]:
    if not document["conditions"]:
        return []
    lines = heading("The rule itself")
    for label, expression in document["conditions"]:
        lines += paragraph(f"{label} when {expression}", indent=2, hang=4)
    limits = [(name, ", ".join(numbers)) for name, numbers in document["limits"]]
    if limits:
        lines += paragraph("Limits:", indent=2)
        lines += columns(limits, indent=4)
    return lines


def _examples(examples: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Each example with its facts, and with what the gate says about them."""
    lines = heading("Examples") if examples else []
    for example in examples:
        verdict = example["verdict"].replace("_", " ")
        lines += paragraph(f"- {example['name']}: {verdict}", indent=2, hang=2)
        facts = "; ".join(f"{name}: {value}" for name, value in example["facts"])
        lines += paragraph(facts or "nothing is known", indent=4, hang=2, style="dim")
        if example["sentence"]:
            lines += paragraph(f'"{example["sentence"]}"', indent=4, hang=2)
    return lines


def _listed(title: str, items: Sequence[str]) -> list[Line]:
    if not items:
        return []
    lines = heading(title)
    for item in items:
        lines += paragraph(f"- {item}", indent=2, hang=2)
    return lines


def _details(document: Mapping[str, Any]) -> list[Line]:
    rows = [
        ("owner", words.role(document["owner"]) if document["owner"] else ""),
        ("may waive it", ", ".join(words.role(name) for name in document["waivable_by"])),
        ("holds for", "; ".join(_holds(kind, how) for kind, how in document["asked_of"])),
        ("in force since", document["since"]),
        ("until", document["until"]),
    ]
    kept = [(label, text) for label, text in rows if text]
    return heading("Details") + columns(kept) if kept else []


def _holds(kind: str, how: str) -> str:
    return kind if how == "always" else f"{kind} ({how})"


def _reference(ref: Mapping[str, Any]) -> str:
    until = f" to {ref['valid_to']}" if ref["valid_to"] else ""
    status = {"in-force": "", "planned": ", not in force yet", "ended": ", ended"}[ref["status"]]
    checked = (
        f"read on {ref['verified_on']}"
        if ref["verified"]
        else "not yet checked against the source by a person"
    )
    holds = f"{ref['jurisdiction']}, from {ref['valid_from']}{until}{status}"
    return f"- Evidence for {ref['clause']} ({holds}): {ref['about']}. {ref['source']}; {checked}."


def fact_lines(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """Name and type of each fact, and below it what the fact says."""
    lines: list[Line] = []
    for row in rows:
        values = f": {', '.join(row['values'])}" if row["values"] else ""
        unit = f", {row['unit']}" if row["unit"] else ""
        lines += paragraph(f"{row['name']}  ({row['type']}{values}{unit})", hang=4)
        lines += paragraph(
            f"{row['says']}{_riskier(row)}; from {row['source']}", indent=4, style="dim"
        )
    return lines


def _riskier(row: Mapping[str, Any]) -> str:
    """Which way is the risky one. Values of an enum run from the safest to the riskiest."""
    up = row["risk_direction"] == "up"
    if row["risk_direction"] == "none":
        return ""
    if row["values"]:
        return f"; riskiest is {row['values'][-1 if up else 0]}"
    yes, no = ("yes", "no") if row["type"] == "bool" else ("more", "less")
    return f"; riskier when {yes if up else no}"
