"""Write an audit pack: what an auditor needs to check the ledger and the decisions without us.

The same ledger gives the same bytes: nothing in a pack depends on the machine or on what else the
workspace holds, nor on the clock, but for the warning that what witnesses confirmed is too old.
Reading it changes nothing but the seal of the log and what its witnesses cosigned.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from sqlalchemy import select

from guiderail.attest.statement import sign_statement, statement
from guiderail.core.digest import canonical_json, sha256_digest
from guiderail.core.errors import ConflictError, InputError, IntegrityError
from guiderail.core.subject import Subject
from guiderail.ledger.key_versions import stored_chain
from guiderail.ledger.standing import standing
from guiderail.ledger.witnesses import latest_cosigned_note
from guiderail.render.audit_page import audit_page, read_me
from guiderail.service.audit_case import Reader, case_files
from guiderail.service.audit_ledger import details_lines, entry_lines, joined
from guiderail.service.audit_outside import outside_files
from guiderail.service.sealing import seal_and_ask
from guiderail.service.witnesses import standing_document
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot
from guiderail_verify import audit_files as layout
from guiderail_verify.audit import verify_pack
from guiderail_verify.audit_entries import frame, is_told, read_line
from guiderail_verify.audit_files import Manifest
from guiderail_verify.audit_index import index_csv
from guiderail_verify.audit_pack import with_details
from guiderail_verify.canonical import encode_base64
from guiderail_verify.check_cases import bound_evidence_of
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import chain_bytes
from guiderail_verify.note import parse_checkpoint
from guiderail_verify.registers import is_register
from guiderail_verify.sampling import draw


def export(
    workspace: Workspace,
    directory: Path,
    *,
    workload: str | None = None,
    since: date | None = None,
    until: date | None = None,
    sample: int | None = None,
    seed: str | None = None,
) -> dict[str, Any]:
    """Write the pack into a directory that is new or empty, complete or not at all.

    workload: only this one's cases. since, until: days of the submission, both included.
    sample: draw so many cases by `seed`, which the auditor names.
    What was written is verified before this returns; `problems` says what an auditor will find.
    Raises InputError for a directory that is in use, a workload that nobody knows, and a sample
    without a seed; IntegrityError where what is stored does not give what the ledger says.
    """
    _refuse_target(directory)
    if (sample is None) != (seed is None):
        raise InputError(
            "a sample needs both a number and a seed",
            code="audit/seed",
            advice="Give --sample N and --seed TEXT; the auditor chooses the seed.",
        )
    if since is not None and until is not None and until < since:
        raise InputError(
            f"the period ends on {until} before it begins on {since}",
            code="audit/period",
            advice="Both days belong to the period; --until cannot be before --since.",
        )
    seal_and_ask(workspace)
    scope = Manifest(
        workload,
        None if since is None else since.isoformat(),
        None if until is None else until.isoformat(),
        None if sample is None or seed is None else (sample, seed),
        {},
    )
    with workspace.store.read() as snapshot:
        _refuse_unknown(snapshot, workload)
        try:
            files, summary = _collect(snapshot, workspace, scope)
        except VerifyError as error:
            raise IntegrityError(
                f"the stored records cannot be exported: {error.reason}",
                code="audit/records",
                advice="Run `guiderail ledger verify`, then restore the workspace from a backup.",
            ) from error
    manifest = _sealed(workspace, scope, files)
    _write(directory, {**files, **manifest})
    made = verify_pack(directory, key=workspace.keyring.note_key)
    return {
        "directory": str(directory),
        "files": len(files) + len(manifest),
        **summary,
        "problems": [f"{check.id}: {one}" for check in made.checks for one in check.failures],
    }


def _collect(
    snapshot: Snapshot, workspace: Workspace, scope: Manifest
) -> tuple[dict[str, bytes], dict[str, Any]]:
    """Every file but the manifest, and what the pack holds in figures."""
    note = latest_cosigned_note(snapshot) or ""
    outside = standing(snapshot, workspace.clock())
    signed = parse_checkpoint(note.partition("\n\n")[0] + "\n")
    size = signed.size
    lines = entry_lines(snapshot, size)
    bare = [read_line(line) for line in lines]
    told = joined(details_lines(snapshot, [one for one in bare if is_told(one, scope)]))
    entries = with_details(told, bare)
    framed = frame(entries, scope)
    drawn = (
        list(framed)
        if scope.sample is None
        else draw([history.framed for history in framed.values()], *scope.sample)
    )
    people = _people(snapshot, {entry.actor for entry in entries if entry.payload is not None})
    reader = Reader(
        snapshot, workspace, people, EntryTree.of_leaves(entry.leaf for entry in bare), note
    )
    files = {
        "README.txt": read_me(outside.warnings + outside.contradictions).encode("utf-8"),
        layout.CHECKPOINT: note.encode("utf-8"),
        layout.KEYS: workspace.keyring.trusted.to_json(),
        **({layout.KEY_CHAIN: chain_bytes(chain)} if (chain := stored_chain(snapshot)) else {}),
        layout.ENTRIES: joined(lines),
        layout.DISCLOSED: told,
        layout.PEOPLE: canonical_json(people),
        layout.INDEX: index_csv(framed.values(), drawn).encode("utf-8"),
    }
    files |= outside_files(snapshot, workspace, outside)
    for case in drawn:
        files |= case_files(reader, framed[case])
    for digest in {digest for _, digest in bound_evidence_of(entries, drawn)}:
        files[layout.evidence_path(digest)] = workspace.blobs.read(digest)
    for register in {entry.digest or "" for entry in entries if is_register(entry)}:
        files[layout.register_path(register)] = workspace.blobs.read(register)
    files["index.html"] = audit_page(
        scope,
        note,
        framed,
        drawn,
        people,
        files,
        log_size=size,
        warnings=outside.warnings + outside.contradictions,
    ).encode("utf-8")
    root = encode_base64(signed.root)
    summary = {
        "size": size,
        "root": root,
        "cases": drawn,
        "scope": len(framed),
        "checkpoint": note,
        "outside": standing_document(outside),
    }
    return files, summary


def _people(snapshot: Snapshot, pseudonyms: set[str]) -> dict[str, str]:
    """Who stands behind a pseudonym; somebody who was erased stays a pseudonym."""
    table = tables.person_pseudonym
    rows = snapshot.execute(select(table.c.pseudonym, table.c.person))
    known = {str(name): str(person) for name, person in rows}
    return {name: known.get(name, name) for name in sorted(pseudonyms)}


def _sealed(workspace: Workspace, scope: Manifest, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The manifest with the hash of every file, and the signature over it."""
    hashes = {path: sha256_digest(data)[7:] for path, data in files.items()}
    manifest = canonical_json(
        Manifest(scope.workload, scope.since, scope.until, scope.sample, hashes).to_json()
    )
    subject = Subject("audit-pack", layout.MANIFEST, sha256_digest(manifest))
    signed = sign_statement(statement(subject, layout.PREDICATE, {}), workspace.keyring)
    return {layout.MANIFEST: manifest, layout.SIGNATURE: signed}


