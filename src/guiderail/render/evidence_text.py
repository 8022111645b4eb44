"""Evidence and signers for a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from guiderail.core.digest import short
from guiderail.render.lines import Line, heading, paragraph

LONGEST_TYPE = 72
"""Characters of a predicate type that are shown; JSON has all of it."""

_TRUST = {
    "evidence": "documents it signs are verified",
    "runner": "facts it measured are verified",
    "system-of-record": "facts it states are attested",
}


def evidence_lines(document: Mapping[str, Any]) -> list[Line]:
    """What `guiderail case evidence` prints."""
    rows = document["evidence"]
    if not rows:
        return paragraph("Nothing is kept as evidence here.")
    return evidence_rows(rows)


def evidence_rows(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """For each document: what it is, how it is known, its digest, and its type below."""
    lines: list[Line] = []
    for row in rows:
        what = f"{row['name']}: {row['known_by']}, {_vouched(row)} ({short(row['digest'])})"
        lines += paragraph(what, indent=2, hang=2)
        type_ = row["predicate_type"]
        shown = type_ if len(type_) <= LONGEST_TYPE else f"{type_[: LONGEST_TYPE - 3]}..."
        lines += paragraph(shown, indent=6, style="dim")
    return lines


def _vouched(row: Mapping[str, Any]) -> str:
    if row["signer"]:
        return f"by {row['signer']}"
    return "by Guiderail" if row["known_by"] == "attested" else "as handed in"


def attached_lines(document: Mapping[str, Any]) -> list[Line]:
    """What `guiderail attach` prints."""
    lines: list[Line] = []
    for row in document["added"]:
        lines += paragraph(
            f"{row['file']}: {row['kind']}, {row['says']}; {row['signature']}, so it is "
            f"{row['known_by']}.",
            hang=2,
        )
        if row["facts"]:
            lines += paragraph(f"Vouched for: {', '.join(row['facts'])}.", indent=2, style="dim")
    what = f"{document['case']} is {document['state']} on the track {document['track']}."
    return lines + paragraph(what)


def signer_lines(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """What the commands of `guiderail signer` print."""
    if not rows:
        return paragraph(
            "Nobody is registered: every signature counts as signed by somebody unknown. "
            "`guiderail signer add NAME KEY` registers a key."
        )
    lines = heading("Signers")
    for row in rows:
        lines += paragraph(f"{row['name']}: {_TRUST[row['trust']]}; {_standing(row)}", indent=2)
        lines += paragraph(_who(row), indent=4, hang=2, style="dim")
    return lines


def _standing(row: Mapping[str, Any]) -> str:
    if row["removed_at"]:
        return f"removed on {row['removed_at'][:10]}"
    if row["until"]:
        return f"{'counts until' if row['counts'] else 'ended on'} {row['until'][:10]}"
    return "counts"


def _who(row: Mapping[str, Any]) -> str:
    if row["key_id"]:
        return f"key {row['key_id']}"
    claims = ", ".join(f"{name}={value}" for name, value in row["claims"].items())
    return f"tokens of {row['issuer']} for {row['audience']} with {claims}"
