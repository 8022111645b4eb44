"""Witnesses for a terminal: those of a ledger, and one that is run here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import BLANK, Line, Style, paragraph

_STYLE: Mapping[str, Style] = {"cosigned": "green", "contradicts": "red"}


def standing_lines(document: Mapping[str, Any]) -> list[Line]:
    """What the witnesses confirmed, who of them did not, and what nobody could notice."""
    lines = _confirmed(document)
    for one in document["witnesses"]:
        answer = one["answer"]
        if answer is not None and answer["outcome"] not in ("cosigned", "contradicts"):
            lines += paragraph(
                f"Not cosigned: {answer['sentence']} ({_minute(answer['at'])})",
                style="yellow",
            )
    return lines + _outlook(document)


def _confirmed(document: Mapping[str, Any]) -> list[Line]:
    seen = document["witnessed"]
    if seen is None:
        return []
    return paragraph(
        f"Cosigned by {document['required']}: the first {seen['size']} of "
        f"{document['entries']} entries, {_minute(seen['at'])}."
    )


def _outlook(document: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = []
    for sentence in document["contradictions"]:
        lines += paragraph(f"CONTRADICTION: {sentence}", style="red")
    for sentence in document["warnings"]:
        lines += paragraph(f"WARNING: {sentence}", style="red")
    return lines


def witnesses_lines(document: Mapping[str, Any]) -> list[Line]:
    """The witnesses of a ledger one by one, then how it stands."""
    lines: list[Line] = []
    for one in document["witnesses"]:
        lines.append(Line(f"{one['name']} at {one['url']}", "bold"))
        answer = one["answer"]
        if answer is None:
            lines += paragraph("It was not asked yet.", indent=2, style="yellow")
            continue
        said = f"{_minute(answer['at'])}: {answer['sentence']}"
        lines += paragraph(said, indent=2, style=_STYLE.get(answer["outcome"], "yellow"))
    if document["witnesses"]:
        lines += [BLANK, *_rule(document)]
    lines += [*_confirmed(document), *_outlook(document)]
    # One line each, so that it can be copied.
    return [*lines, BLANK, *(Line(f"Key of this log: {key}") for key in document["log_keys"])]


def witness_lines(document: Mapping[str, Any]) -> list[Line]:
    """A witness that is run here: its key, its logs, what it refused."""
    lines = [
        Line(f"The witness {document['name']} in {document['folder']}", "bold"),
        Line(f"Key of this witness: {document['key']}"),
    ]
    if not document["logs"]:
        lines += paragraph(
            "It follows no ledger yet. Ask those who run one for the key of its log, then "
            "`guiderail witness follow KEY`; they need the key of this witness."
        )
    for log in document["logs"]:
        lines += [BLANK, Line(log["origin"], "bold")]
        if log["checkpoint"] is None:
            lines += paragraph("Nothing is cosigned yet.", indent=2)
        else:
            lines += paragraph(f"The newest checkpoint that it knows, over {log['size']} entries:",
                               indent=2)  # fmt: skip
            lines += [Line("    " + line) for line in log["checkpoint"].rstrip("\n").split("\n")]
        lines += _refused(log)
    return lines


def _refused(log: Mapping[str, Any]) -> list[Line]:
    lines: list[Line] = []
    if log["contradictions"]:
        lines += paragraph(
            "CONTRADICTION: this log signed another history than the one above. Keep these files: "
            "they prove it.",
            indent=2,
            style="red",
        )
        lines += [Line(f"    {path}") for path in log["contradictions"]]
    if log["unproven"]:
        lines += paragraph(
            f"{len(log['unproven'])} checkpoints came without a good proof that they continue the "
            "one above, and were not cosigned: history was rewritten, or somebody sent a wrong "
            "proof.",
            indent=2,
            style="yellow",
        )
        lines += [Line(f"    {path}") for path in log["unproven"]]
    return lines


def _rule(document: Mapping[str, Any]) -> list[Line]:
    count, quorum = len(document["witnesses"]), document["quorum"]
    lines = paragraph(
        f"Required: cosignatures of {document['required']} within {document['within_hours']} hours."
    )
    if count > 1 and quorum <= count // 2:
        lines += paragraph(
            "That is not more than half of them: two groups of witnesses could each be shown "
            "another history.",
            style="yellow",
        )
    return lines


def _minute(at: str) -> str:
    return f"{at[:10]} {at[11:16]} UTC"