def _refuse_target(directory: Path) -> None:
    try:
        in_use = directory.is_symlink() or (
            directory.exists() and (not directory.is_dir() or any(directory.iterdir()))
        )
    except OSError as error:
        raise _unwritable(directory, error) from error
    if in_use:
        raise InputError(
            f"{directory} is not an empty directory; nothing was written",
            code="audit/directory",
            advice="Name a directory that does not exist yet.",
        )


def _refuse_unknown(snapshot: Snapshot, workload: str | None) -> None:
    table = tables.workload
    if workload is None:
        return
    if snapshot.execute(select(table.c.name).where(table.c.name == workload)).first() is None:
        raise InputError(
            f"there is no workload {workload!r}",
            code="audit/workload",
            advice="`guiderail status` lists the workloads of this workspace.",
        )


def _write(directory: Path, files: Mapping[str, bytes]) -> None:
    """All files appear under their directory in one step."""
    target = directory.absolute()
    building = target.with_name(f".{target.name}-{secrets.token_hex(6)}.part")
    try:
        for path, data in files.items():
            place = building / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(data)
        os.replace(building, target)
    except OSError as error:
        if target.is_dir() and any(target.iterdir()):
            raise ConflictError(
                f"somebody else wrote to {directory} meanwhile",
                code="audit/directory",
                advice="Name another directory.",
            ) from error
        raise _unwritable(directory, error) from error
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _unwritable(directory: Path, error: OSError) -> InputError:
    return InputError(
        f"{directory} cannot be written ({error.strerror})",
        code="audit/directory",
        advice="Name a directory that you may write to.",
    )
