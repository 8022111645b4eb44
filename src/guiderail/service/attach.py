"""Attach evidence from outside to a case: what it is, who vouches for it, what it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from guiderail.core.digest import Digest, sha256_digest
from guiderail.core.errors import ConflictError, InputError, Place, RefusedError
from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.binding import LARGEST_STATEMENT, PREDICATE_TYPE, statement_path
from guiderail.facts.evidence.outside import recognise
from guiderail.facts.evidence.subjects import matched, subjects_of
from guiderail.facts.fact import FactSet
from guiderail.facts.standing import Standing
from guiderail.ledger.events import Evidence
from guiderail.manifest.load import load_release
from guiderail.review import cases
from guiderail.review.cases import Case
from guiderail.review.states import ENDS, State
from guiderail.service.evidence_index import find
from guiderail.service.facts_statement import FACTS, Vouched, with_vouched
from guiderail.service.journal import case_subject, record
from guiderail.service.permits import issue_permit
from guiderail.service.records import refresh_snapshot, standing
from guiderail.service.redecide import redecide
from guiderail.service.registers import transaction
from guiderail.service.signers import Signer, counting
from guiderail.service.snapshot import facts_from_json, release_folder
from guiderail.service.unchanged import void_if_changed
from guiderail.service.vouching import (
    Voucher,
    open_facts,
    read_file,
    read_token,
    voucher_of,
)
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot, Transaction

UNDECIDED: Final = (State.NEEDS_ANSWERS, State.IN_REVIEW)
"""States in which facts that somebody vouches for decide the case again."""

MOST_FILES: Final = 50


@dataclass(frozen=True, slots=True)
class Attached:
    """One file that was taken. facts: names of facts that its signer vouches for from now on."""

    file: str
    kind: str
    predicate_type: str
    digest: Digest
    about: tuple[Digest, ...]
    known_by: KnownBy
    signer: str | None
    words: str
    says: str
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Taken:
    """What was checked and is not recorded yet. blobs: bytes to store, the document first."""

    attached: Attached
    evidence: tuple[Evidence, ...]
    blobs: tuple[bytes, ...]
    vouched: Vouched | None = None


def attach(
    workspace: Workspace, case_id: str, files: Sequence[Path], *, token: Path | None = None
) -> tuple[Case, tuple[Attached, ...]]:
    """Check every file and keep them all, or none.

    token: of the CI, for the one statement of facts among them.
    Raises InputError for a file that is no evidence, RefusedError for evidence about something
    else or that was changed after it was signed, ConflictError for what is attached already.
    """
    void_if_changed(workspace, case_id)
    now = workspace.clock()
    _ = workspace.actor
    if not 0 < len(files) <= MOST_FILES:
        raise InputError(
            f"{len(files)} files are named",
            code="evidence/files",
            advice=f"Name between one and {MOST_FILES} files.",
        )
    with workspace.store.read() as snapshot:
        case = cases.load(snapshot, case_id)
        _refuse_ended(case)
        registered = counting(snapshot, now)
    release = load_release(release_folder(workspace.releases, case.release_digest))
    subjects = subjects_of(release)
    secret = read_token(token) if token is not None else None
    taken = [_take(path, secret, registered, subjects, case, now) for path in files]
    for one in taken:
        for data in one.blobs:
            workspace.blobs.put_bytes(data)
    with transaction(workspace) as tx:
        case = cases.load(tx, case_id)
        _refuse_ended(case)
        told, learned = [], False
        for one in taken:
            attached = _told(tx, workspace, case, one, now)
            learned = learned or bool(attached.facts)
            _refuse_twice(tx, case, attached)
            _record(tx, workspace, case, attached, one.evidence, now)
            told.append(attached)
        if learned:
            vouched = [one.vouched for one in taken if one.vouched is not None]
            case = redecide(tx, workspace, case, now, "evidence.added", _learner(vouched, now))
    if case.state is State.APPROVED:
        case = issue_permit(workspace, case.id)
    refresh_snapshot(workspace, case.workload)
    return case, tuple(told)


def record_facts(
    tx: Transaction,
    workspace: Workspace,
    case: Case,
    vouched: Vouched,
    taken: Sequence[str],
    file: str,
) -> None:
    """Enter a statement of facts that came with the submission. Its bytes are stored already."""
    attached = _facts_attached(file, vouched, tuple(taken))
    _record(tx, workspace, case, attached, (_facts_evidence(vouched),), workspace.clock())


def _take(
    path: Path,
    token: str | None,
    registered: Sequence[Signer],
    subjects: Mapping[Digest, str],
    case: Case,
    now: datetime,
) -> _Taken:
    content = read_file(path)
    found = recognise(content, str(path))
    if found.predicate_type == FACTS:
        vouched, stored = open_facts(content, token, registered, case.release_digest, now)
        attached = _facts_attached(path.name, vouched, ())
        return _Taken(attached, (_facts_evidence(vouched),), (stored,), vouched)
    about = matched(found, subjects, str(path))
    voucher, sidecar = voucher_of(found, registered), None
    if about is None:
        about, voucher, sidecar = _bound_by_statement(path, content, registered, subjects)
    digest = sha256_digest(content)
    evidence = _evidence(found.kind, found.predicate_type, digest, voucher, about)
    attached = Attached(
        file=path.name,
        kind=found.kind,
        predicate_type=found.predicate_type,
        digest=digest,
        about=about,
        known_by=voucher.known_by,
        signer=voucher.name,
        words=voucher.words,
        says=found.says,
    )
    if sidecar is None:
        return _Taken(attached, (evidence,), (content,))
    binding = _evidence("binding", PREDICATE_TYPE, sha256_digest(sidecar), voucher, about)
    return _Taken(attached, (evidence, binding), (content, sidecar))


def _bound_by_statement(
    path: Path, content: bytes, registered: Sequence[Signer], subjects: Mapping[Digest, str]
) -> tuple[tuple[Digest, ...], Voucher, bytes]:
    """What a report is about by the statement beside it, who signed that, and its bytes."""
    beside = statement_path(path)
    if not beside.exists():
        raise RefusedError(
            f"nothing says which release {path.name} is about",
            code="evidence/unbound",
            advice=f"Run `guiderail evidence DIR` where it was made: it writes {beside.name} "
            "beside it. Attach the report then.",
            place=Place(str(path)),
        )
    sidecar = read_file(beside, LARGEST_STATEMENT)
    found = recognise(sidecar, str(beside))
    about = matched(found, subjects, str(beside))
    predicate: Mapping[str, Any] = found.statement.predicate if found.statement else {}
    said = (predicate.get("report") or {}).get("digest") if about else None
    if found.predicate_type != PREDICATE_TYPE or about is None or not isinstance(said, Mapping):
        raise InputError(
            f"{beside.name} is no statement about a report",
            code="evidence/unreadable",
            advice="Run `guiderail evidence DIR` again.",
            place=Place(str(beside)),
        )
    if f"sha256:{said.get('sha256')}" != sha256_digest(content):
        raise RefusedError(
            f"{path.name} changed after {beside.name} was written",
            code="evidence/tampered",
            advice="Make the report again and bind it with `guiderail evidence DIR`.",
            place=Place(str(path)),
        )
    return about, voucher_of(found, registered), sidecar


def _evidence(
    name: str, type_: str, digest: Digest, voucher: Voucher, about: tuple[Digest, ...]
) -> Evidence:
    return Evidence(name, type_, digest, voucher.known_by.value, voucher.name, about)


def _facts_evidence(vouched: Vouched) -> Evidence:
    return Evidence("facts", FACTS, vouched.statement, vouched.known_by.value, vouched.signer)


def _facts_attached(file: str, vouched: Vouched, taken: tuple[str, ...]) -> Attached:
    return Attached(
        file=file,
        kind="facts",
        predicate_type=FACTS,
        digest=vouched.statement,
        about=(),
        known_by=vouched.known_by,
        signer=vouched.signer,
        words=f"signed by {vouched.signer}",
        says=f"{len(vouched.facts)} facts",
        facts=taken,
    )


def _learner(vouched: Sequence[Vouched], now: datetime) -> Any:
    def learn(facts: FactSet, standing: Standing) -> FactSet:
        for one in vouched:
            facts = with_vouched(facts, one, standing, now).facts
        return facts

    return learn


def _told(tx: Snapshot, workspace: Workspace, case: Case, taken: _Taken, now: datetime) -> Attached:
    """With the facts that become better known by it; none where the case is decided already."""
    if taken.vouched is None:
        return taken.attached
    names: tuple[str, ...] = ()
    if case.state in UNDECIDED:
        facts = facts_from_json(cases.load_dossier(tx, case.dossier_digest).facts)
        known = standing(tx, workspace, case.workload, now)
        names = with_vouched(facts, taken.vouched, known, now).taken
    return replace(taken.attached, facts=names)


def _record(
    tx: Transaction,
    workspace: Workspace,
    case: Case,
    attached: Attached,
    evidence: Sequence[Evidence],
    now: datetime,
) -> None:
    record(
        tx,
        "evidence.added",
        case_subject(case),
        workspace.actor,
        now,
        {
            "case": case.id,
            "kind": attached.kind,
            "file": attached.file,
            "digest": attached.digest,
            "known_by": attached.known_by.value,
            "signer": attached.signer,
            "predicate_type": attached.predicate_type,
            "subjects": list(attached.about) or [case.release_digest],
            "facts": list(attached.facts),
        },
        outcome=attached.known_by.value,
        evidence=evidence,
    )


def _refuse_twice(tx: Snapshot, case: Case, attached: Attached) -> None:
    """The same document may come again only where it is known better than before."""
    rank = attached.known_by.rank
    there = [KnownBy(one.known_by).rank for one in find(tx, case=case.id, digest=attached.digest)]
    if any(one >= rank for one in there):
        raise ConflictError(
            f"{attached.file} is attached to {case.id} already; nothing was changed",
            code="evidence/twice",
            advice=f"`guiderail case evidence {case.id}` lists what is there.",
        )


def _refuse_ended(case: Case) -> None:
    if case.state in ENDS:
        raise ConflictError(
            f"{case.id} is {case.state}; it takes no evidence any more",
            code="evidence/ended",
            advice="Submit the release again and attach it to the new case.",
        )


def document(case: Case, attached: Sequence[Attached]) -> dict[str, Any]:
    """What `guiderail attach` prints."""
    return {
        "case": case.id,
        "state": case.state.value,
        "track": case.track,
        "added": [json.loads(json.dumps(_row(one))) for one in attached],
    }


def _row(one: Attached) -> dict[str, Any]:
    return {
        "file": one.file,
        "kind": one.kind,
        "predicate_type": one.predicate_type,
        "digest": one.digest,
        "about": list(one.about),
        "known_by": one.known_by.value,
        "signer": one.signer,
        "signature": one.words,
        "says": one.says,
        "facts": list(one.facts),
    }
