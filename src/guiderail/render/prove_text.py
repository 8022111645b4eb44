"""A proof of a policy pack for a terminal."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from guiderail.render.lines import BLANK, Line, Style, paragraph

_STYLES: Final[Mapping[str, Style]] = {
    "proved": "green",
    "refuted": "red",
    "undecided": "yellow",
    "not-applicable": "dim",
}


def proof_lines(document: Mapping[str, Any], pack: str) -> list[Line]:
    """The result of every property, then each counterexample as a facts file.

    pack: as it was named, for the commands that confirm a counterexample.
    """
    lines = _headline(document)
    for row in document["properties"]:
        lines += _property(row)
    for row in document["properties"]:
        for violation in row["violations"]:
            if violation["counterexample"]:
                lines += _facts_file(violation, pack)
    return lines


def _headline(document: Mapping[str, Any]) -> list[Line]:
    rows = document["properties"]
    counts = [(name, sum(row["result"] == name for row in rows)) for name in _STYLES]
    told = ", ".join(f"{count} {name.replace('-', ' ')}" for name, count in counts if count)
    style: Style = "green" if document["holds"] else "red"
    lines = [Line(f"{document['pack']} {document['version']}: {told}", style)]
    method = document["method"]
    if method == "enumeration":
        method = f"every combination of boundary values, because {document['why_method']}"
    return lines + paragraph(f"Proved with {method}.", style="dim")


def _property(row: Mapping[str, Any]) -> list[Line]:
    where = f" ({row['kind']}, {row['day']})" if row["kind"] else ""
    result = row["result"].replace("-", " ").upper()
    lines = [BLANK, Line(f"{result}  {row['name']}{where}", _STYLES[row["result"]])]
    lines += paragraph(row["title"], indent=2)
    if row["result"] == "refuted":
        lines += paragraph(f"Why it matters: {row['why']}", indent=2, style="dim")
    if row["result"] == "not-applicable":
        lines += paragraph(row["reason"], indent=2)
    for violation in row["violations"]:
        example = violation["counterexample"]
        says = example["says"] if example else violation["says"]
        lines += paragraph(f"{violation['about']}: {says}", indent=2, hang=2, style="red")
    for left in row["undecided"]:
        lines += paragraph(f"Undecided about {left['about']}: {left['reason']}.", indent=2, hang=2,
                           style="yellow")  # fmt: skip
    for exception in row["exceptions"]:
        lines += _exception(exception)
    return lines + paragraph(_effort(row), indent=2, style="dim")


def _exception(row: Mapping[str, Any]) -> list[Line]:
    needed = "Excepted" if row["needed"] else "Excepted without need"
    return paragraph(f"{needed}: {row['about']}. {row['reason']}", indent=2, hang=2)


def _effort(row: Mapping[str, Any]) -> str:
    if not row["claims"]:
        return ""
    tried = f", {row['combinations']:,} cases tried" if row["combinations"] else ""
    return f"{row['claims']} claims{tried}, {row['seconds']:.2f} s"


def _facts_file(violation: Mapping[str, Any], pack: str) -> list[Line]:
    """The counterexample as it is saved, and the command that confirms it."""
    example = violation["counterexample"]
    lines = [BLANK, Line(f"Counterexample about {violation['about']}", "bold")]
    lines += _release(example, "Save this as facts.json.")
    lines += [Line(f"  guiderail policy eval {pack} --facts facts.json --kind {example['kind']} "
                   f"--at {example['at']}")]  # fmt: skip
    if example["compared_with"]:
        lines += _release(example["compared_with"], "What it is compared with:")
    return lines


def _release(row: Mapping[str, Any], lead: str) -> list[Line]:
    comes_out = f"It comes out {row['track']}, of tier {row['tier']}, {row['outcome']}."
    facts = json.dumps(row["facts"], indent=2, ensure_ascii=False)
    return [
        *paragraph(f"{lead} {comes_out.replace('_', ' ')}", indent=2),
        *(Line(f"  {line}") for line in facts.splitlines()),
    ]
