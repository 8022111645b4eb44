"""`measure drift`: how far the columns of a table moved, as a plain document."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding

if TYPE_CHECKING:
    from guiderail.measure.drift import ColumnDrift

Document = dict[str, Any]


def drift(
    reference: Path,
    current: Path,
    *,
    names: Sequence[str],
    profile: Path | None,
    limit: float | None = None,
    encoding: Encoding | None = None,
) -> Document:
    """Movement of every column, and changes of the schema.

    profile: a stored profile is read from it and used in place of the reference; when the file
    does not exist yet, the profile of the reference is written to it. limit: the population
    stability index from which a column has moved. encoding: of both CSV files, where one is named.
    """
    from guiderail.measure.drift import drift as measure
    from guiderail.measure.profile import make_profile, read_profile
    from guiderail.measure.psi import LIMIT
    from guiderail.measure.warehouse import open_source

    if profile is not None and profile.exists():
        before = read_profile(profile)
    else:
        with open_source(reference, encoding) as table:
            before = make_profile(table, names or None)
        if profile is not None:
            profile.write_text(before.to_json(), encoding="utf-8")
    with open_source(current, encoding) as table:
        found = measure(before, table, names or None, limit=LIMIT if limit is None else limit)
    verdicts = [row.verdict for row in found.columns]
    return {
        "columns": [_column(row) for row in found.columns],
        "added": list(found.added),
        "schema": [
            {"column": one.column, "change": one.kind, "before": one.before, "after": one.after}
            for one in found.schema
        ],
        "limit_psi": found.limit,
        "verdicts": {name: verdicts.count(name) for name in dict.fromkeys(verdicts)},
        "profile_digest": found.profile_digest,
    }


def _column(row: ColumnDrift) -> Document:
    chi2 = row.chi2
    return {
        "name": row.name,
        "type": row.type,
        "verdict": row.verdict,
        "psi": row.psi,
        "psi_interval": None
        if row.psi_low is None or row.psi_high is None
        else {"low": row.psi_low, "high": row.psi_high},
        "ks": {"value": row.ks.value, "low": row.ks.low, "high": row.ks.high} if row.ks else None,
        "js": row.js,
        "wasserstein": row.wasserstein,
        "chi2": {"statistic": chi2.statistic, "degrees": chi2.degrees, "p": chi2.p}
        if chi2
        else None,
        "n_reference": row.n_reference,
        "n_current": row.n_current,
        "missing_reference": row.missing_reference,
        "missing_current": row.missing_current,
        "distinct_reference": row.distinct_reference,
        "distinct_current": row.distinct_current,
        "new_categories": list(row.new_categories),
        "vanished_categories": list(row.vanished_categories),
        "note": row.note,
        "reason": row.reason,
    }
