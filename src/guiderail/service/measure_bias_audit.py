"""`measure fairness --ll144`: the tables of a bias audit, as 6 RCNY section 5-301 defines them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.service.measure_fairness import Edges, groups_by

Document = dict[str, Any]


def bias_audit(
    data: Path,
    *,
    prediction: str | None,
    score: str | None,
    positive: str | None,
    by: Sequence[str],
    justification: str | None,
    encoding: Encoding | None = None,
) -> Document:
    """Impact ratios by sex, race/ethnicity and both, of selections or of scores.

    by: the column with the sex, then the one with race and ethnicity.
    justification: why categories below 2 % are left out of the ratios. encoding: of a CSV file.
    """
    from guiderail.measure.distinct_rows import distinct_rows
    from guiderail.measure.local_law_144 import audit_decisions, audit_scores
    from guiderail.measure.rows_here import brought
    from guiderail.measure.warehouse import open_source

    if (prediction is None) == (score is None):
        raise _usage(
            "a bias audit is about selections or about scores, and one column has to be named",
            "Name the decisions with --prediction, or the scores with --score.",
        )
    outcome = prediction if prediction is not None else str(score)
    with open_source(data, encoding) as table:
        attributes: Edges = groups_by(table, by, [outcome])
        if len(attributes) != 2 or any(attributes.values()):
            raise _usage(
                "a bias audit needs two columns of categories: sex, and race/ethnicity",
                "Name them in that order, as in --by sex,race.",
            )
        sex, race = attributes
        if prediction is None:
            with brought(table, (outcome, sex, race)) as rows_here:
                frame = rows_here.frame((outcome, sex, race))
            found = audit_scores(
                frame[outcome],
                (sex, frame[sex]),
                (race, frame[race]),
                justification=justification,
            )
        else:
            rows = distinct_rows(table, attributes, [outcome])
            if isinstance(rows, NotMeasurable):
                return {"tables": [], "unknown": rows.reason}
            found = audit_decisions(
                rows.frame[outcome],
                (sex, rows.frame[sex]),
                (race, rows.frame[race]),
                selected=positive if positive is not None else 1,
                justification=justification,
                counts=rows.counts,
            )
    if isinstance(found, NotMeasurable):
        return {"tables": [], "unknown": f"{outcome}: {found.reason}"}
    return {
        "rule": "6 RCNY 5-301",
        "kind": "scoring" if prediction is None else "selection",
        "applicants": found.applicants,
        "not_included": found.unknown,
        "median": found.median,
        "justification": found.justification,
        "tables": [
            {
                "title": title,
                "attributes": list(part.attributes),
                "not_included": part.unknown,
                "rows": [
                    {
                        "category": list(row.category),
                        "applicants": row.applicants,
                        "selected": row.selected,
                        "rate": row.rate,
                        "impact_ratio": row.ratio,
                        "excluded": row.excluded,
                    }
                    for row in part.rows
                ],
            }
            for title, part in zip(_TITLES, found.tables, strict=True)
        ],
    }


_TITLES = ("Sex Categories", "Race/Ethnicity Categories", "Intersectional Categories")


def _usage(what: str, advice: str) -> InputError:
    return InputError(what, code="measure/bias-audit", advice=advice)
