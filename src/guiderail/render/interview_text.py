"""The interview of a case for a terminal: what people said, what is open, and what changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from guiderail.render import words
from guiderail.render.lines import Line, heading, paragraph

_ASKED_IN: Final = ("needs-answers", "in-review")
"""States of a case in which questions may still be answered."""


def interview_lines(interview: Mapping[str, Any], state: str) -> list[Line]:
    """For reviewers: answers of people and what the manifest tells, with source and age."""
    told = [row for row in interview["known"] if row["answered"] or not row["decides"]]
    lines = heading("What people said") if told else []
    for row in told:
        lines += paragraph(f"{row['number']:>2}  {row['question']}", indent=2, hang=4)
        lines += paragraph(f"{row['words']} ({origin(row)})", indent=6)
    lines += changed_lines(interview["changed"])
    if state in _ASKED_IN:
        lines += _open(interview["open"])
    return lines


def changed_lines(changed: Iterable[Mapping[str, Any]]) -> list[Line]:
    """What the interview shows and never asks."""
    rows = list(changed)
    if not rows:
        return []
    lines = heading("What changed, as it was measured")
    for row in rows:
        lines += paragraph(f"{row['says']}: {row['words']}", indent=2, hang=2)
    return lines


def origin(row: Mapping[str, Any]) -> str:
    """Source and age of what is known."""
    days = row["days"]
    age = "today" if days == 0 else "a day ago" if days == 1 else f"{days} days ago"
    return f"{row['source']}, {age}"


def _open(rows: Iterable[Mapping[str, Any]]) -> list[Line]:
    rows = list(rows)
    needed = [row for row in rows if row["decides"]]
    lines = heading("Not known yet") if rows else []
    for row in needed:
        lines += paragraph(
            f"{row['question']} {words.role(row['ask'])} can know.", indent=2, hang=2
        )
    more = len(rows) - len(needed)
    if more:
        lines += paragraph(
            f"{more} {'question' if more == 1 else 'questions'} more would tell reviewers about "
            "the release; none of them decides.",
            indent=2,
        )
    return lines
