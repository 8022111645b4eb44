"""Bias audit tables as 6 RCNY section 5-301 defines them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from guiderail.measure.local_law_144 import BiasAudit, audit_decisions, audit_scores
from guiderail.measure.unmeasurable import NotMeasurable


def audited(found: BiasAudit | NotMeasurable) -> BiasAudit:
    assert isinstance(found, BiasAudit), found
    return found


def people(counts: dict[tuple[str | None, str | None], tuple[int, int]]) -> tuple[Any, Any, Any]:
    """Decisions, sex and race from (selected, applicants) of each combination."""
    decision: list[int] = []
    sex: list[str | None] = []
    race: list[str | None] = []
    for (one, other), (selected, n) in counts.items():
        decision += [1] * selected + [0] * (n - selected)
        sex += [one] * n
        race += [other] * n
    return decision, ("sex", np.array(sex, dtype=object)), ("race", np.array(race, dtype=object))


def test_impact_ratios_divide_by_the_most_selected_category() -> None:
    found = audited(
        audit_decisions(
            *people(
                {
                    ("Male", "White"): (50, 100),
                    ("Male", "Asian"): (40, 100),
                    ("Female", "White"): (30, 100),
                    ("Female", "Asian"): (60, 100),
                }
            )
        )
    )
    sex, race, both = found.tables
    assert [(row.category, row.selected, row.applicants) for row in sex.rows] == [
        (("Female",), 90, 200),
        (("Male",), 90, 200),
    ]
    assert [row.ratio for row in sex.rows] == [1, 1]
    assert {row.category[0]: row.ratio for row in race.rows} == {
        "Asian": 1,
        "White": pytest.approx(0.8, abs=1e-12),
    }
    assert {row.category: row.ratio for row in both.rows} == {
        ("Female", "Asian"): 1,
        ("Female", "White"): pytest.approx(0.5, abs=1e-12),
        ("Male", "Asian"): pytest.approx(2 / 3, abs=1e-12),
        ("Male", "White"): pytest.approx(5 / 6, abs=1e-12),
    }


def test_the_scoring_rate_is_the_share_above_the_median_of_everybody() -> None:
    score = [1, 2, 3, 4, 5, 6, 7, 100]
    sex = ["f", "f", "f", "m", "f", "m", "m", None]
    found = audited(audit_scores(score, ("sex", np.array(sex, dtype=object)), ("race", ["x"] * 8)))
    assert found.median == 4.5  # with the person of unknown sex, who scores 100
    first = found.tables[0]
    assert [(row.category[0], row.rate) for row in first.rows] == [("f", 0.25), ("m", 2 / 3)]
    assert first.rows[0].ratio == pytest.approx(0.375, abs=1e-12)
    assert (first.unknown, found.tables[1].unknown, found.unknown) == (1, 0, 1)


def test_a_score_at_the_median_is_not_above_it() -> None:
    found = audited(audit_scores([1, 2, 2, 2, 3], ("sex", list("ffmmm")), ("race", list("xxxxx"))))
    assert [row.selected for row in found.tables[0].rows] == [0, 1]


def test_people_of_an_unknown_category_are_counted_and_in_no_ratio() -> None:
    found = audited(
        audit_decisions(
            *people(
                {
                    ("f", "x"): (10, 20),
                    ("m", "x"): (10, 20),
                    (None, "x"): (7, 7),
                    ("m", "Unknown"): (3, 5),
                }
            )
        )
    )
    assert [table.unknown for table in found.tables] == [7, 5, 12]
    assert found.applicants == 52
    assert [row.applicants for row in found.tables[2].rows] == [20, 20]
    assert [row.applicants for row in found.tables[0].rows] == [20, 25]


def test_small_categories_leave_the_ratios_only_with_a_justification() -> None:
    rows = people({("f", "x"): (40, 100), ("m", "x"): (50, 99), ("d", "x"): (1, 1)})
    kept, left_out = (
        audited(audit_decisions(*rows)),
        audited(audit_decisions(*rows, justification="one person says nothing")),
    )
    assert {row.category[0]: row.ratio for row in kept.tables[0].rows}["f"] == 0.4
    by_name = {row.category[0]: row for row in left_out.tables[0].rows}
    assert by_name["d"].excluded
    assert (by_name["d"].applicants, by_name["d"].rate, by_name["d"].ratio) == (1, 1, None)
    assert by_name["f"].ratio == pytest.approx(0.4 / (50 / 99), abs=1e-12)
    assert left_out.justification == "one person says nothing"


def test_exactly_two_percent_is_not_less_than_two_percent() -> None:
    rows = people({("f", "x"): (40, 98), ("d", "x"): (1, 2)})
    found = audited(audit_decisions(*rows, justification="small"))
    assert not any(row.excluded for row in found.tables[0].rows)


def test_where_nobody_scores_above_the_median_no_ratio_exists() -> None:
    found = audited(audit_scores([3, 3, 3, 3], ("sex", list("ffmm")), ("race", list("xyxy"))))
    assert [row.ratio for row in found.tables[0].rows] == [None, None]


@pytest.mark.parametrize(
    ("score", "says"),
    [([], "no scores"), ([1, None], "missing"), (["a", "b"], "not a number"),
     ([1.0, float("inf")], "infinite"), ([1.0, float("nan")], "missing")],
)  # fmt: skip
def test_scores_that_are_none_say_so(score: Any, says: str) -> None:
    found = audit_scores(score, ("sex", ["f"] * len(score)), ("race", ["x"] * len(score)))
    assert isinstance(found, NotMeasurable)
    assert says in found.reason


def test_one_column_cannot_be_both_categories() -> None:
    found = audit_decisions([0, 1], ("sex", ["f", "m"]), ("sex", ["f", "m"]))
    assert isinstance(found, NotMeasurable)
