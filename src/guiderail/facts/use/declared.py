"""What the owner declares about the use; what is measured can only make it heavier."""

from __future__ import annotations

from collections.abc import Iterator

from guiderail.core.errors import GuiderailError
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import SeenColumn, seen_columns
from guiderail.facts.fact import Fact, known, unknown
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider
from guiderail.facts.use.profile import use_profile_digest

_ANSWERS = (
    "prohibited",
    "domain",
    "affects_people",
    "customer_facing",
    "decision",
    "influence",
    "exposure",
    "regulated",
    "reversible",
)


def _run(inputs: Inputs) -> Iterator[Fact]:
    use = inputs.release.manifest.use
    answers = {
        "prohibited": use.prohibited,
        "domain": use.domain,
        "affects_people": use.affects_people,
        "customer_facing": use.customer_facing,
        "decision": use.decision,
        "influence": use.influence,
        "exposure": use.exposure,
        "regulated": use.regulated,
        "reversible": use.reversible,
    }
    for answer in _ANSWERS:
        name, value = f"use.{answer}", answers[answer]
        place = written_at(inputs.release, name)
        if value is None:
            yield unknown(name, "the owner has not answered it", place)
        elif answer == "affects_people" and value is False:
            yield _people(inputs, place)
        else:
            yield known(name, value, place, KnownBy.DECLARED)
    confirmed = use_profile_digest(inputs.release) in inputs.standing.confirmed_profiles
    yield known("use.confirmed", confirmed, "the workspace's confirmations", KnownBy.ATTESTED)


def _people(inputs: Inputs, place: str) -> Fact:
    """`affects_people: false` does not stand against columns about people."""
    name = "use.affects_people"
    try:
        columns = seen_columns(inputs.release, inputs)
    except (GuiderailError, OSError) as problem:
        # The data facts say themselves that the data cannot be read; nothing was measured here.
        detail = {"unchecked": str(problem)}
        return known(name, False, place, KnownBy.DECLARED, detail)
    about_people = [
        column for column in columns if column.cls in ("personal", "protected") and column.certain
    ]
    if not about_people:
        return known(name, False, place, KnownBy.DECLARED)
    first = about_people[0]
    source = f"{first.file}, column {first.name} ({first.kind}); {place} declares false"
    return known(name, True, source, KnownBy.MEASURED, {"columns": _shown(about_people)})


def _shown(columns: list[SeenColumn]) -> list[str]:
    return [f"{column.file}: {column.name} ({column.kind})" for column in columns]


DECLARED_USE = Provider(
    id="use.declared",
    version=1,
    kinds=("app", "model", "pipeline"),
    gives=(*(f"use.{answer}" for answer in _ANSWERS), "use.confirmed"),
    run=_run,
)
