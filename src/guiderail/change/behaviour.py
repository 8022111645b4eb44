"""How the model behaves against its baselines on the same frozen data: performance and flips."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from guiderail.change.baselines import AGAINST, IN_WORDS, baselines, missing
from guiderail.change.flipped import (
    Groups,
    changes_by_group,
    counted_flips,
    flips_in_words,
    sample,
)
from guiderail.core.digest import json_digest
from guiderail.core.interval import Interval
from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import dictionary_key
from guiderail.facts.data.protected import declared_ranges, tested_attributes
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.performance import measured_change
from guiderail.facts.model.scored import (
    EvaluationRows,
    evaluation_key,
    evaluation_of,
    evaluation_rows,
    model_key,
    scored,
)
from guiderail.facts.places import written_at
from guiderail.facts.provider import Inputs, Provider, failed
from guiderail.facts.standing import Baseline
from guiderail.manifest.release import Release
from guiderail.manifest.schema import ModelManifest
from guiderail.sandbox.process import Failure
from guiderail.sandbox.score import Scores

if TYPE_CHECKING:
    from guiderail.measure.flips import Flips
    from guiderail.measure.performance import Performance
    from guiderail.measure.unmeasurable import NotMeasurable

_KINDS = ("performance", "error_growth", "flips")
_GIVES = tuple(f"{prefix}.{kind}" for kind in _KINDS for prefix in AGAINST)


@dataclass(frozen=True, slots=True)
class _Pair:
    """Both versions' scores on the rows of the release that is judged."""

    prefix: str
    rows: EvaluationRows
    new: Scores
    old: Scores
    old_release: Release
    source: str


def _run(inputs: Inputs) -> Iterator[Fact]:
    source = _source(inputs)
    found = baselines(inputs)
    absent = [prefix for prefix in AGAINST if found[prefix] is None]
    for prefix in absent:
        yield from _unknown(prefix, missing(prefix, inputs), source)
    present = {prefix: one for prefix, one in found.items() if one is not None}
    if not present:
        return
    new = scored(inputs.release, inputs.release, inputs.cache)
    if not isinstance(new, Scores):
        for prefix in present:
            yield from _no_scores(prefix, new, source)
        return
    rows = evaluation_rows(inputs.release)
    if isinstance(rows, Unknown):
        for prefix in present:
            yield from _unknown(prefix, rows.reason, source)
        return
    measured: dict[object, tuple[Fact, ...]] = {}
    with rows.table:
        for prefix, baseline in present.items():
            same = json_digest(_baseline_key(baseline))
            if same not in measured:
                measured[same] = tuple(_against(inputs, prefix, baseline, rows, new, source))
            for fact in measured[same]:
                yield replace(fact, name=f"{prefix}.{fact.name.partition('.')[2]}")


def _against(
    inputs: Inputs,
    prefix: str,
    baseline: Baseline,
    rows: EvaluationRows,
    new: Scores,
    source: str,
) -> Iterator[Fact]:
    if not isinstance(baseline.release.manifest, ModelManifest):
        yield from _unknown(prefix, f"{IN_WORDS[prefix]} is no model", source)
        return
    old = scored(baseline.release, inputs.release, inputs.cache)
    if not isinstance(old, Scores):
        reason = f"{IN_WORDS[prefix]}: {old.reason}"
        yield from _no_scores(
            prefix, Failure(reason) if isinstance(old, Failure) else Unknown(reason), source
        )
        return
    pair = _Pair(prefix, rows, new, old, baseline.release, source)
    yield from _performance(inputs, pair)
    yield _flips(inputs, pair)


def _performance(inputs: Inputs, pair: _Pair) -> Iterator[Fact]:
    found = measured_change(inputs.release, pair.rows, pair.new, pair.old_release, pair.old)
    return performance_facts(pair.prefix, found, pair.source)


