"""Checks that the records of each case are what the ledger says about it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import CaseHistory, Entry
from guiderail_verify.audit_index import index_csv
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.canonical import canonical_json
from guiderail_verify.checks import Check
from guiderail_verify.permit import Permit, open_permit
from guiderail_verify.proof import parse_proof, verify_proof
from guiderail_verify.registers import REGISTER

STARTS = {"rollout.started": "deploy", "rollback.started": "rollback"}
_REVIEW_FIELDS = ("dossier", "role", "verdict", "reason", "conditions", "accepted_gates")
_NOTHING_WRITTEN: Mapping[str, object] = {"reason": "", "conditions": []}
"""The words of a review whose author was erased."""


def digest_of(value: object) -> str:
    """`sha256:` digest of a value's canonical JSON."""
    return "sha256:" + hashlib.sha256(canonical_json(value)).hexdigest()


def check_releases(pack: AuditPack, check: Check) -> None:
    """The release document hashes to the release digest in every entry of the case."""
    for history in pack.cases.values():
        check.each(history.id, partial(_check_release, pack, history, check))


def _check_release(pack: AuditPack, history: CaseHistory, check: Check) -> None:
    found = digest_of(pack.object(files.case_path(history.id, "release.json")))
    for entry in history.of_type("case.submitted", "case.decided", "permit.issued"):
        check.expect(
            entry.digest == found,
            f"{history.id}: the release document has the digest {found[:19]}..., "
            f"entry {entry.seq} names {str(entry.digest)[:19]}...",
        )


def dossiers_of(history: CaseHistory) -> dict[str, Entry]:
    """Dossier digest -> the entry of the first decision on it."""
    found: dict[str, Entry] = {}
    for entry in history.decisions:
        digest = (entry.payload or {}).get("dossier")
        if isinstance(digest, str):
            found.setdefault(digest, entry)
    return found


def check_dossiers(pack: AuditPack, check: Check) -> None:
    """Facts, answers and decision hash to the dossier that the ledger recorded."""
    for case, history in pack.cases.items():
        for dossier, entry in dossiers_of(history).items():
            what = f"{case}, dossier {dossier[:19]}..."
            check.each(what, partial(_check_dossier, pack, case, dossier, entry, check))


def _check_dossier(pack: AuditPack, case: str, dossier: str, entry: Entry, check: Check) -> None:
    facts, answers, decision = (
        pack.object(files.dossier_path(case, dossier, part))
        for part in ("facts", "answers", "decision")
    )
    left = pack.gone.dossiers.get(dossier)
    found = digest_of(
        {
            "release": entry.digest,
            "facts": facts,
            "answers": answers,
            "pack": entry.policy,
            "decision": digest_of(decision),
        }
    )
    if left is not None and found == left:
        check.note = "in some, names of people who were erased are left out"
        return
    check.expect(
        found == dossier,
        f"{case}: facts, answers and decision have the digest {found[:19]}..., "
        f"entry {entry.seq} recorded {dossier[:19]}...",
    )


def bound_evidence_of(
    entries: Iterable[Entry], cases: Collection[str]
) -> Iterator[tuple[Entry, str]]:
    """Documents that entries of these cases and of the policy bind, without the permits."""
    for entry in entries:
        if (entry.case in cases or entry.kind == "policy") and entry.type != "permit.issued":
            for type_, digest in entry.evidence.values():
                if type_ != REGISTER:
                    yield entry, digest


def check_evidence(pack: AuditPack, check: Check) -> None:
    """Every bound document is there and has the digest that the entry names."""
    for entry, digest in bound_evidence_of(pack.entries, pack.cases):
        check.each(f"entry {entry.seq}", partial(_check_document, pack, entry, digest, check))


def _check_document(pack: AuditPack, entry: Entry, digest: str, check: Check) -> None:
    found = hashlib.sha256(pack.read(files.evidence_path(digest))).hexdigest()
    check.expect(
        digest == f"sha256:{found}",
        f"a document of entry {entry.seq} has the SHA-256 {found[:12]}..., "
        f"the entry names {digest[7:19]}...",
    )


