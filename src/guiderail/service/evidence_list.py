"""What is kept as evidence, for people: of a case, about a digest, of a type."""

from __future__ import annotations

from typing import Any

from guiderail.review import cases
from guiderail.service.evidence_index import Kept, find
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot


def evidence_document(
    workspace: Workspace,
    case: str | None,
    *,
    about: str | None = None,
    predicate_type: str | None = None,
) -> dict[str, Any]:
    """Evidence that fits everything that is given. Raises InputError for an unknown case."""
    with workspace.store.read() as snapshot:
        if case is not None:
            cases.load(snapshot, case)
        found = find(snapshot, case=case, subject=about, predicate_type=predicate_type)
    return {"case": case, "evidence": rows(found)}


def evidence_of_case(snapshot: Snapshot, case: str) -> list[dict[str, Any]]:
    """The rows of one case."""
    return rows(find(snapshot, case=case))


def rows(found: list[Kept]) -> list[dict[str, Any]]:
    """One row for each document of an entry, with everything that it is about."""
    told: dict[tuple[int, str, str], dict[str, Any]] = {}
    for one in found:
        row = told.setdefault(
            (one.seq, one.name, one.digest),
            {
                "name": one.name,
                "predicate_type": one.predicate_type,
                "digest": one.digest,
                "known_by": one.known_by,
                "signer": one.signer,
                "case": one.case,
                "workload": one.workload,
                "entry": one.seq,
                "at": one.at,
                "about": [],
            },
        )
        row["about"].append(one.subject_digest)
    return list(told.values())
