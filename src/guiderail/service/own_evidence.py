"""What Guiderail itself states as evidence: gate results, reviews, rollouts, results of tests.

Each is an in-toto statement about the release, signed like a permit, kept in the blob store and
named by the entry of the event it belongs to. Nobody's name and nobody's free text is in one: who
acted stands in the entry, as a pseudonym, and what they wrote beside the ledger.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from guiderail.attest.statement import (
    GATE_RESULT,
    REVIEW,
    ROLLOUT,
    TEST_RESULT,
    sign_statement,
    statement,
)
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail.facts.evidence.outside import JUNIT, SARIF
from guiderail.facts.evidence.tests import read_junit
from guiderail.ledger.events import Evidence
from guiderail.manifest.release import Release
from guiderail.review.cases import Case
from guiderail.review.required import Review
from guiderail.service.workspace import Workspace

MOST_TESTS: Final = 1000
"""Failed tests that are named; their number is in the facts."""


def gate_results(
    workspace: Workspace, case: Case, decision: Mapping[str, Any], now: datetime
) -> Evidence:
    """What every gate said in one decision, with the dossier and the policy that gave it."""
    return _kept(
        workspace,
        "gates",
        Subject(case.kind, case.workload, case.release_digest),
        GATE_RESULT,
        {
            "case": case.id,
            "dossier": case.dossier_digest,
            "decidedAt": to_text(now),
            "policy": {
                "name": decision["policy"]["pack"],
                "version": decision["policy"]["version"],
                "digest": {"sha256": decision["policy"]["digest"].removeprefix("sha256:")},
            },
            "tier": decision["tier"]["value"],
            "track": decision["track"]["value"],
            "outcome": decision["outcome"],
            "gates": [
                {"id": gate["id"], "verdict": gate["verdict"], "enforced": gate["enforced"]}
                for gate in decision["gates"]
            ],
        },
    )


def review_given(workspace: Workspace, case: Case, review: Review) -> Evidence:
    """One person's decision in one role on one dossier."""
    return _kept(
        workspace,
        "review",
        Subject(case.kind, case.workload, case.release_digest),
        REVIEW,
        {
            "case": case.id,
            "dossier": review.dossier_digest,
            "role": review.role,
            "verdict": review.verdict,
            "conditions": len(review.conditions),
            "acceptedGates": list(review.accepted),
            "reviewedAt": to_text(review.at),
        },
    )


def rollout_ended(
    workspace: Workspace,
    case: Case,
    rollout: str,
    outcome: str,
    digests: tuple[str | None, str],
    now: datetime,
) -> Evidence:
    """How a rollout or a way back ended. digests: what served before, and what was to serve."""
    return _kept(
        workspace,
        "rollout",
        Subject(case.kind, case.workload, case.release_digest),
        ROLLOUT,
        {
            "case": case.id,
            "rollout": rollout,
            "outcome": outcome,
            "from": digests[0],
            "to": digests[1],
            "endedAt": to_text(now),
        },
    )


def keep_reports(workspace: Workspace, release: Release) -> list[Evidence]:
    """The reports as they lie there, and what the tests among them came to.

    A report is its submitter's word; a statement beside it or a signature may make it more.
    """
    evidence = release.manifest.evidence
    found = []
    for name, type_, path in (
        ("security", SARIF, evidence.security),
        ("tests", JUNIT, evidence.tests),
    ):
        if path is not None and release.path(path).is_file():
            digest = workspace.blobs.put_file(release.path(path))
            found.append(Evidence(name, type_, digest, "declared"))
            if type_ == JUNIT:
                found += _test_result(workspace, release, digest)
    return found


def _test_result(workspace: Workspace, release: Release, report: str) -> Sequence[Evidence]:
    """https://github.com/in-toto/attestation/blob/main/spec/predicates/test-result.md"""
    try:
        run = read_junit(workspace.blobs.read(report))
    except ValueError:
        return ()
    passed = run.ran > 0 and not run.failed
    subject = Subject(release.manifest.kind, release.manifest.served_as, release.digest)
    kept = _kept(
        workspace,
        "test-result",
        subject,
        TEST_RESULT,
        {
            "result": "PASSED" if passed else "FAILED",
            "configuration": [
                {"name": "report", "digest": {"sha256": report.removeprefix("sha256:")}}
            ],
            "failedTests": list(run.failed[:MOST_TESTS]),
        },
    )
    return (Evidence(kept.name, kept.predicate_type, kept.digest, "declared"),)


def _kept(
    workspace: Workspace, name: str, subject: Subject, type_: str, predicate: Mapping[str, object]
) -> Evidence:
    envelope = sign_statement(statement(subject, type_, predicate), workspace.keyring)
    return Evidence(name, type_, workspace.blobs.put_bytes(envelope))
