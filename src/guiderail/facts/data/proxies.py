"""How well the inputs of the model give protected attributes of the evaluation data away."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from guiderail.core.scales import KnownBy
from guiderail.facts.data.data_files import open_data
from guiderail.facts.data.protected import declared_ranges, tested_attributes
from guiderail.facts.fact import Fact, Unknown, known, unknown
from guiderail.facts.model.scored import NO_DATA, evaluation_key, evaluation_of, model_key
from guiderail.facts.model.summary import model_inputs
from guiderail.facts.provider import Inputs, Provider

if TYPE_CHECKING:
    from guiderail.measure.proxies import Proxy

_SINGLE, _JOINT = "proxies.highest_auc", "proxies.joint_auc"
SHOWN = 20


def _run(inputs: Inputs) -> Iterator[Fact]:
    evaluation = evaluation_of(inputs.release)
    if evaluation is None:
        yield from _unknown(NO_DATA, "guiderail.yaml")
        return
    source = f"columns of {evaluation.data}"
    attributes = tested_attributes(inputs)
    if not attributes:
        reason = "there is no protected attribute to test by; name one under evaluation.protected"
        yield from _unknown(reason, source)
        return
    fed = model_inputs(inputs.release, inputs.cache)
    if isinstance(fed, Unknown):
        yield from _unknown(fed.reason, source)
        return
    from guiderail.measure.proxies import table_proxies

    # An attribute that is an input itself is no stand-in; data.protected tells of it.
    features = [name for name in fed if name not in attributes]
    ranges = declared_ranges(inputs)
    seed = int(inputs.release.artefacts[evaluation.data].removeprefix("sha256:")[:12], 16)
    with open_data(inputs.release, evaluation.data) as table:
        if not features:
            yield from _unknown("every input is a protected attribute itself", source)
            return
        report = table_proxies(
            table, features, {name: ranges.get(name) for name in attributes}, seed=seed
        )
    yield _strongest(_SINGLE, report.features, source)
    yield _strongest(_JOINT, report.joint, source)


def _strongest(name: str, rows: Sequence[Proxy], source: str) -> Fact:
    """The strongest; unknown where one that matters is not measured, as it could be stronger."""
    open_rows = [row for row in rows if row.auc is None and not row.harmless]
    if open_rows:
        first = open_rows[0]
        who = "all inputs together" if first.feature is None else first.feature
        return unknown(name, f"{who} and {first.attribute}: {first.reason}", source)
    measured = sorted(
        (row for row in rows if row.auc is not None), key=lambda row: -(row.auc or 0.0)
    )
    if not measured or measured[0].auc is None:
        return unknown(name, "every input is empty or has one value", source)
    top = measured[0]
    detail = {
        "feature": top.feature or "all inputs together",
        "attribute": top.attribute,
        "group": top.group,
        "n": top.n,
        "rows": [
            [row.feature, row.attribute, row.group, row.auc, _chance(row), _ranks(row)]
            for row in measured[:SHOWN]
        ],
    }
    return known(name, round(top.auc or 0.0, 6), source, KnownBy.MEASURED, detail)


def _chance(row: Proxy) -> dict[str, float] | None:
    if row.null is None:
        return None
    return {"mean": row.null.mean, "high": row.null.high, "p_holm": row.null.p_holm}


def _ranks(row: Proxy) -> list[float] | None:
    """The rank correlation of two columns of numbers: value, low, high."""
    from guiderail.core.interval import Interval

    found = row.ranks
    return [found.value, found.low, found.high] if isinstance(found, Interval) else None


def _unknown(reason: str, source: str) -> Iterator[Fact]:
    for name in PROXIES.gives:
        yield unknown(name, reason, source)


def _key(inputs: Inputs) -> Mapping[str, object]:
    return {
        "attributes": tested_attributes(inputs),
        **evaluation_key(inputs.release),
        **model_key(inputs.release),
    }


PROXIES = Provider(
    id="data.proxies",
    version=2,
    kinds=("model",),
    gives=(_SINGLE, _JOINT),
    run=_run,
    key=_key,
)
