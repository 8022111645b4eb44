"""The audit trail for people: log, verify, checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiderail.attest.keys import read_kept, read_trusted
from guiderail.core.errors import InputError
from guiderail.ledger import verify as verification
from guiderail.ledger.read import entries
from guiderail.ledger.seal import latest_note, seal
from guiderail.service.workspace import Workspace


def log(
    workspace: Workspace, *, case: str | None = None, limit: int | None = None
) -> dict[str, Any]:
    """Events in order, oldest first; with a limit, the newest of them."""
    with workspace.store.read() as snapshot:
        found = list(entries(snapshot, case=case))
    chosen = found[-limit:] if limit is not None else found
    return {
        "entries": [
            {
                "seq": entry.seq,
                "at": entry.at,
                "type": entry.type,
                "subject": {
                    "kind": entry.subject.kind,
                    "name": entry.subject.name,
                    "digest": entry.subject.digest,
                },
                "subject_no": entry.subject_no,
                "person": entry.person,
                "outcome": entry.outcome,
                "policy": entry.policy,
                "evidence": dict(entry.evidence),
                "payload": dict(entry.payload) if entry.payload is not None else None,
                "sentence": entry.sentence,
            }
            for entry in chosen
        ]
    }


def verify(workspace: Workspace, *, held: Path | None = None) -> dict[str, Any]:
    """Recompute everything, against the checkpoint beside the keys too.

    held: a checkpoint that was kept outside.
    """
    note = None
    if held is not None:
        try:
            note = held.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{held} cannot be read ({error})",
                code="ledger/held",
                advice="Name a file that `guiderail ledger checkpoint` once printed.",
            ) from error
    kept = read_kept(workspace.home)
    report = verification.verify(
        workspace.store, read_trusted(workspace.home), held=note, kept=kept
    )
    return {
        "size": report.size,
        "root": report.root,
        "checkpoint": report.checkpoint,
        "sealed": report.sealed,
        "held": held is not None,
        "problems": [problem.sentence for problem in report.problems],
        "notices": list(report.notices),
        "erased": report.erased,
        "removed": report.removed,
    }


def checkpoint(workspace: Workspace) -> dict[str, Any]:
    """Seal the log as it is and give the signed checkpoint."""
    sealed = seal(workspace.store, workspace.keyring, workspace.clock())
    with workspace.store.read() as snapshot:
        note = latest_note(snapshot, at_least=sealed.size)
    return {"size": sealed.size, "checkpoint": note}
