"""Erasure, retention and legal holds for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, paragraph

_NAMES = {
    "answer": "answers",
    "case_record": "cases submitted",
    "confirmed_profile": "confirmed uses",
    "data_approval": "approvals of data",
    "erasure_request": "requests to erase",
    "legal_hold": "legal holds",
    "outbox": "notifications",
    "policy_change": "policy changes",
    "policy_vote": "decisions about policies",
    "review": "reviews",
    "signer": "registered signers",
}


def plan_lines(document: Mapping[str, Any]) -> list[Line]:
    """What would go, what stays, what stands against it."""
    person = document["person"]
    if document["against"]:
        lines = [Line(f"{person} cannot be erased yet.", "red")]
        for reason in document["against"]:
            lines += paragraph(f"- {reason}", indent=2, hang=2)
    else:
        lines = [Line(f"{person} can be erased.", "green")]
    lines += [Line(""), *_what_goes(document)]
    asked = document["asked_by"]
    lines += paragraph(
        f"{asked} asked for it; a second person carries it out."
        if asked
        else "Nobody has asked for it yet. Nothing was changed."
    )
    return lines


def erase_lines(document: Mapping[str, Any]) -> list[Line]:
    """Asked for, or done."""
    person = document["person"]
    if not document["done"]:
        lines = [Line(f"It is asked for that {person} is erased. Nothing is erased yet.", "yellow")]
        lines += _what_goes(document)
        lines += paragraph(
            f"Next: a second data steward or somebody in compliance runs guiderail people erase "
            f"{person} --reason TEXT."
        )
        return lines
    lines = [Line(f"{person} is erased. The ledger says so, and names nobody.", "green")]
    lines += _what_goes(document)
    lines += paragraph(
        "Backups that are older still hold it until they expire. When one is restored, the erasure "
        "is repeated."
    )
    return lines


def _what_goes(document: Mapping[str, Any]) -> list[Line]:
    rows = [f"{count} {_NAMES.get(name, name)}" for name, count in document["rows"].items()]
    if document["dossiers"]:
        rows.append(f"{document['dossiers']} dossiers")
    lines = paragraph(f"What they wrote: in {document['words']} entries of the ledger.", indent=2)
    lines += paragraph(
        f"Their name becomes {document['pseudonym'] or 'a pseudonym'} in: "
        f"{', '.join(rows) or 'no records'}.",
        indent=2,
    )
    if document["listed"]:
        lines += paragraph("Their entry in people.yaml.", indent=2)
    for what in document["stays"]:
        lines += paragraph(f"Stays: {what}.", indent=2, hang=2)
    return lines


def prune_lines(document: Mapping[str, Any]) -> list[Line]:
    """What was or would be removed."""
    word = "Removed" if document["done"] else "Would be removed"
    lines = [
        Line(
            f"{word}: {document['entries']} entries, {len(document['cases'])} cases, "
            f"{document['notifications']} notifications.",
            "bold",
        )
    ]
    for name, count in document["classes"].items():
        lines += paragraph(f"{name}: {count} entries", indent=2)
    if document["held"]:
        lines += paragraph(f"A legal hold keeps: {', '.join(document['held'])}.", indent=2)
    lines += paragraph(
        f"Periods of {document['retention']}, last looked at on {document['verified_on']}. They "
        "are yours to set; Guiderail does not say that they fulfil a law.",
        indent=2,
        style="dim",
    )
    return lines


def hold_lines(document: Mapping[str, Any]) -> list[Line]:
    return paragraph(
        f"{document['hold']} holds {document['covers']}: nothing about it is erased or removed."
    )


def holds_lines(document: Mapping[str, Any]) -> list[Line]:
    if not document["holds"]:
        return paragraph("No legal hold is in force.")
    return [Line(f"{one['hold']}  {one['covers']}") for one in document["holds"]]


def released_lines(document: Mapping[str, Any]) -> list[Line]:
    return paragraph(f"{document['hold']} on {document['covers']} is released.")


def new_key_lines(document: Mapping[str, Any]) -> list[Line]:
    lines = [Line(f"A new master key is in {document['written']}.", "yellow")]
    lines += paragraph(
        f"What was written in {document['lost']} entries under the old one is lost, unless the old "
        "file is found again. Everything else in the ledger verifies as before. Keep a copy of the "
        "new file where the backups of the database are not.",
        indent=2,
    )
    return lines
