"""The cases of an audit pack as OSCAL 1.2.1 assessment results.

Format: NIST OSCAL, assessment results model, https://pages.nist.gov/OSCAL/. Each case is one
result: each gate an observation and, where the gate applies, a finding. A gate that passed is
`satisfied`; failed and insufficient ones are `not-satisfied`, whoever accepted them. Identifiers
are made from the records (UUID version 5), so the same records give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final
from uuid import uuid5

from guiderail_verify.cyclonedx import NAMESPACE
from guiderail_verify.model_card import Release

VERSION: Final = "1.2.1"


def assessment_results(releases: Sequence[Release], scope: str, at: str) -> dict[str, Any]:
    """The document over some cases.

    scope: names what they were taken from, the same for the same records. at: of the last record.
    """
    return {
        "assessment-results": {
            "uuid": _id("document", scope, *(one.case for one in releases)),
            "metadata": {
                "title": "Release decisions",
                "last-modified": at,
                "version": at,
                "oscal-version": VERSION,
                "remarks": "Evidence for controls, computed from the records of an audit pack. It "
                "is no statement of compliance.",
            },
            "import-ap": {"href": f"#{_id('plan', scope)}"},
            "results": [_result(one) for one in releases] or [_nothing(scope, at)],
            "back-matter": {
                "resources": [
                    {
                        "uuid": _id("plan", scope),
                        "title": "The policy packs that decided",
                        "description": "Each gate of the pack in force is one control.",
                        "rlinks": [
                            {"href": f"packs/{digest.removeprefix('sha256:')}.json"}
                            for digest in sorted(_packs(releases))
                        ]
                        or [{"href": "manifest.json"}],
                    }
                ]
            },
        }
    }


def dangling(document: Any) -> list[str]:
    """References in a document to what it does not define, and identifiers that it defines twice.

    The part of the model that a schema cannot say.
    """
    defined: list[str] = []
    used: set[str] = set()
    for name, value in _leaves(document):
        if name == "uuid":
            defined.append(value)
        elif name.endswith("-uuid"):
            used.add(value)
        elif name == "href" and value.startswith("#"):
            used.add(value[1:])
    twice = {one for one in defined if defined.count(one) > 1}
    return sorted(
        [f"{one} is not defined" for one in used - set(defined)]
        + [f"{one} is defined twice" for one in twice]
    )


def _leaves(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, name)
    elif isinstance(value, str):
        yield name, value


def _packs(releases: Iterable[Release]) -> set[str]:
    return {entry.policy or "" for one in releases for entry in one.history.decisions}


def _result(release: Release) -> dict[str, Any]:
    first, last = release.history.submitted, release.history.decisions[-1]
    component = _id("release", release.case, release.digest)
    gates = [gate for gate in release.decision["gates"] if gate["verdict"] != "not_applicable"]
    result: dict[str, Any] = {
        "uuid": _id("result", release.case, release.digest),
        "title": f"{release.case}: {release.manifest['name']} {release.manifest['version']}",
        "description": f"Tier {release.history.value('tier')}, track "
        f"{release.history.value('track')}, {release.history.outcome}.",
        "start": first.at,
        "end": last.at,
        "local-definitions": {
            "components": [
                {
                    "uuid": component,
                    "type": "software",
                    "title": f"{release.manifest['name']} {release.manifest['version']}",
                    "description": str(release.manifest["purpose"]),
                    "props": [{"name": "digest", "value": release.digest}],
                    "status": {"state": "operational" if _runs(release) else "other"},
                }
            ]
        },
        "reviewed-controls": {
            "control-selections": [
                {"include-controls": [{"control-id": gate["id"]} for gate in gates]}
                if gates
                else {"include-all": {}}
            ]
        },
    }
    if gates:
        result["observations"] = [_observation(release, gate, component) for gate in gates]
        result["findings"] = [_finding(release, gate) for gate in gates]
    return result


def _observation(release: Release, gate: Any, component: str) -> dict[str, Any]:
    facts = ", ".join(f"{fact['name']} {fact['value']}" for fact in gate["facts"])
    dossier = release.history.value("dossier").removeprefix("sha256:")
    return {
        "uuid": _id("observation", release.case, gate["id"]),
        "description": gate["sentence"] or gate["verdict"],
        "methods": ["TEST"],
        "subjects": [{"subject-uuid": component, "type": "component"}],
        "relevant-evidence": [
            {
                "href": f"cases/{release.case}/dossiers/{dossier}/facts.json",
                "description": facts or "The facts that the gate reads.",
            }
        ],
        "collected": release.decided_at,
    }


def _finding(release: Release, gate: Any) -> dict[str, Any]:
    passed = gate["verdict"] == "pass"
    return {
        "uuid": _id("finding", release.case, gate["id"]),
        "title": gate["id"],
        "description": gate["sentence"] or gate["verdict"],
        "target": {
            "type": "objective-id",
            "target-id": gate["id"],
            "status": {
                "state": "satisfied" if passed else "not-satisfied",
                "reason": "pass" if passed else "other" if gate["verdict"] != "fail" else "fail",
            },
        },
        "related-observations": [
            {"observation-uuid": _id("observation", release.case, gate["id"])}
        ],
    }


def _runs(release: Release) -> bool:
    return release.history.outcome == "permitted"


def _nothing(scope: str, at: str) -> dict[str, Any]:
    """A result without cases: the model asks for one."""
    return {
        "uuid": _id("nothing", scope),
        "title": "No case in the period",
        "description": "The pack holds no case.",
        "start": at,
        "reviewed-controls": {"control-selections": [{"include-all": {}}]},
    }


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE, "\n".join(parts)))
