"""The index of an audit pack as CSV: one line for each case of the scope, drawn or not."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Iterable, Iterator

from guiderail_verify.audit_entries import CaseHistory

COLUMNS = (
    "case", "workload", "kind", "version", "submitted_at", "tier", "track", "outcome", "in_pack",
    "release", "dossier", "policy", "first_entry", "last_entry",
)  # fmt: skip


def index_csv(frame: Iterable[CaseHistory], in_pack: Collection[str]) -> str:
    """RFC 4180 with `\\n`. A cell that a spreadsheet would take for a formula begins with `'`."""
    return table(COLUMNS, (_row(history, history.id in in_pack) for history in frame))


def table(columns: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """A table of an audit pack, in the form that `index_csv` has."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow(map(_cell, row))
    return text.getvalue()


def _row(history: CaseHistory, in_pack: bool) -> Iterator[object]:
    first, last = history.submitted, history.decisions[-1]
    yield from (history.id, first.name, first.kind, (first.payload or {}).get("version"), first.at)
    yield from (history.value("tier"), history.value("track"), history.outcome)
    yield "yes" if in_pack else "no"
    yield from (first.digest, history.value("dossier"), last.policy)
    yield from (first.seq, history.entries[-1].seq)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