def check_reviews(pack: AuditPack, check: Check) -> None:
    """The reviews are those of the ledger, and every permit has those its decision asked for."""
    for history in pack.cases.values():
        check.each(history.id, partial(_check_record, pack, history, check))
        given = history.of_type("review.given")
        check.looked_at += len(given)
        for entry in history.of_type("permit.issued"):
            check.each(history.id, partial(_check_approvals, pack, history, entry, check))
            check.looked_at -= 1


def _check_record(pack: AuditPack, history: CaseHistory, check: Check) -> None:
    record, first = pack.record(history.id), history.submitted
    head = {
        "id": history.id,
        "workload": first.name,
        "kind": first.kind,
        "release": first.digest,
        "submitter": pack.people[first.actor],
    }
    written = {name: record[name] for name in head}
    _compare(f"{history.id}: head of the record", [written], [head], check)
    told = [_review(pack, entry) for entry in history.of_type("review.given")]
    _compare(f"{history.id}: review", record["reviews"], told, check)


def _review(pack: AuditPack, entry: Entry) -> dict[str, Any]:
    payload = entry.payload or {}
    if entry.erased is not None:
        payload = {**_NOTHING_WRITTEN, **payload}
    return {
        "seq": entry.seq,
        "at": entry.at,
        "person": pack.people[entry.actor],
        **{name: payload[name] for name in _REVIEW_FIELDS},
    }


def _check_approvals(pack: AuditPack, history: CaseHistory, issued: Entry, check: Check) -> None:
    """Every role that the decision named approved this very dossier, each by another person.

    Nothing blocks, and what is insufficient was accepted by one of them.
    """
    dossier = (issued.payload or {})["dossier"]
    answers = pack.object(files.dossier_path(history.id, dossier, "answers"))
    own = {pack.people[history.submitted.actor], *answers["contributors"]}
    given: dict[str, str] = {}
    accepted: set[str] = set()
    for entry in history.of_type("review.given"):
        payload, person = entry.payload or {}, pack.people[entry.actor]
        right = payload["dossier"] == dossier and payload["verdict"] == "approve"
        new = payload["role"] not in given and person not in {*own, *given.values()}
        if right and new and entry.seq < issued.seq:
            given[payload["role"]] = person
            accepted.update(payload["accepted_gates"])
    decision = pack.decision(history.id, dossier)
    permit = f"{history.id}: the permit of entry {issued.seq}"
    for need in decision["reviewers"]:
        check.expect(need["role"] in given, f"{permit} has no approval by {need['role']}")
    check.expect(decision["outcome"] != "blocked", f"{permit} is for a release that is blocked")
    for gate in decision["gates"]:
        if gate["enforced"] and gate["verdict"] == "insufficient":
            check.expect(gate["id"] in accepted, f"{permit}: nobody accepted the gate {gate['id']}")


def check_permits(pack: AuditPack, check: Check) -> None:
    """Every permit is signed, in the ledger, and about the dossier and policy of its case."""
    for case, history in pack.cases.items():
        check.each(case, partial(_check_permit_list, pack, history, check))
        check.looked_at -= 1
        for entry in history.of_type("permit.issued"):
            what = f"{case}: the permit of entry {entry.seq}"
            check.each(what, partial(_check_permit, pack, case, entry, check))


def _check_permit_list(pack: AuditPack, history: CaseHistory, check: Check) -> None:
    issued = [(one.payload or {})["permit"] for one in history.of_type("permit.issued")]
    revoked = {(one.payload or {})["permit"] for one in history.of_type("permit.revoked")}
    told = [{"id": id_, "revoked": id_ in revoked} for id_ in issued]
    _compare(f"{history.id}: permit", pack.record(history.id)["permits"], told, check)


