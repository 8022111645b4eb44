"""Measured runs of a pipeline and what a month of them costs, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]


def recorded_lines(document: Document) -> list[Line]:
    """The document of `guiderail measure run`."""
    lines: list[Line] = []
    for place, run in enumerate(document["runs"], 1):
        ratio = run["cpu_seconds"] / run["kernel_seconds"]
        lines += paragraph(
            f"run {place}: {number(run['cpu_seconds'])} s of processor time "
            f"({number(ratio)} runs of the calibration kernel), "
            f"{number(run['peak_bytes'] / 1e6)} MB of memory",
            indent=2,
        )
    return lines + paragraph(f"written down in {document['record']}", style="bold")


def priced_lines(document: Document) -> list[Line]:
    """The document of `guiderail measure runs`."""
    monthly = document["monthly"]
    if "unknown" in monthly:
        lines = paragraph(f"The cost of a month is not known: {monthly['unknown']}.", style="bold")
    else:
        lines = paragraph(
            f"{monthly['low']:,.2f} to {monthly['high']:,.2f} {document['currency']} a month, "
            f"{monthly['expected']:,.2f} expected",
            style="bold",
        )
        planned, each = document["runs_per_month"], document["one_run"]
        lines += paragraph(
            f"{number(planned['low'])} to {number(planned['high'])} runs a month, "
            f"{number(each['low'])} to {number(each['high'])} {document['currency']} for one; "
            f"{document['runs']} were measured",
            indent=2,
            hang=2,
        )
        for said in document["assumptions"]:
            lines += paragraph(f"- {said}", indent=2, hang=2)
    return lines + _change(document.get("change"))


def _change(change: Document | None) -> list[Line]:
    if change is None:
        return []
    if "unknown" in change:
        return paragraph(f"change of a month: not measurable, {change['unknown']}", indent=2)
    return paragraph(
        f"change of a month: {change['value']:+.1f} % ({change['low']:+.1f} to "
        f"{change['high']:+.1f})",
        indent=2,
    )
