"""A release as a CycloneDX 1.7 bill of materials; of a model with its model card (ML-BOM).

Format: CycloneDX 1.7 JSON (ECMA-424), https://cyclonedx.org/docs/1.7/json/. Written as plain JSON:
the same records give the same bytes, so the serial number follows from the release.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final
from uuid import UUID, uuid5

from guiderail_verify.case_tables import shown
from guiderail_verify.model_card import Release, cells_of, limits_of, wilson, words

NAMESPACE: Final = UUID("5f2b6c1e-6d0f-5d0b-8f0a-2f6f3c3e9a11")
"""Of every identifier in the documents of a pack."""
_TYPES: Final = {"model": "machine-learning-model", "app": "application", "pipeline": "application"}


def bill_of_materials(release: Release) -> dict[str, Any]:
    """The document. Artefacts carry Guiderail's digest as a property: that of a directory is not
    the SHA-256 of a file."""
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE, f'bom {release.case} {release.digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": release.decided_at,
            "tools": {"components": [{"type": "application", "name": "guiderail"}]},
            "component": _component(release),
        },
        "components": [*_artefacts(release), *_datasets(release)],
        "dependencies": [
            {
                "ref": "release",
                "dependsOn": sorted(
                    str(one["bom-ref"]) for one in (*_artefacts(release), *_datasets(release))
                ),
            }
        ],
    }


def _component(release: Release) -> dict[str, Any]:
    manifest = release.manifest
    component: dict[str, Any] = {
        "type": _TYPES[release.kind],
        "bom-ref": "release",
        "name": str(manifest["name"]),
        "version": str(manifest["version"]),
        "description": str(manifest["purpose"]),
        "properties": _properties(
            {
                "release": release.digest,
                "case": release.case,
                "tier": release.history.value("tier"),
                "track": release.history.value("track"),
                "outcome": release.history.outcome,
                "owner": str(manifest["owner"]),
                "policy": str(release.history.decisions[-1].policy),
            }
        ),
    }
    if release.kind == "model":
        component["modelCard"] = _card(release)
    return component


def _card(release: Release) -> dict[str, Any]:
    inputs = release.value("model.inputs")
    metrics = [*_metrics(release), *_group_metrics(release)]
    return {
        "bom-ref": "model-card",
        "modelParameters": {
            **_told("modelArchitecture", release.value("model.architecture")),
            "datasets": [{"ref": str(one["bom-ref"])} for one in _datasets(release)],
            "inputs": [{"format": str(one)} for one in inputs] if isinstance(inputs, list) else [],
        },
        "quantitativeAnalysis": {"performanceMetrics": metrics},
        "considerations": {
            "useCases": [str(release.manifest["purpose"])],
            "technicalLimitations": [
                *(f"{gate}: {verdict}. {why}" for gate, verdict, why in limits_of(release)),
                *(f"Not to be used for: {use}" for use in release.manifest.get("forbidden_uses")
                  or ()),
            ],
            "fairnessAssessments": [
                {"groupAtRisk": str(cell["group"]), "harms": f"selected {cell['selected']} of "
                 f"{cell['n']}"}
                for cell in cells_of(release)
            ],
        },
        "properties": _properties(
            {
                name: words(fact["value"])
                for name, fact in release.facts.items()
                if name.startswith(("explanations.", "model.", "use."))
            }
        ),
    }  # fmt: skip


def _metrics(release: Release) -> Iterator[dict[str, Any]]:
    """Every measured interval or number; what is not known is a limit and no metric."""
    for name in sorted(release.facts):
        if not name.startswith(("performance.", "fairness.", "change.", "explanations.")):
            continue
        found = shown(release.facts[name]["value"])
        if found.value and not isinstance(release.facts[name]["value"], str | bool | list):
            yield {
                "type": name,
                "value": found.value,
                **_interval(found.low, found.high),
            }


def _group_metrics(release: Release) -> Iterator[dict[str, Any]]:
    for cell in cells_of(release):
        bounds = wilson(cell["selected"], cell["n"])
        if bounds is not None:
            yield {
                "type": "selection_rate",
                "value": bounds[0],
                "slice": str(cell["group"]),
                **_interval(*bounds[1:]),
            }


def _interval(low: str, high: str) -> dict[str, Any]:
    return {"confidenceInterval": {"lowerBound": low, "upperBound": high}} if low else {}


def _artefacts(release: Release) -> list[dict[str, Any]]:
    return [
        {
            "type": "file",
            "bom-ref": f"artefact-{number}",
            "name": name,
            "properties": _properties({"digest": digest}),
        }
        for number, (name, digest) in enumerate(sorted(release.artefacts.items()), 1)
    ]


def _datasets(release: Release) -> list[dict[str, Any]]:
    found = []
    for section in ("training", "sources"):
        for source in release.manifest.get(section) or ():
            allowed = source.get("permitted") or {}
            told = {
                "fingerprint": source.get("fingerprint"),
                "permission": source.get("permission"),
                "permitted.by": allowed.get("by"),
                "permitted.purpose": allowed.get("purpose"),
                "permitted.until": allowed.get("until"),
            }
            found.append(
                {
                    "type": "data",
                    "bom-ref": f"data-{source['name']}",
                    "name": str(source["name"]),
                    "data": [{"type": "dataset", "name": str(source.get("data"))}],
                    "properties": _properties({k: str(v) for k, v in told.items() if v}),
                }
            )
    return found


def _told(name: str, value: Any) -> dict[str, str]:
    """The field, where the value is known."""
    found = shown(value)
    return {name: found.value} if found.value else {}


def _properties(values: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": f"guiderail:{name}", "value": value} for name, value in sorted(values.items())]
