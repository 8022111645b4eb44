"""The files of one case in an audit pack, each as the bytes whose hash the ledger holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import RowMapping, select

from guiderail.core.digest import canonical_json
from guiderail.core.errors import IntegrityError
from guiderail.core.time import to_text
from guiderail.review import cases
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot
from guiderail_verify import audit_files as layout
from guiderail_verify.audit_entries import CaseHistory
from guiderail_verify.check_cases import dossiers_of
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.proof import TlogProof


@dataclass(frozen=True, slots=True)
class Reader:
    """What the files of a case are made from. note: the signed checkpoint over the tree."""

    snapshot: Snapshot
    workspace: Workspace
    people: Mapping[str, str]
    tree: EntryTree
    note: str

    def one(self, table: Any, digest: str) -> RowMapping:
        """The row of a digest. Raises IntegrityError where it is gone."""
        statement = select(table).where(table.c.digest == digest)
        row = self.snapshot.execute(statement).mappings().first()
        if row is None:
            raise IntegrityError(
                f"the {table.name.replace('_', ' ')} {digest} is not stored any more",
                code="audit/missing",
                advice="Restore the workspace from a backup; the ledger still names it.",
            )
        return row

    def of_case(self, table: Any, case: str, *order: Any) -> list[RowMapping]:
        statement = select(table).where(table.c.case_id == case).order_by(*order)
        return list(self.snapshot.execute(statement).mappings())


def case_files(reader: Reader, history: CaseHistory) -> dict[str, bytes]:
    """Path in the pack -> bytes. Raises IntegrityError where a record is gone."""
    files = record_files(reader, history)
    case = history.id
    for entry in history.entries:
        proof = TlogProof(entry.seq, reader.tree.inclusion(entry.seq), reader.note, entry.body)
        path = layout.case_path(case, "proofs", f"{entry.seq}.tlog-proof")
        files[path] = proof.to_text().encode("utf-8")
    return files


def record_files(reader: Reader, history: CaseHistory) -> dict[str, bytes]:
    """What is recorded about the case, without the proofs that the ledger holds it."""
    files = dict(_decided(reader, history))
    case = history.id
    row = reader.one(tables.release_record, history.submitted.digest or "")
    files[layout.case_path(case, "release.json")] = b"".join(
        (b'{"artefacts":', column_bytes(row["artefacts"]),
         b',"manifest":', column_bytes(row["manifest"]), b"}")
    )  # fmt: skip
    permits = _permits(reader, history)
    for permit in permits:
        name = permit["id"]
        place = layout.case_path(case, "permits", f"{name}.dsse.json")
        files[place] = column_bytes(permit["envelope"])
        place = layout.case_path(case, "permits", f"{name}.tlog-proof")
        files[place] = str(permit["proof"]).encode("utf-8")
    files[layout.case_path(case, "case.json")] = canonical_json(_record(reader, history, permits))
    return files


def _decided(reader: Reader, history: CaseHistory) -> Iterator[tuple[str, bytes]]:
    """Facts, answers and decision of each dossier, and the policy packs that decided."""
    for dossier in dossiers_of(history):
        row = reader.one(tables.dossier, dossier)
        for part in ("facts", "answers", "decision"):
            yield layout.dossier_path(history.id, dossier, part), column_bytes(row[part])
    for entry in history.decisions:
        row = reader.one(tables.pack, entry.policy or "")
        yield layout.pack_path(entry.policy or ""), column_bytes(row["compiled"])


def _permits(reader: Reader, history: CaseHistory) -> list[RowMapping]:
    """In the order in which they were issued. Raises IntegrityError for one without its proof."""
    permits = reader.of_case(tables.permit, history.id, tables.permit.c.issued_at)
    if any(permit["proof"] is None for permit in permits):
        raise IntegrityError(
            f"a permit of {history.id} has no proof yet",
            code="audit/permit",
            advice="Run `guiderail status`, which completes it, then repeat the command.",
        )
    return permits


def _record(reader: Reader, history: CaseHistory, permits: list[RowMapping]) -> dict[str, object]:
    """`case.json`: what the store says; whoever verifies the pack compares it with the ledger."""
    case = cases.load(reader.snapshot, history.id)
    given = history.of_type("review.given")
    reviews = cases.reviews(reader.snapshot, history.id)
    return {
        "id": case.id,
        "workload": case.workload,
        "kind": case.kind,
        "release": case.release_digest,
        "submitter": case.submitter,
        "reviews": [
            {
                "seq": given[number].seq if number < len(given) else None,
                "at": to_text(review.at),
                "person": review.person,
                "role": review.role,
                "verdict": review.verdict,
                "reason": review.reason,
                "conditions": list(review.conditions),
                "accepted_gates": list(review.accepted),
                "dossier": review.dossier_digest,
            }
            for number, review in enumerate(reviews)
        ],
        "permits": [
            {"id": permit["id"], "revoked": permit["revoked_at"] is not None} for permit in permits
        ],
        "rollouts": [
            {
                "id": row["id"],
                "kind": row["kind"],
                "from": row["from_digest"],
                "to": row["to_digest"],
                "started_at": row["started_at"],
            }
            for row in reader.of_case(
                tables.rollout, history.id, tables.rollout.c.started_at, tables.rollout.c.id
            )
        ],
    }
