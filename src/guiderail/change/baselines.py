"""The three baselines by the names under which facts speak of them."""

from __future__ import annotations

from collections.abc import Mapping

from guiderail.facts.provider import Inputs
from guiderail.facts.standing import Baseline

NOTHING_RUNS = "nothing runs in production to compare with"

AGAINST = ("change", "since_review", "since_full_review")
"""Prefixes of facts: against production, the last reviewed and the last fully reviewed release."""

IN_WORDS = {
    "change": "the version in production",
    "since_review": "the last reviewed version",
    "since_full_review": "the last fully reviewed version",
}


def baselines(inputs: Inputs) -> Mapping[str, Baseline | None]:
    """Prefix -> baseline; None where there is none."""
    standing = inputs.standing
    return {
        "change": standing.production,
        "since_review": standing.reviewed,
        "since_full_review": standing.full_review,
    }


def missing(prefix: str, inputs: Inputs) -> str:
    """Why a baseline is not there."""
    if inputs.standing.production is None:
        return NOTHING_RUNS
    return f"{IN_WORDS[prefix]} is not recorded"
