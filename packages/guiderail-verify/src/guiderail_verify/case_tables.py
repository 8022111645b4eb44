"""Fairness by cell, measured values, lineage and permission, from the dossiers in an audit pack."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from guiderail_verify import audit_files as files
from guiderail_verify.audit_pack import AuditPack

_CASE: Final = ("case", "workload", "release", "dossier")
FAIRNESS: Final = (*_CASE, "group", "rows", "selected", "correct", "tn", "fp", "fn", "tp")
MEASURES: Final = (*_CASE, "fact", "value", "low", "high", "unknown", "known_by", "source")
LINEAGE: Final = (*_CASE, "what", "name", "value", "permitted_by", "permitted_for",
                  "permitted_until")  # fmt: skip

_MEASURED: Final = ("change.", "drift.", "explanations.", "fairness.", "flips.", "performance.")
_LINEAGE: Final = ("data.", "lineage.")


class Shown(NamedTuple):
    """A stored value for people. Exactly one of value and unknown is not empty."""

    value: str
    low: str
    high: str
    unknown: str


def shown(value: object) -> Shown:
    match value:
        case {"unknown": str(reason)}:
            return Shown("", "", "", reason)
        case {"number": str(number)}:
            return Shown(number, "", "", "")
        case {"value": str(point), "low": str(low), "high": str(high)}:
            return Shown(point, low, high, "")
        case bool():
            return Shown("yes" if value else "no", "", "", "")
        case list():
            return Shown("; ".join(shown(one).value for one in value) or "none", "", "", "")
        case None:
            return Shown("", "", "", "not stated")
    return Shown(str(value), "", "", "")


def fairness_rows(pack: AuditPack) -> Iterator[tuple[object, ...]]:
    """Counts of every group and intersection that the selection ratio was computed from."""
    for head, facts in _dossiers(pack):
        cells = facts.get("fairness.selection_ratio", {}).get("detail", {}).get("cells", ())
        for cell in cells:
            counts = (cell.get(name) for name in ("tn", "fp", "fn", "tp"))
            yield (*head, cell["group"], cell["n"], cell["selected"], cell["correct"], *counts)


def measure_rows(pack: AuditPack) -> Iterator[tuple[object, ...]]:
    for head, facts in _dossiers(pack):
        for name in sorted(facts):
            if name.startswith(_MEASURED):
                fact = facts[name]
                yield (*head, name, *shown(fact["value"]), fact["known_by"], fact["source"])


def lineage_rows(pack: AuditPack) -> Iterator[tuple[object, ...]]:
    """Facts about data, and the sources that the manifest names with who permitted them."""
    for head, facts in _dossiers(pack):
        for name in sorted(facts):
            if name.startswith(_LINEAGE):
                found = shown(facts[name]["value"])
                value = f"unknown: {found.unknown}" if found.unknown else found.value
                yield (*head, "fact", name, value, "", "", "")
        manifest = pack.object(files.case_path(head[0], "release.json"))["manifest"]
        for section in ("training", "sources"):
            for source in manifest.get(section) or ():
                allowed = source.get("permitted") or {}
                yield (*head, section, source.get("name"), source.get("fingerprint"),
                       allowed.get("by"), allowed.get("purpose"), allowed.get("until"))  # fmt: skip


def _dossiers(pack: AuditPack) -> Iterator[tuple[tuple[str, str, str, str], Mapping[str, Any]]]:
    """The last dossier of every case in the pack, with its facts."""
    for case, history in pack.cases.items():
        dossier = history.value("dossier")
        head = (case, history.submitted.name, history.submitted.digest or "", dossier)
        yield head, pack.object(files.dossier_path(case, dossier, "facts"))
