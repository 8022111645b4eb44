"""Mappings to law and frameworks that are out of date, or say so wrongly: part of `policy check`.

A mapping is written once, in the file of its control. It says from when to when the clause holds;
`status` repeats that for readers, and must agree with the day on which the pack is checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from guiderail.policy.pack_files import Reference
from guiderail.policy.pack_reader import Source
from guiderail.policy.problem import Problem


def mapping_problems(
    source: Source,
    references: Sequence[Reference],
    where: tuple[str, ...],
    reverify_after_days: int,
    today: date,
) -> Iterator[Problem]:
    """One problem for each mapping that is not up to date on that day.

    where: the path of the list in the file. A mapping that says itself that it ended stays as
    history and is not looked up again.
    """
    oldest = (today - timedelta(days=reverify_after_days)).isoformat()
    for index, reference in enumerate(references):
        for key, message, hint in _wrong(reference, oldest, today.isoformat()):
            path: tuple[str | int, ...] = (*where, index, *([key] if key else []))
            yield Problem(source.document.value_place(path), message, hint)


def _wrong(one: Reference, oldest: str, today: str) -> Iterator[tuple[str, str, str]]:
    """Key, what is wrong, what to do."""
    if one.verified and one.verified_on is None:
        yield (
            "",
            f"{one.clause} says verified but not when.",
            ("Write verified_on, or verified: false."),
        )
    if one.verified_on is not None and not one.verified:
        yield (
            "verified",
            f"{one.clause} says when it was verified but not that it was.",
            ("Write verified: true, or remove verified_on."),
        )
    if one.verified_on is not None and one.verified_on > today:
        yield (
            "verified_on",
            f"{one.clause} was verified on {one.verified_on}, which is to come.",
            ("Write the day on which a person read the source."),
        )
    if one.valid_to is not None and one.valid_to < one.valid_from:
        yield "valid_to", f"{one.clause} ends before it begins.", "Correct one of the days."
        return
    status = _status(one, today)
    if status != one.status:
        yield "status", *_other_status(one, status)
    elif status != "ended" and one.verified_on is not None and one.verified_on < oldest:
        yield (
            "verified_on",
            f"{one.clause} was last looked up on {one.verified_on}.",
            ("Read the source again, then write the new date."),
        )


def _status(one: Reference, today: str) -> str:
    """The last day counts as in force."""
    if one.valid_to is not None and one.valid_to < today:
        return "ended"
    return "planned" if one.valid_from > today else "in-force"


def _other_status(one: Reference, status: str) -> tuple[str, str]:
    match status:
        case "ended":
            return (
                f"{one.clause} ended on {one.valid_to}.",
                "Write status: ended, and add what holds now in its place.",
            )
        case "planned":
            return (
                f"{one.clause} holds from {one.valid_from}, which is to come.",
                "Write status: planned.",
            )
    return (
        f"{one.clause} holds since {one.valid_from}.",
        "Read the source again, then write status: in-force.",
    )
