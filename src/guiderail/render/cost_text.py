"""The figures of `guiderail measure cost` in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.isolation_text import isolation_lines
from guiderail.render.lines import Line, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]

_VERDICTS = {
    "rise": "more than {limit} %: a rise",
    "no rise": "not more than {limit} %",
    "insufficient": "on both sides of {limit} %: not settled",
}


def cost_lines(document: Document) -> list[Line]:
    if "unknown" in document:
        lines = paragraph(f"Not measurable: {document['unknown']}.")
        return lines + (isolation_lines(document["isolation"]) if "isolation" in document else [])
    lines = _monthly(document)
    kernel = document["kernel"]
    lines += paragraph(
        f"1,000 predictions take {_range(document['cpu_ratio'])} runs of the calibration kernel in "
        f"one batch, {_range(document['single_row']['cpu_ratio'])} row by row",
        indent=2,
        hang=2,
    )
    lines += _change(document.get("change"))
    memory = document["memory"]
    lines += paragraph(
        f"at most {number(memory['peak_mb'])} MB of memory, {number(memory['before_mb'])} MB of it "
        "before the model was loaded",
        indent=2,
    )
    lines += paragraph(
        f"median of {document['rounds']} rounds on {document['rows']} rows; kernel "
        f"{kernel['version']} took {number(kernel['ms'])} ms here",
        indent=2,
        style="dim",
    )
    return lines + isolation_lines(document["isolation"])


def _monthly(document: Document) -> list[Line]:
    monthly = document.get("monthly")
    if monthly is None:
        return paragraph("No serving plan was named, so there is no cost of a month.", style="bold")
    if "unknown" in monthly:
        return paragraph(f"The cost of a month is not known: {monthly['unknown']}.", style="bold")
    lines = paragraph(
        f"{monthly['low']:,.2f} to {monthly['high']:,.2f} {monthly['currency']} a month, "
        f"{monthly['expected']:,.2f} expected",
        style="bold",
    )
    replicas, each = document["replicas"], document["cpu_ms_per_request"]
    lines += paragraph(
        f"{_ends(replicas)} replicas, {_ends(each)} ms of processor time for a request", indent=2
    )
    for said in document["assumptions"]:
        lines += paragraph(f"- {said}", indent=2, hang=2)
    return lines


def _change(change: Document | None) -> list[Line]:
    if change is None:
        return []
    lines = []
    for key, words in (("batch", "in one batch"), ("single_row", "row by row")):
        part = change[key]
        if "unknown" in part:
            lines += paragraph(f"change {words}: not measurable, {part['unknown']}", indent=2)
            continue
        verdict = part.get("verdict")
        told = f" ({_VERDICTS[verdict].format(limit=number(change['limit']))})" if verdict else ""
        lines += paragraph(
            f"change {words}: {part['value']:+.1f} % ({part['low']:+.1f} to {part['high']:+.1f})"
            f"{told}",
            indent=2,
        )
    return lines


def _range(item: Document) -> str:
    return f"{number(item['value'])} ({number(item['low'])} to {number(item['high'])})"


def _ends(item: Document) -> str:
    low, high = number(item["low"]), number(item["high"])
    return low if low == high else f"{low} to {high}"
