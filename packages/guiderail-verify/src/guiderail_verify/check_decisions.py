"""Checks that re-perform the decisions: the policy of the day on the stored facts."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from guiderail_verify import audit_files as files
from guiderail_verify.activation import POLICY_ACTIVATION, Activation, open_activation
from guiderail_verify.audit_entries import Entry
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.checks import Check
from guiderail_verify.dsse import open_envelope
from guiderail_verify.judge import TIERS, TRACKS, Judgement, Rulebook, compile_rulebook
from guiderail_verify.stored_facts import read_facts

Activations = list[tuple[int, Activation]]
"""Statements that put a pack into force, each with the number of its entry."""


def check_policies(pack: AuditPack, check: Check) -> None:
    """Every pack that decided has its digest, and a signed statement put it into force before.

    Packs that came into force and decided nothing have their digest, too.
    """
    activations = _activations(pack, check)
    for entry in pack.entries:
        if entry.type == "policy.activated":
            check.each(f"entry {entry.seq}", partial(_check_digest, pack, entry.digest, check))
            check.looked_at -= 1
    for case, history in pack.cases.items():
        for entry in history.decisions:
            where = f"{case}, entry {entry.seq}"
            check.each(where, partial(_check_policy, pack, where, entry, activations, check))


def _check_policy(
    pack: AuditPack, where: str, entry: Entry, activations: Activations, check: Check
) -> None:
    digest = entry.policy or ""
    _check_digest(pack, digest, check)
    in_force = _in_force(activations, entry)
    check.expect(
        in_force == digest,
        f"{where}: {digest[:19]}... decided and {str(in_force)[:19]}... was in force for "
        f"{entry.kind}",
    )


def _check_digest(pack: AuditPack, digest: str | None, check: Check) -> None:
    found = hashlib.sha256(pack.read(files.pack_path(digest or ""))).hexdigest()
    check.expect(
        digest == f"sha256:{found}",
        f"the policy pack {str(digest)[:19]}... has the SHA-256 {found[:12]}...",
    )


def _activations(pack: AuditPack, check: Check) -> Activations:
    """Every statement that put a pack into force, with its entry, in the order of their moments."""
    found: Activations = []
    doubtful: Activations = []
    for entry in pack.entries:
        if entry.type != "policy.activated":
            continue
        for type_, digest in entry.evidence.values():
            if type_ == POLICY_ACTIVATION:
                envelope = pack.read(files.evidence_path(digest))
                recorded = pack.keys.as_recorded.permit_at(entry.seq)
                opened = open_envelope(envelope, recorded)
                activation = open_activation(envelope, recorded)
                if not any(pack.keys.counts(key, entry.seq) for key in opened.key_ids):
                    doubtful.append((entry.seq, activation))
                check.expect(
                    activation.digest == entry.policy,
                    f"entry {entry.seq} puts another policy pack into force than it names",
                )
                found.append((entry.seq, activation))
    for seq, activation in doubtful:
        again = [one for one in found if one not in doubtful and one[0] > seq]
        check.expect(
            any(one.digest == activation.digest for _, one in again),
            f"entry {seq} puts {activation.pack} into force by a key that was compromised, and "
            "nobody signed it again",
        )
    return sorted(found, key=lambda one: one[1].effective_at)


def _in_force(activations: Activations, entry: Entry) -> str | None:
    """The pack that holds for the kind of the entry; before the first one begins, that one."""
    known = [one for seq, one in activations if seq < entry.seq and one.kind == entry.kind]
    moment = datetime.fromisoformat(entry.at)
    begun = [one for one in known if one.effective_at <= moment]
    return begun[-1].digest if begun else (known[0].digest if known else None)


def check_decisions(pack: AuditPack, check: Check) -> None:
    """Tier, track and every gate, computed again from the stored facts, are those recorded."""
    judge = Judge(pack)
    for case, history in pack.cases.items():
        for entry in history.decisions:
            where = f"{case}, entry {entry.seq}"
            check.each(where, partial(_check_decision, pack, judge, case, entry, check))


class Judge:
    """Decides again. The rules of a pack for a kind on a day are compiled once."""

    def __init__(self, pack: AuditPack) -> None:
        self._pack = pack
        self._books: dict[tuple[str, str, str], tuple[Rulebook, Any]] = {}

    def __call__(self, facts: Mapping[str, Any], entry: Entry) -> Judgement:
        """What the pack of an entry says about stored facts on its day (UTC).

        Raises TreeError for what is no compiled pack, ValueError and such for no stored facts.
        """
        key = (entry.policy or "", entry.kind, entry.at[:10])
        if key not in self._books:
            tree = self._pack.object(files.pack_path(key[0]))
            self._books[key] = compile_rulebook(tree, *key[1:]), tree["facts"]
        book, types = self._books[key]
        return book.judge(*read_facts(facts, types))


def _check_decision(pack: AuditPack, judge: Judge, case: str, entry: Entry, check: Check) -> None:
    told = entry.payload or {}
    dossier = told["dossier"]
    recorded = pack.decision(case, dossier)
    judged = judge(pack.object(files.dossier_path(case, dossier, "facts")), entry)
    where = f"{case}, entry {entry.seq}"
    for what, found, stored in (
        ("tier", TIERS[judged.tier], recorded["tier"]["value"]),
        ("track", TRACKS[judged.track], recorded["track"]["value"]),
    ):
        check.expect(found == stored, f"{where}: the facts give the {what} {found}, not {stored}")
        check.expect(
            told[what] == stored,
            f"{where}: the decision says {what} {stored}, the ledger {told[what]}",
        )
    check.expect(
        judged.blocked == (recorded["outcome"] == "blocked"),
        f"{where}: the facts {'block' if judged.blocked else 'do not block'} the release, "
        f"the decision says {recorded['outcome']}",
    )
    check.expect(
        judged.track == 0 or judged.blocked or bool(recorded["reviewers"]),
        f"{where}: the track is {TRACKS[judged.track]} and nobody has to look",
    )
    _compare_gates(where, judged, recorded["gates"], check)


def _compare_gates(
    where: str, judged: Judgement, recorded: list[Mapping[str, Any]], check: Check
) -> None:
    found = {one.gate.id: (one.verdict, one.enforced) for one in judged.gates}
    stored = {one["id"]: (one["verdict"], one["enforced"]) for one in recorded}
    for gate in sorted(found.keys() | stored.keys()):
        check.expect(
            found.get(gate) == stored.get(gate),
            f"{where}: the facts give gate {gate} {_words(found.get(gate))}, "
            f"recorded is {_words(stored.get(gate))}",
        )


def _words(verdict: tuple[str, bool] | None) -> str:
    if verdict is None:
        return "no verdict"
    return f"{verdict[0]} ({'enforced' if verdict[1] else 'not enforced'})"
