"""Figures about explanations and stand-ins for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from guiderail.render.lines import Line, Style, columns, heading, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]
SHOWN_INPUTS = 12
_MEASURES = {
    "cosine": "direction of a row's attributions",
    "top_k": "same four strongest inputs",
    "sign": "same sign of these",
    "share_shift": "largest shift of a share",
    "silent": "share of an input that fell silent",
    "strength": "difference in strength of all attribution",
    "reasons": "overlap of reasons for a no",
}
_VERDICTS = {
    "pass": "Explanations changed no more than training again changes them.",
    "fail": "Explanations changed more than training again changes them:",
    "insufficient": "Whether they changed more than usual is not decided:",
}

_STYLES: dict[str, Style] = {"pass": "green", "fail": "red", "insufficient": "yellow"}


def explanations_lines(kind: str, document: Document) -> list[Line]:
    """The document of `measure explanations` or `measure proxies` in words."""
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
    return _RENDER[kind](document)


def _explanations(document: Document) -> list[Line]:
    model = document["model"]
    lines = heading("What counts")
    rows = [("share", "input", "")]
    rows += [
        (_percent(row["share"]), row["name"], _error(row)) for row in model["inputs"][:SHOWN_INPUTS]
    ]
    lines += columns(rows)
    lines += paragraph(f"{model['rows']} rows, {model['method']}", indent=2, style="dim")
    if document["agreement"] is not None:
        lines += _agreement(document)
    lines += _reasons(document)
    if "texts" in document:
        lines += _texts(document["texts"])
    if "plots" in document:
        lines += heading("Plots") + paragraph(", ".join(document["plots"]), indent=2)
    return lines


def _error(row: Document) -> str:
    return "" if row["error"] is None else f"standard error {number(row['error'])}"


def _agreement(document: Document) -> list[Line]:
    found = document["agreement"]
    lines = heading("Agreement with the baseline")
    if "unknown" in found:
        return lines + paragraph(f"Not measurable: {found['unknown']}.", indent=2)
    rows = [(_figure(found[name]), says) for name, says in _MEASURES.items()]
    lines += columns(rows)
    shifted = list(found["shifts"].items())[:3]
    told = ", ".join(f"{name} {100 * shift:+.1f}" for name, shift in shifted)
    lines += paragraph(f"shares that moved most, in percentage points: {told}", indent=2)
    stable = document["reason_stability"]
    if stable["percent"] is not None:
        share = {name: number(value) for name, value in stable["percent"].items()}
        lines += paragraph(
            f"{stable['same_principal']} of {stable['refused_by_both']} who are refused by both "
            f"versions hear the same first reason ({share['value']} %, 95 % interval "
            f"{share['low']} to {share['high']}).",
            indent=2,
        )
    verdict = document["regression"]
    lines += paragraph(_VERDICTS[verdict["verdict"]], indent=2, style=_STYLES[verdict["verdict"]])
    for why in verdict["why"]:
        lines += paragraph(f"- {why}", indent=4, hang=2)
    if "refits" in verdict:
        lines += paragraph(
            f"compared with {verdict['refits']} trainings on resampled rows; limits calibrated on "
            f"{verdict['calibrated_on']}",
            indent=2,
            style="dim",
        )
    return lines


def _reasons(document: Document) -> list[Line]:
    lines = heading("Reasons for a no")
    if "reasons_unknown" in document:
        return lines + paragraph(f"Not known: {document['reasons_unknown']}.", indent=2)
    lines += paragraph(f"{document['refused']} of the explained rows are refused.", indent=2)
    if document["protected_reasons"]:
        lines += paragraph(
            f"In {document['protected_reasons']} of them a protected input is a reason; it is "
            "never told, and somebody has to look.",
            indent=2,
            style="red",
        )
    for case in document["reasons"]:
        told = [
            f"{reason['input']} ({number(reason['weight'])}"
            f"{'' if reason['clear'] else ', not clear'})"
            for reason in case["reasons"]
        ]
        lines += paragraph(f"row {case['row']}: {', '.join(told) or 'none'}", indent=2, hang=2)
    stable = document["background_stability"]
    if "unknown" in stable:
        return lines + paragraph(f"stability of the first reason: {stable['unknown']}", indent=2)
    return lines + paragraph(
        f"The first reason stays with another half of the background for {stable['same']} of "
        f"{stable['refused']} ({number(stable['percent'])} %).",
        indent=2,
    )


def _texts(found: Document) -> list[Line]:
    lines = heading("Reason texts")
    lines += paragraph(
        f"{found['broken']} broken, {len(found['problems']) - found['broken']} to improve, for "
        f"{', '.join(found['audiences'])}",
        indent=2,
    )
    rows = [(row["input"], row["audience"], row["fault"], row["says"]) for row in found["problems"]]
    return lines + columns(rows)


def _proxies(document: Document) -> list[Line]:
    lines = heading("How well one feature gives an attribute away")
    lines += columns(
        [("AUC", "by chance", "p", "feature", "")]
        + [(*_figures(row), row["name"], _about(row)) for row in document["features"]]
    )
    lines += heading("All features together")
    lines += columns(
        [("AUC", "by chance", "p", "")]
        + [(*_figures(row), _about(row)) for row in document["joint"]]
    )
    lines += paragraph(
        f"{document['sampled']} of {document['rows']} rows; by chance: the highest of 95 in 100 "
        "exchanges of the attribute; p is corrected for the number of comparisons; ranks: the rank "
        "correlation of two columns of numbers, with its 95 % interval",
        indent=2,
        style="dim",
    )
    return lines


def _figures(row: Document) -> tuple[str, str, str]:
    null = row["null"]
    if row["auc"] is None:
        return "-", "-", "-"
    if null is None:
        return f"{row['auc']:.3f}", "-", "-"
    return f"{row['auc']:.3f}", f"{null['high']:.3f}", f"{null['p_holm']:.3f}"


def _about(row: Document) -> str:
    if row["auc"] is None:
        return f"{row['attribute']}: not measurable, {row['unknown']}"
    about = f"{row['attribute']} {row['group']}"
    ranks = row.get("rank_correlation")
    if not ranks or "unknown" in ranks:
        return about
    return f"{about}; ranks {ranks['value']:+.2f} ({ranks['low']:+.2f} to {ranks['high']:+.2f})"


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


_RENDER: dict[str, Callable[[Document], list[Line]]] = {
    "explanations": _explanations,
    "proxies": _proxies,
}
