"""The audit trail for people: log, verify, checkpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from guiderail.attest.keys import read_kept, read_trusted
from guiderail.core.errors import GuiderailError, InputError, IntegrityError
from guiderail.ledger import verify as verification
from guiderail.ledger.read import entries
from guiderail.ledger.seal import stored_nodes
from guiderail.ledger.standing import standing
from guiderail.ledger.witnesses import bad_cosignatures, latest_cosigned_note
from guiderail.service.key_status import unprotected_notice
from guiderail.service.sealing import ON_DEMAND_SECONDS, seal_and_ask
from guiderail.service.timestamps import timestamp_document
from guiderail.service.witnesses import standing_document
from guiderail.service.workspace import Workspace
from guiderail_verify.errors import VerifyError
from guiderail_verify.fingerprint import fingerprint as fingerprint_of
from guiderail_verify.fingerprint import has_fingerprint, read_fingerprint
from guiderail_verify.held_note import mended
from guiderail_verify.note import Checkpoint
from guiderail_verify.tree import root_at


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


def verify(
    workspace: Workspace, *, held: Path | None = None, fingerprint: str | None = None
) -> dict[str, Any]:
    """Recompute everything, against the checkpoint beside the keys too.

    held: a checkpoint that was kept outside. fingerprint: that of one, as somebody typed it.
    Raises InputError where one of them cannot be read at all.
    """
    note = None
    if held is not None:
        try:
            note = mended(held.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{held} cannot be read ({error})",
                code="ledger/held",
                advice="Name a file that `guiderail ledger checkpoint` once printed.",
            ) from error
    typed = _typed(fingerprint) if fingerprint is not None else None
    kept = read_kept(workspace.home)
    report = verification.verify(
        workspace.store, read_trusted(workspace.home), held=note, kept=kept
    )
    problems = [problem.sentence for problem in report.problems]
    if typed is not None:
        problems += _other_fingerprint(workspace, *typed, report.size)
    outside, stamps = _outside(workspace, problems)
    return {
        "size": report.size,
        "root": report.root,
        "checkpoint": report.checkpoint,
        "sealed": report.sealed,
        "held": held is not None or typed is not None,
        "outside": outside,
        "timestamps": stamps,
        "problems": problems,
        "notices": [*report.notices, *unprotected_notice(workspace)],
        "erased": report.erased,
        "removed": report.removed,
    }


def checkpoint(workspace: Workspace) -> dict[str, Any]:
    """Seal the log as it is, ask its witnesses, and give the signed checkpoint."""
    sealed = seal_and_ask(workspace, seconds=ON_DEMAND_SECONDS, again=True)
    with workspace.store.read() as snapshot:
        note = latest_cosigned_note(snapshot, at_least=sealed.size)
        outside = standing_document(standing(snapshot, workspace.clock()))
    return {
        "size": sealed.size,
        "checkpoint": note,
        "fingerprint": fingerprint_of(sealed),
        **outside,
    }


def _typed(text: str) -> tuple[int, str]:
    try:
        return read_fingerprint(text)
    except VerifyError as error:
        raise InputError(
            error.reason,
            code="ledger/fingerprint",
            advice="Type it as `guiderail ledger checkpoint` once showed it, in quotation marks.",
        ) from error


def _other_fingerprint(workspace: Workspace, size: int, letters: str, there: int) -> Iterator[str]:
    """Whether the ledger does not begin with the entries of the fingerprint."""
    if size > there:
        yield (
            f"A log of {size} entries has your fingerprint and only {there} are there: entries at "
            "the end were removed."
        )
        return
    try:
        with workspace.store.read() as snapshot:
            root = root_at(size, stored_nodes(snapshot))
    except (DBAPIError, IntegrityError, TypeError) as error:
        yield f"Your fingerprint cannot be compared: {error}."
        return
    found = Checkpoint(read_trusted(workspace.home).origin, size, root)
    if not has_fingerprint(found, letters):
        yield (
            f"The first {size} entries have another fingerprint ({fingerprint_of(found)}) than "
            "yours: something among them was changed, added or removed, or yours has a typing "
            "error."
        )


def _outside(
    workspace: Workspace, problems: list[str]
) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """What witnesses and time stamps say; whatever contradicts the ledger joins `problems`.

    None where that cannot be read, which is a problem too.
    """
    try:
        with workspace.store.read() as snapshot:
            problems += bad_cosignatures(snapshot)
            outside = standing(snapshot, workspace.clock())
            stamps = timestamp_document(snapshot, workspace.home)
    except (DBAPIError, GuiderailError, TypeError, ValueError) as error:
        cause = str(getattr(error, "orig", None) or error).splitlines()[0]
        problems.append(f"What witnesses said cannot be read: {cause}")
        return None, []
    problems += outside.contradictions
    problems += [one["sentence"] for one in stamps if one["state"] == "bad"]
    return standing_document(outside), stamps
