"""Checks that whoever decided had the right to, by the registers that the ledger recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import KINDS, CaseHistory, Entry
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.authority import (
    APPROVAL,
    CONFIRMATION,
    POLICY_APPROVAL,
    Claim,
    counted,
    may_deploy,
    refused_by,
    required_roles,
    rules_of,
)
from guiderail_verify.canonical import decode_base64
from guiderail_verify.check_decisions import Judge
from guiderail_verify.checks import Check
from guiderail_verify.errors import VerifyError
from guiderail_verify.registers import committed, is_register

_WHY = {
    "administrator": "{who} was an administrator that day, and administrators cannot approve",
    "own-work": "{who} had submitted it or worked on it",
    "role-not-needed": "nobody had asked for the role {role}, or somebody had given it before",
    "role-missing": "{who} did not have the role {role} that day",
    "competence": "{who} had no training in date as {role} for {kind} releases that day",
    "two-people": "{who} had approved it before, and two approvals are two people",
    "reporting-line": "{who} and the submitter were in one reporting line",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """Somebody decided who might not. rule: id in `authority`, or what else is wrong."""

    entry: Entry
    rule: str
    sentence: str


def check_registers(pack: AuditPack, check: Check) -> None:
    """Every recorded register is there and has the digest that its entry names."""
    for entry in pack.bare_entries:
        if is_register(entry):
            check.each(f"entry {entry.seq}", partial(_check_register, pack, entry, check))


def _check_register(pack: AuditPack, entry: Entry, check: Check) -> None:
    digest = entry.digest or ""
    found = hashlib.sha256(pack.read(files.register_path(digest))).hexdigest()
    check.expect(
        digest == f"sha256:{found}",
        f"the register {entry.name} of entry {entry.seq} has the SHA-256 {found[:12]}..., the "
        f"entry names {digest[7:19]}...",
    )


def check_people(pack: AuditPack, check: Check) -> None:
    """Whoever the pack names behind a pseudonym is whom the recorded registers committed to.

    Somebody who never was in a register is not looked at: nothing was committed to. Nor is somebody
    who was erased and stands under the pseudonym. Without its
    key a commitment cannot be opened, and a name that nothing proves does not pass.
    """
    last = {name: one for _, register in pack.registers for name, one in register.people.items()}
    keys = pack.object(files.NAME_KEYS) if last else {}
    for pseudonym, person in pack.people.items():
        if pseudonym in last and person != pseudonym:
            check.each(
                pseudonym,
                partial(_check_name, pseudonym, person, last[pseudonym].known_as, keys, check),
            )


def _check_name(
    pseudonym: str, person: object, known_as: str, keys: Mapping[str, object], check: Check
) -> None:
    key = keys.get(pseudonym)
    if not isinstance(key, str):
        check.failures.append(f"{pseudonym}: nothing proves that it is {person}")
        return
    check.expect(
        committed(decode_base64(key, "pack/name-key"), person) == known_as,
        f"{pseudonym} is said to be {person}, and the recorded register says somebody else",
    )


def check_approvals(pack: AuditPack, check: Check) -> None:
    """The roles that must review follow from the facts, and each approval was one that counts."""
    judge = Judge(pack)
    for history in pack.cases.values():
        for entry in history.decisions:
            where = f"{history.id}, entry {entry.seq}"
            check.each(where, partial(_check_required, pack, judge, history, entry, check))
        for entry in history.of_type("permit.issued"):
            where = f"{history.id}: the permit of entry {entry.seq}"
            check.each(where, partial(_check_covered, pack, history, entry, check))


def check_authority(pack: AuditPack, check: Check) -> None:
    """Everybody who approved, confirmed, decided about policy or moved traffic had the right to.

    Looks at every case whose details are in the pack, drawn or not.
    """
    for entry in acts(pack):
        check.each(f"entry {entry.seq}", partial(_check_act, pack, entry, check))


def acts(pack: AuditPack) -> Iterator[Entry]:
    """The entries in which a person does what only some may do."""
    return (one for one in pack.entries if one.type in _ACTS and one.payload is not None)


def violations(pack: AuditPack) -> Iterator[Violation]:
    """What `check_authority` finds, for the table of segregation violations."""
    for entry in acts(pack):
        try:
            yield from _ACTS[entry.type](pack, entry)
        except (VerifyError, LookupError) as error:
            reason = error.reason if isinstance(error, VerifyError) else f"{error} is missing"
            yield Violation(entry, "unknown", f"it cannot be said whether they might: {reason}")


def _check_act(pack: AuditPack, entry: Entry, check: Check) -> None:
    for one in _ACTS[entry.type](pack, entry):
        check.failures.append(f"entry {entry.seq} ({entry.type} of {entry.name}): {one.sentence}")


def _check_required(
    pack: AuditPack, judge: Judge, history: CaseHistory, entry: Entry, check: Check
) -> None:
    dossier = (entry.payload or {})["dossier"]
    judged = judge(pack.object(files.dossier_path(history.id, dossier, "facts")), entry)
    tree = pack.object(files.pack_path(entry.policy or ""))
    owners = {gate["id"]: str(gate["owner"]) for gate in tree["gates"]}
    lacking = {
        one.gate.id: owners[one.gate.id]
        for one in judged.gates
        if one.enforced and one.verdict == "insufficient"
    }
    wanted = required_roles(tree["reviewers"], rules_of(tree), judged, lacking)
    recorded = {
        need["role"]: tuple(need["because"])
        for need in pack.decision(history.id, dossier)["reviewers"]
    }
    for role in sorted(wanted.keys() - recorded.keys()):
        check.failures.append(
            f"{history.id}, entry {entry.seq}: the facts ask for a review by {role} (because of "
            f"{', '.join(wanted[role])}), and the decision did not ask for it"
        )
    for role in sorted(recorded.keys() - wanted.keys()):
        check.failures.append(
            f"{history.id}, entry {entry.seq}: the decision asked for a review by {role}, and "
            "the facts do not"
        )
    for role in sorted(wanted.keys() & recorded.keys()):
        check.expect(
            wanted[role] == recorded[role],
            f"{history.id}, entry {entry.seq}: {role} had to look because of "
            f"{', '.join(wanted[role])}, recorded is {', '.join(recorded[role])}",
        )


@dataclass(frozen=True, slots=True)
class _Approval:
    person: str
    role: str
    entry: Entry


def _approvals(history: CaseHistory, dossier: str, before: int) -> list[_Approval]:
    """Approvals of this very dossier that were given before an entry, oldest first."""
    return [
        _Approval(entry.actor, str((entry.payload or {})["role"]), entry)
        for entry in history.of_type("review.given")
        if entry.seq < before
        and (entry.payload or {})["verdict"] == "approve"
        and (entry.payload or {})["dossier"] == dossier
    ]


def _own_work(pack: AuditPack, history: CaseHistory, dossier: str) -> set[str]:
    """Pseudonyms of who submitted, and of everybody whom the dossier names as a contributor.

    A sampled pack has the dossiers of the drawn cases only; of others the submitter is known.
    """
    path = files.dossier_path(history.id, dossier, "answers")
    if path not in pack.manifest.files:
        return {history.submitted.actor}
    behind = {person: pseudonym for pseudonym, person in pack.people.items()}
    contributors = pack.object(path)["contributors"]
    return {history.submitted.actor, *(behind[one] for one in contributors if one in behind)}


def _counted(
    pack: AuditPack, history: CaseHistory, dossier: str, before: int
) -> dict[str, _Approval]:
    """The approvals that the platform had to count at that moment, by role."""
    register = pack.people_at(before)
    own = _own_work(pack, history, dossier)

    def holds(one: _Approval) -> bool:
        kind, on = history.submitted.kind, _day(one.entry)
        return one.role in register.roles(one.person) and register.trained(
            one.person, one.role, kind, on
        )

    given = _approvals(history, dossier, before)
    return counted((one for one in given if one.person not in own), holds)


def _check_covered(pack: AuditPack, history: CaseHistory, issued: Entry, check: Check) -> None:
    dossier = (issued.payload or {})["dossier"]
    given = _counted(pack, history, dossier, _first(history, issued).seq)
    for need in pack.decision(history.id, dossier)["reviewers"]:
        check.expect(
            need["role"] in given,
            f"{history.id}: the permit of entry {issued.seq} has no approval by {need['role']} "
            "from somebody who had that role and training in date",
        )


def _first(history: CaseHistory, issued: Entry) -> Entry:
    """The permit that one stands for which was signed again because a key was stolen.

    Whoever approved then need not have the role today.
    """
    by_id = {(one.payload or {})["permit"]: one for one in history.of_type("permit.issued")}
    while (before := by_id.get((issued.payload or {}).get("replaces"))) and before.seq < issued.seq:
        issued = before
    return issued


def _reviewed(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    """A decision about a release. One that approves nothing needs the same rights."""
    payload = entry.payload or {}
    history = pack.all_cases[payload["case"]]
    decided = [one for one in history.decisions if one.seq < entry.seq]
    current = (decided[-1].payload or {})["dossier"]
    if payload["dossier"] != current:
        sentence = "it is about another dossier than the one that the case had then"
        yield Violation(entry, "other-dossier", sentence)
        return
    needed = _asked_for(pack, history, decided[-1])
    before = _counted(pack, history, current, entry.seq)
    open_roles = [payload["role"]] if needed is None else [r for r in needed if r not in before]
    claim = _claim(
        pack, entry, payload["role"], history.submitted.actor,
        own=_own_work(pack, history, current),
        needed=open_roles,
        decided=[one.person for one in before.values()],
        track=str((decided[-1].payload or {})["track"]),
    )  # fmt: skip
    yield from _refusals(pack, entry, claim, APPROVAL)


def _asked_for(pack: AuditPack, history: CaseHistory, decision: Entry) -> list[str] | None:
    """The roles that a decision named; None where neither its entry nor the pack has them."""
    payload = decision.payload or {}
    path = files.dossier_path(history.id, str(payload["dossier"]), "decision")
    if path in pack.manifest.files:
        return [need["role"] for need in pack.object(path)["reviewers"]]
    told = payload.get("reviewers")
    return None if told is None else list(told)


def _confirmed(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    history = pack.all_cases[(entry.payload or {})["case"]]
    decided = [one for one in history.decisions if one.seq < entry.seq]
    own = _own_work(pack, history, (decided[-1].payload or {})["dossier"])
    claim = _claim(pack, entry, "risk-officer", history.submitted.actor, own=own)
    yield from _refusals(pack, entry, claim, CONFIRMATION)


def _approved_data(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    history = pack.all_cases[(entry.payload or {})["case"]]
    claim = _claim(pack, entry, "data-steward", history.submitted.actor)
    yield from _refusals(pack, entry, claim, CONFIRMATION)


def _decided_policy(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    """A decision about a change of the policy, for each kind that the change is about."""
    payload = entry.payload or {}
    earlier = [one for one in pack.entries[: entry.seq] if _is_about(one, payload["change"])]
    proposed = next(one for one in earlier if one.type == "policy.proposed")
    told = proposed.payload or {}
    votes = [
        one
        for one in earlier
        if one.type == "policy.reviewed" and (one.payload or {})["verdict"] == "approve"
    ]
    given = {(one.payload or {})["role"] for one in votes}
    for kind in told["kinds"]:
        claim = _claim(
            pack, entry, payload["role"], proposed.actor,
            needed=[role for role in told["needs"] if role not in given],
            decided=[one.actor for one in votes], kind=kind,
        )  # fmt: skip
        found = list(_refusals(pack, entry, claim, POLICY_APPROVAL))
        yield from found
        if found:
            return


def _activated(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    """A pack that takes the place of another has the approval of everybody who had to be asked."""
    payload = entry.payload or {}
    change = payload.get("change")
    if not change:
        return
    earlier = [one for one in pack.entries[: entry.seq] if _is_about(one, change)]
    proposed = next(one for one in earlier if one.type == "policy.proposed")
    told = proposed.payload or {}
    given = {
        (one.payload or {})["role"]: one.actor
        for one in earlier
        if one.type == "policy.reviewed"
        and (one.payload or {})["verdict"] == "approve"
        and (one.payload or {}).get("digest") == payload["digest"]
    }
    for role in told["needs"]:
        if role not in given:
            sentence = f"it came into force without the approval of {role}"
            yield Violation(entry, "role-not-asked", sentence)
    if len(set(given.values())) != len(given):
        sentence = "one person approved it in two roles, and two approvals are two people"
        yield Violation(entry, "two-people", sentence)


def _is_about(entry: Entry, change: object) -> bool:
    return (entry.payload or {}).get("change") == change


def _moved_traffic(pack: AuditPack, entry: Entry) -> Iterator[Violation]:
    history = pack.all_cases[(entry.payload or {})["case"]]
    roles = pack.people_at(entry.seq).roles(entry.actor)
    if not may_deploy(entry.actor, roles, history.submitted.actor):
        who = _who(pack, entry.actor)
        sentence = f"{who} neither submitted the release nor had a role that may deploy that day"
        yield Violation(entry, "deploy-role", sentence)


_ACTS = {
    "review.given": _reviewed,
    "profile.confirmed": _confirmed,
    "data.approved": _approved_data,
    "data.refused": _approved_data,
    "policy.reviewed": _decided_policy,
    "policy.activated": _activated,
    "rollout.started": _moved_traffic,
    "rollout.step": _moved_traffic,
    "rollout.paused": _moved_traffic,
    "rollback.started": _moved_traffic,
}


def _claim(
    pack: AuditPack,
    entry: Entry,
    role: str,
    submitter: str,
    *,
    own: set[str] | None = None,
    needed: list[str] | None = None,
    decided: list[str] | None = None,
    kind: str | None = None,
    track: str = "green",
) -> Claim:
    register = pack.people_at(entry.seq)
    return Claim(
        person=entry.actor,
        roles=register.roles(entry.actor),
        role=role,
        trained=register.trained(
            entry.actor, role, kind if kind is not None else entry.kind, _day(entry)
        ),
        own_work={submitter, *(own or ())},
        needed=needed or (),
        decided=decided or (),
        close=register.same_line(entry.actor, submitter),
        track=track,
    )


def _refusals(
    pack: AuditPack, entry: Entry, claim: Claim, rules: tuple[str, ...]
) -> Iterator[Violation]:
    rule = refused_by(claim, rules)
    if rule is not None:
        kind = entry.kind if entry.kind in KINDS else "these"
        who = _who(pack, entry.actor)
        yield Violation(entry, rule, _WHY[rule].format(who=who, role=claim.role, kind=kind))


def _who(pack: AuditPack, pseudonym: str) -> str:
    return str(pack.people.get(pseudonym, pseudonym))


def _day(entry: Entry) -> date:
    return date.fromisoformat(entry.at[:10])
