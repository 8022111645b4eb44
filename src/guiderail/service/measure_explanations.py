"""`measure explanations`: what counts in a model, how two versions agree, and reasons for a no.

The model runs in the sandbox only. What cannot be measured comes back as `{"unknown": reason}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.csv_encoding import Encoding
from guiderail.core.errors import InputError
from guiderail.measure.unmeasurable import NotMeasurable
from guiderail.sandbox.inspect_model import inspect_model
from guiderail.sandbox.process import Failure

if TYPE_CHECKING:
    from guiderail.facts.model.explained import Version
    from guiderail.measure.attribution_agreement import Agreement
    from guiderail.measure.explanation_regression import Regression
    from guiderail.measure.reason_codes import CaseReasons
    from guiderail.measure.reason_texts import ReasonTexts

Document = dict[str, Any]
SHOWN_CASES = 10


@dataclass(frozen=True, slots=True)
class Settings:
    """What else is known. label: column with the outcome, never an input. protected: columns that
    may be no reason. threshold, positive: how a score becomes a yes. training: the data that the
    baseline was trained on; with the label it is trained again, to learn what is usual. encoding:
    of CSV files, where one is named.
    """

    label: str | None = None
    protected: tuple[str, ...] = ()
    threshold: float | None = None
    positive: str | None = None
    training: Path | None = None
    encoding: Encoding | None = None


def explanations(
    model: Path,
    data: Path,
    *,
    baseline: Path | None = None,
    reasons: Path | None = None,
    settings: Settings | None = None,
    plots: Path | None = None,
) -> Document:
    """Raises InputError for files that are missing or not right."""
    from guiderail.facts.model.explained import compared, reason_texts

    settings = settings or Settings()
    texts = None if reasons is None else reason_texts(reasons)
    _checked(model, data, baseline, settings)
    new = _version(model, data, settings, recipe=False)
    if isinstance(new, str):
        return {"agreement": None, "reasons": [], "unknown": new}
    document: Document = {
        "model": _shares(new),
        "agreement": None,
        **_reasons(new, data, texts, settings),
    }
    old: Version | None = None
    if baseline is not None:
        before = _version(baseline, data, settings, recipe=True)
        if isinstance(before, str):
            document["agreement"] = {"unknown": f"the baseline: {before}"}
        else:
            old = before
            document["baseline"] = _shares(old)
            document |= _agreement(compared(old, new), old)
    if plots is not None:
        document["plots"] = _plots(plots, document, new, old)
    return document


def _checked(model: Path, data: Path, baseline: Path | None, settings: Settings) -> None:
    from guiderail.measure.table import open_table

    for path in (model, *([baseline] if baseline else [])):
        if not path.exists():
            raise InputError(
                f"{path} does not exist",
                code="model/missing",
                advice="Name a model file or a directory that holds one.",
            )
    named = [name for name in (settings.label, *settings.protected) if name is not None]
    with open_table(data, settings.encoding) as table:
        for name in named:
            table.type_of(name)
    if settings.training is not None:
        if settings.label is None:
            raise InputError(
                "nothing can be trained again without its label",
                code="measure/label",
                advice="Name the column with the true outcome with --label.",
            )
        with open_table(settings.training, settings.encoding) as table:
            table.type_of(settings.label)


def _version(path: Path, data: Path, settings: Settings, *, recipe: bool) -> Version | str:
    from guiderail.facts.model.explained import Decides, version
    from guiderail.sandbox.attribute import Refits, attribute
    from guiderail.sandbox.score import score

    summary = inspect_model(path)
    if summary.safety == "unsafe":
        return f"{path.name} is refused: {'; '.join(summary.reasons)}"
    exclude = [name for name in (settings.label, *settings.protected) if name is not None]
    refits = None
    if recipe and settings.training is not None and settings.label is not None:
        refits = Refits(settings.training, settings.label)
    found = attribute(
        path, data, summary.names, exclude=exclude, encoding=settings.encoding, refits=refits
    )
    if isinstance(found, Failure):
        return found.reason
    scores = score(path, data, summary.names, exclude=exclude, encoding=settings.encoding)
    known = scores.reason if isinstance(scores, Failure) else scores
    return version(found, known, Decides(settings.threshold, settings.positive))


def _shares(one: Version) -> Document:
    import numpy as np

    found = one.attributions
    weights = np.abs(found.values).mean(axis=0)
    whole = float(weights.sum())
    errors = None if found.errors is None else found.errors.mean(axis=0)
    order = np.argsort(-weights, kind="stable").tolist()
    return {
        "method": found.method,
        "scale": found.scale,
        "rows": len(found.rows),
        "base": found.base,
        "refused": None if one.explained.adverse is None else int(one.explained.adverse.sum()),
        "inputs": [
            {
                "name": found.names[place],
                "share": float(weights[place]) / whole if whole > 0 else None,
                "weight": float(weights[place]),
                "error": None if errors is None else float(errors[place]),
            }
            for place in order
        ],
        "isolation": found.isolation.to_json(),
    }


def _agreement(found: Agreement | NotMeasurable, recipe: Version) -> Document:
    from guiderail.facts.model.explained import tested
    from guiderail.measure.intervals import wilson

    if isinstance(found, NotMeasurable):
        return {"agreement": {"unknown": found.reason}}
    verdict = tested(found, recipe)
    same = None
    if found.both_adverse:
        share = wilson(found.principal, found.both_adverse)
        same = {"value": 100 * share.value, "low": 100 * share.low, "high": 100 * share.high}
    return {
        "agreement": {
            "cosine": found.cosine,
            "top_k": found.top_k,
            "sign": found.sign,
            "share_shift": found.share_shift,
            "silent": found.silent,
            "strength": found.strength,
            "reasons": found.reasons,
            "n": found.n,
            "shifts": dict(sorted(found.shifts.items(), key=lambda item: -abs(item[1]))),
        },
        "reason_stability": {
            "refused_by_both": found.both_adverse,
            "same_principal": found.principal,
            "percent": same,
        },
        "regression": _regression(verdict),
    }


def _regression(found: Regression | NotMeasurable) -> Document:
    from guiderail.measure.explanation_regression import calibrated_on

    if isinstance(found, NotMeasurable):
        return {"verdict": "insufficient", "why": [found.reason], "measures": []}
    return {
        "verdict": found.verdict,
        "why": list(found.why),
        "measures": [
            {
                "measure": one.measure,
                "distance": one.distance,
                "usual": one.usual,
                "limit": one.limit,
                "alarms": one.alarms,
            }
            for one in found.tested
        ],
        "refits": found.refits,
        "calibrated_on": calibrated_on(),
    }


def _reasons(one: Version, data: Path, texts: ReasonTexts | None, settings: Settings) -> Document:
    from guiderail.facts.model.explained import background_stability, protected_inputs
    from guiderail.measure.reason_codes import directions_of, reason_codes
    from guiderail.measure.reason_texts import check_texts
    from guiderail.measure.table import open_table

    found = one.attributions
    document: Document = {"reasons": []}
    with open_table(data, settings.encoding) as table:
        offered = [name for name in found.names if name in table.names]
        directions = {name: directions_of(table.column(name), found.rows) for name in offered}
    never = protected_inputs(found.names, settings.protected)
    cases = reason_codes(one.explained, directions, errors=found.errors, protected=never)
    if one.undecided:
        document["reasons_unknown"] = one.undecided
    document["refused"] = len(cases)
    document["reasons"] = [_case(case, one, texts) for case in cases[:SHOWN_CASES]]
    document["protected_reasons"] = sum(1 for case in cases if case.hidden)
    stable = background_stability(one)
    document["background_stability"] = (
        {"unknown": stable.reason} if isinstance(stable, NotMeasurable) else stable
    )
    if texts is not None:
        problems = check_texts(texts, found.names, never)
        document["texts"] = {
            "audiences": list(texts.audiences),
            "broken": sum(1 for problem in problems if problem.breaks),
            "problems": [
                {
                    "input": problem.input,
                    "audience": problem.audience,
                    "fault": problem.fault,
                    "breaks": problem.breaks,
                    "text": problem.text,
                    "says": problem.says,
                }
                for problem in problems
            ],
        }
    return document


def _case(case: CaseReasons, one: Version, texts: ReasonTexts | None) -> Document:
    return {
        "row": int(one.attributions.rows[case.place]) + 1,
        "reasons": [
            {
                "input": reason.input,
                "weight": reason.weight,
                "direction": reason.direction,
                "clear": reason.clear,
                "texts": _told(reason.input, reason.direction, texts),
            }
            for reason in case.reasons
        ],
        "protected": list(case.hidden),
    }


def _told(name: str, direction: str, texts: ReasonTexts | None) -> dict[str, str]:
    if texts is None:
        return {}
    row = texts.texts.get(name, {})
    return {
        audience: text.low if direction == "low" else text.high for audience, text in row.items()
    }


def _plots(folder: Path, document: Document, new: Version, old: Version | None) -> list[str]:
    """Write SVG files; the names of what was written."""
    from guiderail.render.attribution_svg import comparison_svg, waterfall_svg

    folder.mkdir(parents=True, exist_ok=True)
    drawn: dict[str, str] = {}
    found = new.attributions
    for case in document["reasons"]:
        place = found.rows.tolist().index(case["row"] - 1)
        drawn[f"waterfall-row-{case['row']}.svg"] = waterfall_svg(
            f"Row {case['row']}: from the usual score to this one",
            found.base,
            list(zip(found.names, found.values[place].tolist(), strict=True)),
        )
    if not document["reasons"]:
        drawn[f"waterfall-row-{int(found.rows[0]) + 1}.svg"] = waterfall_svg(
            f"Row {int(found.rows[0]) + 1}: from the usual score to this one",
            found.base,
            list(zip(found.names, found.values[0].tolist(), strict=True)),
        )
    if old is not None:
        before = {row["name"]: row["share"] for row in document["baseline"]["inputs"]}
        after = {row["name"]: row["share"] for row in document["model"]["inputs"]}
        drawn["comparison.svg"] = comparison_svg(
            "Share of each input: baseline pale, this version full", before, after
        )
    for name, text in drawn.items():
        (folder / name).write_text(text, encoding="utf-8")
    return sorted(drawn)
