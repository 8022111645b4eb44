"""`measure proxies`: how well columns of a table give protected attributes away."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.digest import file_digest
from guiderail.core.errors import InputError
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.service.measure_fairness import groups_by

if TYPE_CHECKING:
    from guiderail.measure.proxies import Proxy

Document = dict[str, Any]


def proxies(
    data: Path,
    *,
    by: Sequence[str],
    features: Sequence[str] = (),
    ignore: Sequence[str] = (),
    encoding: Encoding | None = None,
) -> Document:
    """Every feature, and all together, against every attribute.

    by: columns, or columns with limits as in "age:25,40". features: only these columns; else every
    column that is neither an attribute nor ignored. encoding: of a CSV file, where one is named.
    Raises InputError for unknown columns.
    """
    from guiderail.measure.proxies import MOST_ROWS, table_proxies
    from guiderail.measure.table import open_table

    digest = file_digest(data) if data.is_file() else ""
    with open_table(data, encoding) as table:
        attributes = groups_by(table, by, ())
        for name in (*features, *ignore):
            table.type_of(name)
        outside = {*attributes, *ignore}
        chosen = [name for name in (features or table.names) if name not in outside]
        if not attributes or not chosen:
            raise InputError(
                "there is nothing to compare",
                code="measure/columns",
                advice="Name protected columns with --by, and leave other columns as features.",
            )
        seed = int(digest.removeprefix("sha256:")[:12], 16)
        report = table_proxies(table, chosen, attributes, seed=seed)
        rows = table.rows
    return {
        "rows": rows,
        "sampled": min(rows, MOST_ROWS),
        "features": [_row(row) for row in sorted(report.features, key=_strength)],
        "joint": [_row(row) for row in report.joint],
    }


def _strength(row: Proxy) -> tuple[bool, float, str, str]:
    """Measured before unknown, strongest first."""
    return row.auc is None, -(row.auc or 0.0), row.feature or "", row.attribute


def _row(row: Proxy) -> Document:
    found: Document = {} if row.feature is None else {"name": row.feature}
    found |= {
        "attribute": row.attribute,
        "auc": row.auc,
        "group": row.group,
        "n": row.n,
        "null": None
        if row.null is None
        else {
            "mean": row.null.mean,
            "high": row.null.high,
            "p": row.null.p,
            "p_holm": row.null.p_holm,
        },
    }
    if row.feature is not None:
        found["rank_correlation"] = _ranks(row)
    if row.auc is None:
        found["unknown"] = row.reason
    return found


def _ranks(row: Proxy) -> Document | None:
    """None where one of the two is no number."""
    if row.ranks is None:
        return None
    if isinstance(row.ranks, NotMeasurable):
        return {"unknown": row.ranks.reason}
    return {"value": row.ranks.value, "low": row.ranks.low, "high": row.ranks.high}
