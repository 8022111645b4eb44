"""Figures about groups and flips for a terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guiderail.render.lines import Line, columns, heading, paragraph
from guiderail.render.words import number

Document = Mapping[str, Any]
_RATE_WORDS = {
    "selection_rate": "selected",
    "tpr": "true positives",
    "fpr": "false positives",
    "fnr": "false negatives",
    "ppv": "right when selected",
    "npv": "right when not selected",
    "accuracy": "accuracy",
}


def fairness_lines(kind: str, document: Document) -> list[Line]:
    """The document of `measure fairness`, of its bias audit, or of `measure flips` in words."""
    if "unknown" in document:
        return paragraph(f"Not measurable: {document['unknown']}.")
    return _RENDER[kind](document)


def _fairness(document: Document) -> list[Line]:
    lines = heading("Groups")
    rows = [["rows", "selected", "true pos.", "false pos.", "accuracy", "group"]]
    rows += [
        [
            str(row["n"]),
            *(_rate(row[name]) for name in ("selection_rate", "tpr", "fpr", "accuracy")),
            _group(row["by"]),
        ]
        for row in document["groups"]
    ]
    lines += _table(rows)
    lines += heading("Verdicts")
    lines += columns(
        (_RATE_WORDS[name], row["verdict"], row["reason"])
        for name, row in document["verdicts"].items()
    )
    lines += _lowest(document)
    lines += _ranks(document["rank_correlations"])
    depth = document["intersections"]
    if depth["deepest"] < depth["attributes"]:
        lines += paragraph(
            f"Intersections of at most {depth['deepest']} of {depth['attributes']} attributes were "
            "formed.",
            style="dim",
        )
    if "calibration" in document:
        lines += _calibration(document["calibration"])
    if "changes" in document:
        lines += _changes(document["changes"])
    return lines


def _ranks(found: Sequence[Document]) -> list[Line]:
    """Beside the ranges: which way selection and score go with the numbers themselves."""
    if not found:
        return []
    lines = heading("Rank correlations (-1 to 1; 0: neither rises with the other)")
    return lines + columns(
        (str(row["n"]), f"{row['attribute']} and the {row['with']}", _correlation(row))
        for row in found
    )


def _correlation(row: Document) -> str:
    if "unknown" in row:
        return f"not measurable, {row['unknown']}"
    return f"{row['value']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


def _lowest(document: Document) -> list[Line]:
    """The lowest ratios among the comparisons that can block."""
    found = [row for row in document["comparisons"] if row["blocks"] and row["ratio"] is not None]
    found.sort(key=lambda row: row["ratio"])
    if not found:
        return []
    lines = heading("Lowest ratios")
    return lines + _table(
        [
            [
                f"{row['ratio']:.3f} ({row['low']:.3f} to {row['high']:.3f})",
                _RATE_WORDS[row["metric"]],
                row["verdict"],
                f"{_group(row['group'])} to {_group(row['reference'])}",
            ]
            for row in found[:10]
        ]
    )


def _calibration(found: Any) -> list[Line]:
    lines = heading("Calibration")
    if isinstance(found, Mapping):
        return lines + paragraph(f"Not measurable: {found['unknown']}.")
    rows = [["rows", "mean score", "observed", "observed minus score", "group"]]
    rows += [
        [
            str(row["n"]),
            _rate(row["mean_score"]),
            _rate(row["observed"]["value"]),
            _points(row["gap"]),
            _group(row["by"]),
        ]
        for row in found
    ]
    return lines + _table(rows)


def _changes(found: Any) -> list[Line]:
    lines = heading("Against the earlier version")
    if isinstance(found, Mapping):
        return lines + paragraph(f"Not measurable: {found['unknown']}.")
    rows = [["rate", "before", "now", "change", "group"]]
    rows += [
        [
            _RATE_WORDS[row["metric"]],
            _rate(row["old"]),
            _rate(row["new"]),
            _points(row["difference"]),
            _group(row["by"]),
        ]
        for row in found
    ]
    return lines + _table(rows)


def _bias_audit(document: Document) -> list[Line]:
    scoring = document["kind"] == "scoring"
    lines: list[Line] = []
    for table in document["tables"]:
        lines += heading(table["title"])
        heads = ["", "# of Applicants", *([] if scoring else ["# Selected"])]
        heads += ["Scoring Rate" if scoring else "Selection Rate", "Impact Ratio"]
        rows = [heads]
        for row in table["rows"]:
            counts = [str(row["applicants"]), *([] if scoring else [str(row["selected"])])]
            rows.append([", ".join(row["category"]), *counts, _percent(row["rate"]), _impact(row)])
        lines += _table(rows)
    lines += [Line("")]
    if scoring:
        lines += paragraph(f"Median score of the full sample: {number(document['median'])}.")
    lines += paragraph(
        f"The tool also assessed {document['not_included']} people whose sex or race/ethnicity "
        "category is unknown. They are in no calculation of a table that needs it."
    )
    if document["justification"] is not None:
        lines += paragraph(
            "Categories with less than 2 % of the data are excluded from the impact ratios: "
            f"{document['justification']}"
        )
    return lines


def _impact(row: Document) -> str:
    if row["excluded"]:
        return "excluded"
    return "undefined" if row["impact_ratio"] is None else f"{row['impact_ratio']:.3f}"


def _flips(document: Document) -> list[Line]:
    rate = document["rate"]
    low, high = number(100 * rate["low"]), number(100 * rate["high"])
    lines = paragraph(
        f"{document['flips']} of {document['n']} decisions flip: {number(100 * rate['value'])} % "
        f"(95 % interval {low} to {high})",
        style="bold",
    )
    lines += columns((name, str(count)) for name, count in document["directions"].items())
    if document["groups"]:
        lines += heading("By group")
        lines += columns(
            (
                _group(row["by"]),
                f"{row['flips']} of {row['n']}",
                _rate(row["rate"]["value"]),
                ", ".join(f"{name}: {count}" for name, count in row["directions"].items()),
            )
            for row in document["groups"]
        )
    if "value" in document:
        lines += _values(document["value"])
    if "sample" in document:
        lines += _sample(document["sample"])
    return lines


def _values(value: Document) -> list[Line]:
    lines = heading(f"Value ({value['column']})")
    if "unknown" in value:
        return lines + paragraph(f"Not measurable: {value['unknown']}.")
    if value["all"] is None:
        return lines + paragraph("No decision flips, so nothing is at stake.")
    rows = [["direction", "flips", "sum", "mean"]]
    rows += [
        [name, str(row["flips"]), _amount(row["sum"]), _amount(row["mean"])]
        for name, row in {"all": value["all"], **value["directions"]}.items()
    ]
    return lines + _table(rows)


def _amount(item: Document) -> str:
    if item["low"] is None:
        return f"{item['value']:,.2f} (too few for an interval)"
    return f"{item['value']:,.2f} ({item['low']:,.2f} to {item['high']:,.2f})"


def _sample(sample: Document) -> list[Line]:
    if "unknown" in sample:
        return paragraph(f"No sample of flipped rows: {sample['unknown']}.")
    if not sample["rows"]:
        return []
    lines = heading("A sample of flipped rows")
    for row in sample["rows"]:
        shown = ", ".join(f"{name} {cell}" for name, cell in row["columns"].items())
        change = f"row {row['row']}: {row['old']} -> {row['new']}"
        lines += paragraph(f"{change}; {shown}" if shown else change, indent=2, hang=2)
    hidden = sample["hidden_columns"]
    if hidden:
        lines += paragraph(f"Not shown, because they may be personal: {', '.join(hidden)}.")
    return lines


def _table(rows: Sequence[Sequence[str]]) -> list[Line]:
    """Aligned columns that are never wrapped: figures of one group stay on one line."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [
        Line(
            "  "
            + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        )
        for row in rows
    ]


def _group(by: Mapping[str, str]) -> str:
    return ", ".join(f"{name}={value}" for name, value in by.items())


def _rate(value: float | None) -> str:
    return "undefined" if value is None else f"{100 * value:.1f} %"


def _percent(value: float) -> str:
    return f"{100 * value:.1f}%"


def _points(item: Document | None) -> str:
    if item is None:
        return "undefined"
    low, high = 100 * item["low"], 100 * item["high"]
    return f"{100 * item['value']:+.1f} points ({low:+.1f} to {high:+.1f})"


_RENDER: dict[str, Callable[[Document], list[Line]]] = {
    "fairness": _fairness,
    "bias_audit": _bias_audit,
    "flips": _flips,
}
