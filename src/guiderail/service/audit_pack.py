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
from dataclasses import dataclass, field, replace
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
from guiderail.service.reconciliation import reconciliation
from guiderail.service.sealing import seal_and_ask
from guiderail.service.witnesses import standing_document
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.columns import column_bytes
from guiderail.store.transaction import Snapshot
from guiderail_verify import audit_files as layout
from guiderail_verify.audit import verify_pack
from guiderail_verify.audit_entries import frame, is_told, read_line
from guiderail_verify.audit_files import Manifest
from guiderail_verify.audit_index import index_csv
from guiderail_verify.audit_pack import AuditPack, with_details
from guiderail_verify.audit_tables import TABLES
from guiderail_verify.canonical import encode_base64
from guiderail_verify.check_cases import bound_evidence_of
from guiderail_verify.checks import UNREADABLE
from guiderail_verify.documents import documents
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import chain_bytes
from guiderail_verify.note import parse_checkpoint
from guiderail_verify.registers import is_register, name_key, people_in
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
        except (VerifyError, *UNREADABLE) as error:
            reason = error.reason if isinstance(error, VerifyError) else repr(error)
            raise IntegrityError(
                f"the stored records cannot be exported: {reason}",
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
    registers = {entry.digest or "" for entry in entries if is_register(entry)}
    recorded = {layout.register_path(one): workspace.blobs.read(one) for one in registers}
    named = {entry.actor for entry in entries if entry.payload is not None}
    named |= {entry.name for entry in entries if entry.kind == "person"}
    named |= {one for data in recorded.values() for one in people_in(data)}
    people = _people(snapshot, named)
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
        layout.NAME_KEYS: canonical_json(_name_keys(snapshot, people)),
        layout.INDEX: index_csv(framed.values(), drawn).encode("utf-8"),
    }
    files |= outside_files(snapshot, workspace, outside)
    for case in drawn:
        files |= case_files(reader, framed[case])
    for digest in {digest for _, digest in bound_evidence_of(entries, drawn)}:
        files[layout.evidence_path(digest)] = workspace.blobs.read(digest)
    files |= recorded
    for policy in {entry.digest or "" for entry in entries if entry.type == "policy.activated"}:
        row = reader.one(tables.pack, policy)
        files[layout.pack_path(policy)] = column_bytes(row["compiled"])
    before = _note_before(snapshot, scope)
    if before is not None:
        files[layout.BEFORE] = before.encode("utf-8")
    files[layout.RUNNING] = reconciliation(snapshot, workspace, entries).encode("utf-8")
    pack = WrittenPack(Path(), replace(scope, files=dict.fromkeys(files, "")), contents=files)
    files |= {one.path: one.text(pack).encode("utf-8") for one in TABLES}
    files |= {path: text.encode("utf-8") for path, text in documents(pack)}
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


@dataclass
class WrittenPack(AuditPack):
    """A pack that is being written: what it holds lies in memory and not in a folder."""

    contents: Mapping[str, bytes] = field(default_factory=dict)

    def read_unlisted(self, path: str) -> bytes:
        return self.contents[path]


def _note_before(snapshot: Snapshot, scope: Manifest) -> str | None:
    """The newest checkpoint that was signed before the first day of the period."""
    if scope.since is None:
        return None
    table = tables.log_checkpoint
    found = snapshot.execute(
        select(table.c.note).where(table.c.sealed_at < scope.since).order_by(table.c.size.desc())
    ).first()
    return None if found is None else str(found[0])


def _people(snapshot: Snapshot, pseudonyms: set[str]) -> dict[str, str]:
    """Who stands behind a pseudonym; somebody who was erased stays a pseudonym."""
    table = tables.person_pseudonym
    rows = snapshot.execute(select(table.c.pseudonym, table.c.person))
    known = {str(name): str(person) for name, person in rows}
    return {name: known.get(name, name) for name in sorted(pseudonyms)}


def _name_keys(snapshot: Snapshot, people: Mapping[str, str]) -> dict[str, str]:
    """Pseudonym -> the key under which recorded registers commit to who it is."""
    table = tables.register_salt
    salts = {row.person: column_bytes(row.salt) for row in snapshot.execute(select(table))}
    return {
        pseudonym: encode_base64(name_key(salts[person]))
        for pseudonym, person in people.items()
        if person in salts
    }


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
