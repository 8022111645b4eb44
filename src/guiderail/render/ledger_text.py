"""The ledger for a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guiderail.render.lines import Line, Style, paragraph
from guiderail.render.witness_text import standing_lines


def log_lines(document: Mapping[str, Any]) -> list[Line]:
    """One paragraph per event, oldest first."""
    if not document["entries"]:
        return paragraph("The ledger is empty: nothing has happened yet.")
    lines: list[Line] = []
    for entry in document["entries"]:
        lead = f"{entry['seq']:>5}  {entry['at'][:19]:<19}  "
        lines += paragraph(lead + entry["sentence"], hang=len(lead))
    return lines


def verify_lines(document: Mapping[str, Any]) -> list[Line]:
    """What was recomputed, what did not hold, and what it proves."""
    size = document["size"]
    if document["problems"]:
        lines = [Line(f"The ledger does not verify: {len(document['problems'])} problems.", "red")]
        for problem in document["problems"]:
            lines += paragraph(f"- {problem}", indent=2, hang=2)
        return [*lines, *_gone_lines(document)]
    there = size - document["removed"]
    lines = [Line(f"The ledger verifies: {there} entries recomputed from their bytes.", "green")]
    lines += _gone_lines(document)
    lines += paragraph(f"Root {document['root']}", indent=2, style="dim")
    for notice in document["notices"]:
        lines += paragraph(notice, indent=2, style="yellow")
    if document["held"]:
        lines += paragraph("It continues what you hold.", indent=2)
    lines += timestamp_lines(document["timestamps"][-1:])
    if document["outside"] is not None:
        lines += standing_lines(document["outside"])
    return lines


def checkpoint_lines(document: Mapping[str, Any]) -> list[Line]:
    """What stands below a checkpoint that was printed: its fingerprint, and the warnings."""
    return [
        Line(f"Fingerprint, for paper: {document['fingerprint']}"),
        *standing_lines(document),
    ]


def timestamp_lines(stamps: Iterable[Mapping[str, Any]]) -> list[Line]:
    """What time stamps are worth."""
    lines: list[Line] = []
    for stamp in stamps:
        lines += paragraph(stamp["sentence"], style=_STAMP[stamp["state"]])
        if stamp["state"] == "not-checked":
            lines += paragraph(
                "Pin the root certificates of the authority with `guiderail ledger timestamp "
                "--roots FILE`.",
                indent=2,
            )
    return lines


_STAMP: Mapping[str, Style] = {"good": "plain", "not-checked": "yellow", "bad": "red"}


def _gone_lines(document: Mapping[str, Any]) -> list[Line]:
    """What could not be recomputed, because it is gone and a later entry says so."""
    lines: list[Line] = []
    if document["removed"]:
        lines += paragraph(
            f"{document['removed']} of {document['size']} entries were removed when their time was "
            "over; of them only the hash in the tree was checked.",
            indent=2,
        )
    if document["erased"]:
        lines += paragraph(
            f"{document['erased']} entries have lost what somebody wrote, because that person was "
            "erased; the words were not checked.",
            indent=2,
        )
    return lines


def export_lines(document: Mapping[str, Any]) -> list[Line]:
    """What was written, and how it is checked."""
    cases, scope = len(document["cases"]), document["scope"]
    lines = [Line(f"The audit pack is in {document['directory']}.", "green")]
    if document["problems"]:
        lines = [Line(f"The audit pack in {document['directory']} does not verify:", "red")]
        for problem in document["problems"]:
            lines += paragraph(f"- {problem}", indent=2, hang=2)
    lines += paragraph(
        f"{cases} of {scope} cases in the scope, {document['size']} entries of the ledger, "
        f"{document['files']} files. It holds names and free text.",
        indent=2,
    )
    lines += paragraph(
        f"Check it with guiderail-verify {document['directory']} --key VERIFIER_KEY; index.html in "
        "it is for reading.",
        indent=2,
    )
    return lines + standing_lines(document["outside"])
