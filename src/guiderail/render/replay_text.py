"""Replays of past decisions for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from guiderail.core.digest import short
from guiderail.render.lines import BLANK, Line, Style, columns, heading, paragraph
from guiderail.render.words import number

_SHOWN: Final = 20


def replay_lines(document: Mapping[str, Any]) -> list[Line]:
    """How many decisions change and how, what it costs, incidents, and the first cases."""
    pack, since = document["pack"], document["since"]
    lines = paragraph(
        f"{_count(document['n'], 'past decision')}{f' since {since}' if since else ''} under "
        f"{pack['pack']} {pack['version']} ({short(pack['digest'])}): "
        f"{document['changed']} would be different."
    )
    if document["by_transition"]:
        rows = [
            (name.replace("->", " -> "), str(n)) for name, n in document["by_transition"].items()
        ]
        lines += [BLANK, *columns(rows)]
    lines += [BLANK, *_beside(document), *_hours(document), *_incidents(document)]
    lines += _cases(document["cases"])
    return lines + _not_replayable(document["not_replayable_cases"])


def deviation_lines(n: int, rows: Sequence[Mapping[str, str]]) -> list[Line]:
    """Recorded decisions that their own pack does not give."""
    if not rows:
        return paragraph(
            f"{_count(n, 'recorded decision')} decided again under the pack of the day: all are "
            "what their facts give.",
            style="green",
        )
    lines = paragraph(
        f"{len(rows)} of {_count(n, 'recorded decision')} are not what their facts give under the "
        "pack of their day. Somebody changed the store, or this version decides otherwise; run "
        "`guiderail ledger verify`.",
        style="red",
    )
    for row in rows:
        lines += paragraph(f"{row['case']} ({short(row['dossier'])}): {row['sentence']}", indent=2,
                           hang=2)  # fmt: skip
    return lines


def _beside(document: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = []
    if document["other_tier"]:
        lines += paragraph(f"{document['other_tier']} keep their track and get another tier.")
    if document["other_reviewers"]:
        lines += paragraph(
            f"{document['other_reviewers']} keep their track and get other reviewers."
        )
    if document["other_kinds"]:
        lines += paragraph(
            f"{document['other_kinds']} are about kinds of workload that the pack does not decide "
            "about; they are not counted."
        )
    if document["deviating"]:
        lines += paragraph(
            f"{len(document['deviating'])} are recorded otherwise than the pack of their day says; "
            "run `guiderail policy replay --as-decided`.",
            style="red",
        )
    return lines


def _hours(document: Mapping[str, Any]) -> list[Line]:
    hours, delta = document["reviewer_hours"], document["reviewer_hours_delta"]
    if not hours["per_reviewer"]:
        return paragraph("The pack names no review_hours, so the time of reviewers is not counted.")
    assumed = ", ".join(f"{track} {number(each)}" for track, each in hours["per_reviewer"].items())
    sign = "+" if delta > 0 else ""
    return paragraph(
        f"Time of reviewers: {sign}{number(delta)} hours ({number(hours['before'])} before, "
        f"{number(hours['after'])} after). This assumes hours of work per reviewer as the pack's "
        f"review_hours say ({assumed}), every needed role once, and none for what is blocked."
    )


def _incidents(document: Mapping[str, Any]) -> list[Line]:
    incidents = document["incidents"]
    if not incidents["n"]:
        return paragraph("No replayed release had an incident.", style="dim")
    return paragraph(
        f"{_count(incidents['n'], 'release')} had an incident: {len(incidents['heavier'])} of them "
        f"would have been looked at harder or blocked, {len(incidents['lighter'])} less."
    )


def _cases(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    if not rows:
        return []
    lines = heading("Different")
    for row in rows[:_SHOWN]:
        style: Style = "plain" if row["heavier"] else "yellow"
        lines += paragraph(
            f"{row['case']} {row['workload']} {row['version']}: {row['from']} -> {row['to']} "
            f"because {_lowered(row['because'])}",
            indent=2,
            hang=2,
            style=style,
        )
        if row["incident"]:
            lines += paragraph(f"Incident: {row['incident']}.", indent=6)
    if len(rows) > _SHOWN:
        lines += paragraph(f"and {len(rows) - _SHOWN} more: --format json lists all.", indent=2)
    return lines


def _not_replayable(rows: Sequence[Mapping[str, str]]) -> list[Line]:
    if not rows:
        return []
    lines = heading(f"Not replayable ({len(rows)})")
    for row in rows[:_SHOWN]:
        lines += paragraph(f"{row['case']}: {row['reason']}", indent=2, hang=2)
    if len(rows) > _SHOWN:
        lines += paragraph(f"and {len(rows) - _SHOWN} more.", indent=2)
    return lines


def _lowered(sentence: str) -> str:
    """A sentence as the second half of one: `Nothing` becomes `nothing`, `AUC` stays."""
    plain = sentence.rstrip(".")
    if plain[1:2].islower():
        plain = plain[:1].lower() + plain[1:]
    return f"{plain}."


def _count(n: int, thing: str) -> str:
    return f"{n:,} {thing}" if n == 1 else f"{n:,} {thing}s"
