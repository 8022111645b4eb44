"""Attributions of a version as what two versions are compared by: whom it refuses, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from guiderail.facts.model.decisions import decisions, positive_class
from guiderail.manifest.reason_file import read_reasons
from guiderail.measure.attribution_agreement import (
    Agreement,
    Explained,
    agreement,
    stable_principal,
)
from guiderail.measure.column_names import rule_for
from guiderail.measure.explanation_regression import Regression, null_of, regression
from guiderail.measure.reason_texts import ReasonText, ReasonTexts
from guiderail.measure.unmeasurable import NotMeasurable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from guiderail.sandbox.attribute import Attributions
    from guiderail.sandbox.score import Scores


@dataclass(frozen=True, slots=True)
class Decides:
    """How a version decides. positive: the class that is granted, as written; None: the second."""

    threshold: float | None
    positive: str | None


@dataclass(frozen=True, slots=True)
class Version:
    """One version. explained: attributions with the rows it refuses. undecided: why these are not
    known; empty where they are.
    """

    attributions: Attributions
    explained: Explained
    undecided: str


def version(attributions: Attributions, scores: Scores | str, decides: Decides) -> Version:
    """scores: of the whole table, or why there are none."""
    plain = Explained(attributions.names, attributions.values, attributions.scale)
    if isinstance(scores, str):
        return Version(attributions, plain, scores)
    positive = positive_class(scores, decides.positive)
    decided = decisions(scores, decides.threshold, decides.positive)
    for found in (positive, decided):
        if isinstance(found, NotMeasurable):
            return Version(attributions, plain, found.reason)
    if len(decided) <= attributions.rows.max():  # type: ignore[arg-type]  # an array, see above
        return Version(attributions, plain, "the model scored other rows than it explained")
    refused = np.asarray(decided)[attributions.rows] != positive
    against = -1.0 if positive == scores.classes[1] else 1.0
    return Version(attributions, replace(plain, adverse=refused, against=against), "")


def compared(old: Version, new: Version) -> Agreement | NotMeasurable:
    """Agreement of two versions that were explained on the same rows in comparable ways."""
    one, two = old.attributions, new.attributions
    n = min(len(one.rows), len(two.rows))
    if not np.array_equal(one.rows[:n], two.rows[:n]):
        return NotMeasurable("the two versions were explained on different rows")
    if ("contributions of" in one.method) != ("contributions of" in two.method):
        return NotMeasurable(
            f"the two versions are explained in different ways ({one.method}; {two.method})"
        )
    return agreement(old.explained, new.explained)


def tested(found: Agreement, recipe: Version) -> Regression | NotMeasurable:
    """The agreement against the null of the recipe that was trained again."""
    refits = recipe.attributions.refits
    if not refits:
        reason = recipe.attributions.refit_problem or "nobody trained the recipe again"
        return NotMeasurable(f"what training again changes is not calibrated: {reason}")
    usual = null_of([refitted(recipe, values, scores) for values, scores in refits])
    if isinstance(usual, NotMeasurable):
        return usual
    return regression(found, usual, len(refits))


def refitted(
    recipe: Version, values: NDArray[np.float64], scores: NDArray[np.float64]
) -> Explained:
    """A model trained again; it refuses as large a share of the rows as the version itself."""
    explained = recipe.explained
    refused = None
    if explained.adverse is not None and len(explained.adverse):
        share = float(explained.adverse.mean())
        badness = scores * explained.against
        refused = badness > np.quantile(badness, 1 - share) if share > 0 else badness > np.inf
    return Explained(explained.names, values, explained.scale, refused, explained.against)


def background_stability(one: Version) -> dict[str, float | int] | NotMeasurable:
    """How many refused rows keep their first reason when half of the background is another one.

    Gives `refused`, `same` and `percent`: rows of which both halves name the same first reason.
    """
    if one.explained.adverse is None:
        return NotMeasurable(one.undecided or "the model decides nothing")
    if len(one.attributions.halves) < 2:
        return NotMeasurable("these attributions use no background rows")
    first, second = one.attributions.halves[:2]
    refused, same = stable_principal(first, second, one.explained.adverse, one.explained.against)
    if not refused:
        return NotMeasurable("none of the explained rows is refused")
    return {"refused": refused, "same": same, "percent": 100 * same / refused}


def protected_inputs(names: Sequence[str], declared: Sequence[str]) -> tuple[str, ...]:
    """Inputs that may be no reason: the declared ones and those whose name says what they are."""
    found = []
    for name in names:
        rule = rule_for(name)
        if name in declared or (rule is not None and rule.cls == "protected"):
            found.append(name)
    return tuple(found)


def reason_texts(path: Path, file: str | None = None) -> ReasonTexts:
    """The texts in a file; `file` is the name that places show. Raises InputError."""
    audiences, table = read_reasons(path, file)
    return ReasonTexts(
        audiences,
        {
            name: {audience: ReasonText(*pair) for audience, pair in row.items()}
            for name, row in table.items()
        },
    )
