"""The policy in force and its changes for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.core.digest import short
from guiderail.render import words
from guiderail.render.diff_text import diff_lines
from guiderail.render.lines import BLANK, Line, Style, heading, paragraph
from guiderail.render.replay_text import replay_lines

_STATE: Mapping[str, tuple[str, Style]] = {
    "proposed": ("waits for its owners", "yellow"),
    "activated": ("approved", "green"),
    "rejected": ("rejected", "red"),
    "withdrawn": ("withdrawn", "dim"),
}


def status_lines(document: Mapping[str, Any]) -> list[Line]:
    """What is in force, what comes, what is proposed, and the history."""
    lines = [Line("The policy in force", "bold")]
    for row in document["in_force"]:
        parts = row["parts"]
        rules = parts["tiers"] + parts["tracks"]
        lines += paragraph(
            f"{row['kind']}: {_pack(row)}, since {_moment(row['effective_at'])}; {rules} rules, "
            f"{parts['gates']} gates, {parts['questions']} questions.",
            indent=2, hang=2,
        )  # fmt: skip
        lines += paragraph(row["digest"], indent=4, style="dim")
    if not document["in_force"]:
        lines += paragraph(
            "Nothing was put into force here yet: the packs that ship with Guiderail decide.",
            indent=2,
        )
    lines += _refused(document["refused"])
    if document["scheduled"]:
        lines += heading("Approved, begins later")
        for row in document["scheduled"]:
            lines += paragraph(
                f"{row['kind']}: {_pack(row)} from {_moment(row['effective_at'])} "
                f"({row['change']}).",
                indent=2, hang=2,
            )  # fmt: skip
    open_changes = [row for row in document["changes"] if row["state"] == "proposed"]
    lines += heading("Proposed")
    if not open_changes:
        lines += paragraph("No change is proposed.", indent=2)
    for row in open_changes:
        lines += _short(row)
    closed = [row for row in document["changes"] if row["state"] != "proposed"]
    if closed:
        lines += heading("Earlier changes")
        for row in closed:
            said, style = _STATE[row["state"]]
            lines += paragraph(f"{row['change']}  {_pack(row)}  {said}", indent=2, style=style)
    if document["earlier"]:
        lines += heading("In force before")
        for row in document["earlier"]:
            lines += paragraph(
                f"{row['kind']}: {_pack(row)} from {_moment(row['effective_at'])}", indent=2
            )
            lines += paragraph(row["digest"], indent=4, style="dim")
        lines += paragraph(
            "To go back: guiderail policy propose DIGEST. It is reviewed like any other change.",
            indent=2,
        )
    return lines


def change_lines(document: Mapping[str, Any]) -> list[Line]:
    """One change: who asks for what and why, what it does, and who is waited for."""
    said, style = _STATE[document["state"]]
    lines = [Line(f"{document['change']}: {_pack(document)} {said}.", style)]
    lines += paragraph(f"{document['author']} proposes it: {document['reason']}", indent=2, hang=2)
    lines += paragraph(
        f"For {words_of(document['kinds'])}, from {document['effective_on']} on. "
        f"{document['digest']}",
        indent=2, hang=2, style="dim",
    )  # fmt: skip
    for kind, digest in document["replaces"].items():
        lines += paragraph(f"takes the place of {digest} for {kind}", indent=2, style="dim")
    lines += heading("Whose approval it needs")
    for row in document["needs"]:
        because = words_of(row["because"][:6]) + (", ..." if len(row["because"]) > 6 else "")
        because = because or "the pack as a whole"
        by = f"approved by {row['approved_by']}" if row["approved_by"] else _could(document, row)
        lines += paragraph(f"{words.role(row['role'])} ({by}): {because}", indent=2, hang=4)
    for row in document["decisions"]:
        if row["reason"]:
            lines += paragraph(
                f"{row['person']} ({words.role(row['role'])}) {row['verdict']}: {row['reason']}",
                indent=2, hang=4,
            )  # fmt: skip
    evidence = document.get("evidence")
    return lines + (_evidence(evidence) if evidence else [])


def words_of(items: list[str]) -> str:
    """`a, b and c`."""
    return ", ".join(items[:-1]) + (" and " if len(items) > 1 else "") + items[-1] if items else ""


def _evidence(evidence: Mapping[str, Any]) -> list[Line]:
    """Proofs, differences, past decisions and cases under way, as its owners read them."""
    lines = _proofs(evidence["proofs"])
    for kind, difference in evidence["changes"].items():
        lines += heading(f"What changes for {kind}")
        lines += diff_lines(difference)
    lines += heading("Past decisions")
    lines += replay_lines(evidence["replay"])
    if evidence["open_cases"]:
        lines += heading("Cases under way")
        lines += paragraph(
            f"{words_of(evidence['open_cases'])} have no traffic yet. Once this is in force they "
            "are submitted again and decided under it.",
            indent=2,
        )
    return lines


def _proofs(proofs: Mapping[str, Any]) -> list[Line]:
    rows = proofs["properties"]
    lines = heading("Proofs")
    proved = sum(row["result"] == "proved" for row in rows)
    lines += paragraph(
        f"{proved} of {len(rows)} properties proved, by {proofs['method']}.", indent=2
    )
    for row in rows:
        if row["result"] != "proved":
            lines += paragraph(f"{row['name']} ({row['result']}): {row['title']}", indent=2, hang=4)
        for one in row["exceptions"]:
            lines += paragraph(
                f"{row['name']} excepts {one['about']}. {one['reason']}", indent=2, hang=4
            )
    return lines


def _could(document: Mapping[str, Any], row: Mapping[str, Any]) -> str:
    if document["state"] != "proposed":
        return "did not decide"
    people: list[str] = next(
        (one["people"] for one in document["waiting_for"] if one["role"] == row["role"]), []
    )
    return f"waits for {' or '.join(people)}" if people else "nobody may decide in this role today"


def _short(row: Mapping[str, Any]) -> list[Line]:
    waiting = words_of([words.role(one["role"]) for one in row["waiting_for"]])
    return paragraph(
        f"{row['change']}  {_pack(row)}, from {row['effective_on']} on; waits for {waiting}. "
        f"{row['reason']}",
        indent=2, hang=2, style="yellow",
    )  # fmt: skip


def _refused(refused: list[str]) -> list[Line]:
    if not refused:
        return []
    lines = [BLANK, Line("Refused: nobody in this workspace signed it", "red")]
    for sentence in refused:
        lines += paragraph(f"- {sentence}", indent=2, hang=2)
    return lines


def _pack(row: Mapping[str, Any]) -> str:
    return f"{row['pack']} {row['version']} ({short(row['digest'])})"


def _moment(text: str) -> str:
    return f"{text[:10]} {text[11:16]} UTC"