def _check_permit(pack: AuditPack, case: str, entry: Entry, check: Check) -> None:
    payload = entry.payload or {}
    name = payload["permit"]
    envelope = pack.read(files.case_path(case, "permits", f"{name}.dsse.json"))
    text = pack.text(files.case_path(case, "permits", f"{name}.tlog-proof"))
    # One that was taken back permits nothing: the key that signed it may have been compromised.
    taken_back = name in {row["id"] for row in pack.record(case)["permits"] if row["revoked"]}
    keys = pack.keys.as_recorded if taken_back else pack.keys
    permit = open_permit(envelope, text, keys)
    proof = parse_proof(text)
    signed = verify_proof(proof, proof.extra or b"", pack.keys.note_keys, pack.keys.origin)
    wanted: dict[str, tuple[object, object]] = {
        "its proof": ((proof.index, proof.extra), (entry.seq, entry.body)),
        "the checkpoint in its proof": (signed.root, pack.tree.root(signed.size)),
        "its id": (permit.id, name),
        "its case": (permit.case, case),
        "its dossier": (permit.dossier, payload["dossier"]),
        "its policy": (permit.policy, entry.policy),
        "its environment": (permit.environment, payload["environment"]),
        "the time to start": (_written(permit), payload["start_until"]),
    }
    for what, (found, told) in wanted.items():
        check.expect(found == told, f"{case}: {what} in permit {name} is not what the ledger says")


def _written(permit: Permit) -> str:
    return permit.start_until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def check_rollouts(pack: AuditPack, check: Check) -> None:
    """The rollouts and rollbacks of a case are those that the ledger saw start."""
    for history in pack.cases.values():
        check.each(history.id, partial(_check_rollouts, pack, history, check))
        check.looked_at += len(history.of_type(*STARTS)) - 1


def _check_rollouts(pack: AuditPack, history: CaseHistory, check: Check) -> None:
    told = [
        {
            "id": (entry.payload or {})["rollout"],
            "kind": STARTS[entry.type],
            "from": (entry.payload or {})["from_digest"],
            "to": (entry.payload or {})["to_digest"],
            "started_at": entry.at,
        }
        for entry in history.of_type(*STARTS)
    ]
    _compare(f"{history.id}: rollout", pack.record(history.id)["rollouts"], told, check)


def _compare(
    what: str, found: Sequence[Mapping[str, Any]], told: Sequence[Mapping[str, Any]], check: Check
) -> None:
    """Rows of a record against what the ledger says, in its order."""
    check.expect(
        len(found) == len(told), f"{what}s: {len(found)} are written, the ledger has {len(told)}"
    )
    for number, (row, right) in enumerate(zip(found, told, strict=False), 1):
        for name in sorted(row.keys() | right.keys()):
            check.expect(
                row.get(name) == right.get(name),
                f"{what} {number}: {name} is written as {row.get(name)!r:.60}, "
                f"the ledger says {right.get(name)!r:.60}",
            )


def check_proofs(pack: AuditPack, check: Check) -> None:
    """Every entry of a case has a proof that stands on its own."""
    for case, history in pack.cases.items():
        for entry in history.entries:
            what = f"{case}, entry {entry.seq}"
            check.each(what, partial(_check_proof, pack, case, entry, check))


def _check_proof(pack: AuditPack, case: str, entry: Entry, check: Check) -> None:
    proof = parse_proof(pack.text(files.case_path(case, "proofs", f"{entry.seq}.tlog-proof")))
    verify_proof(proof, entry.body, pack.keys.note_keys, pack.keys.origin)
    check.expect(
        proof.index == entry.seq and proof.extra == entry.body,
        f"{case}: the proof of entry {entry.seq} is about another one",
    )


def check_index(pack: AuditPack, check: Check) -> None:
    """The index lists the cases of the scope as the ledger has them."""
    check.looked_at = len(pack.frame)
    right, found = index_csv(pack.frame.values(), pack.cases.keys()), pack.text(files.INDEX)
    if right == found:
        return
    wanted, written = right.split("\n"), found.split("\n")
    check.failures.append(f"{files.INDEX} is not the index of this ledger")
    for line in (one for one in written if one not in wanted):
        check.failures.append(f"{files.INDEX} has the line {line[:80]!r}")
    for line in (one for one in wanted if one not in written):
        check.failures.append(f"{files.INDEX} lacks the line {line[:80]!r}")
