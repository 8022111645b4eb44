"""What people see of the flips between two versions: directions, groups, rates, and a sample.

The sample holds numbers of rows and decisions, no cell of the data: facts are kept for years, and
evaluation data speak of people. Whoever may read the data finds the rows by their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from guiderail.measure.unmeasurable import NotMeasurable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from guiderail.measure.flips import Flips

SAMPLED = 20
_SHOWN_RATES = ("selection_rate", "tpr", "fpr")
Groups = Mapping[str, "NDArray[Any]"]
Ranges = Mapping[str, Sequence[float]]


def counted_flips(
    old: NDArray[Any], new: NDArray[Any], groups: Groups, ranges: Ranges
) -> tuple[Flips, str] | NotMeasurable:
    """The flips, and why they could not be counted by group; "" where they could."""
    from guiderail.measure.flips import flips

    found = flips(old, new, groups or None, edges=ranges)
    if not isinstance(found, NotMeasurable):
        return found, ""
    alone = flips(old, new)
    return alone if isinstance(alone, NotMeasurable) else (alone, found.reason)


def flips_in_words(found: Flips, without_groups: str) -> dict[str, object]:
    """Counts for pages and records."""
    from guiderail.measure.groups import group_name

    detail: dict[str, object] = {
        "n": found.n,
        "flips": found.flips,
        "directions": dict(found.directions),
        "groups": [
            {
                "group": group_name(row.group),
                "n": row.n,
                "flips": row.flips,
                "directions": dict(row.directions),
            }
            for row in found.groups
        ],
    }
    if without_groups:
        detail["groups_unknown"] = without_groups
    return detail


def sample(old: NDArray[Any], new: NDArray[Any], data: str) -> list[Mapping[str, object]]:
    """Some flipped rows, chosen by the content digest of the data; the first row has number 1."""
    import numpy as np

    from guiderail.measure.flip_rows import drawn
    from guiderail.measure.scored_rows import as_texts

    before, after = as_texts(old), as_texts(new)
    places = np.flatnonzero(before != after)
    seed = data.rpartition(":")[2]
    return [
        {
            "row": int(places[one]) + 1,
            "old": str(before[places[one]]),
            "new": str(after[places[one]]),
        }
        for one in drawn(len(places), SAMPLED, seed)
    ]


def changes_by_group(
    old: NDArray[Any],
    new: NDArray[Any],
    groups: Groups,
    ranges: Ranges,
    label: NDArray[Any] | None,
    positive: str | NotMeasurable,
) -> list[Mapping[str, object]]:
    """How the rates of every group moved, in shares; empty where rates are not measurable."""
    from guiderail.measure.comparisons import MINIMUM_ROWS
    from guiderail.measure.groups import group_name
    from guiderail.measure.rate_changes import rate_changes

    if isinstance(positive, NotMeasurable) or not groups:
        return []
    found = rate_changes(old, new, groups, label, selected=positive, edges=ranges)
    if isinstance(found, NotMeasurable) and label is not None:
        found = rate_changes(old, new, groups, selected=positive, edges=ranges)
    if isinstance(found, NotMeasurable):
        return []
    return [
        {
            "rate": one.rate,
            "group": group_name(one.group),
            "old": one.old,
            "new": one.new,
            "difference": [one.difference.value, one.difference.low, one.difference.high],
        }
        for one in found
        if one.rate in _SHOWN_RATES and one.n >= MINIMUM_ROWS and one.difference is not None
    ]