def performance_facts(
    prefix: str, found: Performance | NotMeasurable, source: str
) -> Iterator[Fact]:
    """What a measured change says: how far the metric moved, and how far its error grew."""
    from guiderail.measure.unmeasurable import NotMeasurable

    name, growth = f"{prefix}.performance", f"{prefix}.error_growth"
    if isinstance(found, NotMeasurable):
        yield unknown(name, found.reason, source)
        yield unknown(growth, found.reason, source)
        return
    detail = {
        "metric": found.metric,
        "value": _plain(found.value),
        "old": None if found.old is None else _plain(found.old),
        "delta": None if found.delta is None else _plain(found.delta),
        "n": found.n,
        "method": found.method,
        "rows_needed": found.rows_needed,
    }
    if found.relative_pct is None:
        reason = "the metric of the earlier version is 0, so nothing is relative to it"
        yield unknown(name, reason, source)
    else:
        yield known(name, found.relative_pct, source, KnownBy.MEASURED, detail)
    if found.error_growth_pct is None:
        reason = "the earlier version made no error, or too few, for one to grow from"
        yield unknown(growth, reason, source)
    else:
        yield known(growth, found.error_growth_pct, source, KnownBy.MEASURED)


def _flips(inputs: Inputs, pair: _Pair) -> Fact:
    """Each version decides with its own threshold, as it would in production."""
    from guiderail.facts.model.decisions import decisions, positive_class
    from guiderail.measure.unmeasurable import NotMeasurable

    name = f"{pair.prefix}.flips"
    new = decisions(pair.new, *_decides(inputs.release, inputs.release))
    old = decisions(pair.old, *_decides(pair.old_release, inputs.release))
    if isinstance(new, NotMeasurable):
        return unknown(name, new.reason, pair.source)
    if isinstance(old, NotMeasurable):
        return unknown(name, f"the earlier version: {old.reason}", pair.source)
    groups, ranges = _groups(inputs, pair.rows), declared_ranges(inputs)
    counted = counted_flips(old, new, groups, ranges)
    if isinstance(counted, NotMeasurable):
        return unknown(name, counted.reason, pair.source)
    found, problem = counted
    evaluation = evaluation_of(inputs.release)
    positive = positive_class(pair.new, evaluation.positive if evaluation else None)
    detail = {
        **flips_in_words(found, problem),
        "changes": changes_by_group(old, new, groups, ranges, pair.rows.label, positive),
        "sample": sample(old, new, inputs.release.artefacts[evaluation.data]) if evaluation else [],
    }
    return flips_fact(pair.prefix, found, pair.source, detail)


def flips_fact(
    prefix: str, found: Flips, source: str, detail: Mapping[str, object] | None = None
) -> Fact:
    """The share of decisions that flip, in percent."""
    rate = found.rate
    percent = Interval(100 * rate.value, 100 * rate.low, 100 * rate.high)
    return known(f"{prefix}.flips", percent, source, KnownBy.MEASURED, detail)


def _groups(inputs: Inputs, rows: EvaluationRows) -> Groups:
    """Protected columns of the evaluation data; flips are counted in each of their groups."""
    offered = rows.table.names
    return rows.table.frame([name for name in tested_attributes(inputs) if name in offered])


def _decides(model: Release, judged: Release) -> tuple[float | None, str | None]:
    manifest = model.manifest
    threshold = manifest.model.threshold if isinstance(manifest, ModelManifest) else None
    evaluation = evaluation_of(judged)
    return threshold, evaluation.positive if evaluation is not None else None


def _plain(interval: Interval) -> list[float]:
    return [interval.value, interval.low, interval.high]


def _no_scores(prefix: str, why: Failure | Unknown, source: str) -> Iterator[Fact]:
    for name in _names(prefix):
        make = failed if isinstance(why, Failure) else unknown
        yield make(name, why.reason, source)


def _unknown(prefix: str, reason: str, source: str) -> Iterator[Fact]:
    for name in _names(prefix):
        yield unknown(name, reason, source)


def _names(prefix: str) -> tuple[str, ...]:
    return tuple(f"{prefix}.{kind}" for kind in _KINDS)


def _source(inputs: Inputs) -> str:
    evaluation = evaluation_of(inputs.release)
    if evaluation is None:
        return written_at(inputs.release, "evaluation")
    return f"{evaluation.data} scored by both versions"


def _key(inputs: Inputs) -> Mapping[str, object]:
    found = baselines(inputs)
    return {
        **dictionary_key(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
        "baselines": {
            prefix: _baseline_key(one) if one is not None else missing(prefix, inputs)
            for prefix, one in found.items()
        },
    }


def _baseline_key(baseline: Baseline) -> Mapping[str, object]:
    if not isinstance(baseline.release.manifest, ModelManifest):
        return {"release": baseline.digest}
    return model_key(baseline.release)


BEHAVIOUR = Provider(
    id="change.behaviour", version=5, kinds=("model",), gives=_GIVES, run=_run, key=_key
)
