"""Which inputs of the model lie otherwise in one set of data than in another. No rule reads it.

`data.moved_columns` compares the evaluation data with the training data: a model judged on other
people than it learned from is judged on the wrong ones, or rightly on those that it will meet; only
a person can say which. Judged by the size of the population stability index, as `measure.drift`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import data_key, open_data, sources
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_of
from guiderail.facts.model.summary import model_file, model_inputs
from guiderail.facts.provider import Inputs, Provider
from guiderail.manifest.release import Release

if TYPE_CHECKING:
    from guiderail.measure.drift import ColumnDrift

NAME = "data.moved_columns"
File = tuple[Release, str]


def _run(inputs: Inputs) -> Iterator[Fact]:
    release, evaluation = inputs.release, evaluation_of(inputs.release)
    named = sources(release)
    if evaluation is None or not named:
        reason = NO_DATA if evaluation is None else "guiderail.yaml names no training source"
        yield unknown(NAME, reason, "guiderail.yaml")
        return
    fed = model_inputs(release, inputs.cache)
    source = f"{', '.join(one.data for one in named)} and {evaluation.data}"
    if isinstance(fed, Unknown):
        yield unknown(NAME, fed.reason, source)
        return
    pairs = [((release, one.data), (release, evaluation.data)) for one in named]
    yield moved(NAME, pairs, fed, source)


def moved(
    name: str, pairs: Sequence[tuple[File, File]], columns: Sequence[str], source: str
) -> Fact:
    """How many of the columns moved, each from the first reference that has it.

    pairs: (reference, current) data files. Unknown where none moved and one was not measured.
    """
    found: dict[str, ColumnDrift] = {}
    for reference, current in pairs:
        left = [one for one in columns if one not in found]
        for row in _drift(reference, current, left):
            found[row.name] = row
    absent = [one for one in columns if one not in found]
    open_ones = [row for row in found.values() if row.verdict == "not measured"]
    gone = [row.name for row in found.values() if row.verdict == "moved"]
    if not gone and (absent or open_ones or not found):
        first = open_ones[0] if open_ones else None
        reason = f"the column {absent[0]} is in no reference" if absent else "nothing to compare"
        if first is not None:
            reason = f"{first.name}: {first.reason or first.note or 'not measured'}"
        return unknown(name, reason, source)
    shown = sorted(found.values(), key=lambda row: -(row.psi_low or 0.0))
    detail = {
        "moved": gone,
        "not_measured": [*absent, *(row.name for row in open_ones)],
        "columns": [
            {
                "name": row.name,
                "verdict": row.verdict,
                "psi": row.psi,
                "interval": None if row.psi_low is None else [row.psi_low, row.psi_high],
                "missing": [row.missing_reference, row.missing_current],
            }
            for row in shown[:20]
        ],
    }
    return known(name, len(gone), source, KnownBy.MEASURED, detail)


def _drift(reference: File, current: File, columns: Sequence[str]) -> Iterator[ColumnDrift]:
    from guiderail.measure.drift import drift
    from guiderail.measure.profile import make_profile

    with open_data(*reference) as before, open_data(*current) as now:
        both = [one for one in columns if one in before.names]
        if both:
            yield from drift(make_profile(before, both), now, both).columns


def _key(inputs: Inputs) -> Mapping[str, object]:
    release = inputs.release
    evaluation = evaluation_of(release)
    return {
        **data_key(release),
        "sources": [one.data for one in sources(release)],
        "evaluation": None if evaluation is None else evaluation.data,
        "model": release.artefacts[model_file(release)],
    }


MOVED = Provider(id="data.moved", version=1, kinds=("model",), gives=(NAME,), run=_run, key=_key)
