"""The tables of an audit pack, each computed from the entries and records that the pack holds.

The platform writes them with this code and a verifier computes them again: a row cannot be added,
left out or changed without a difference. `TABLES` has them in the order in which an auditor asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from guiderail_verify import audit_files as files
from guiderail_verify.as_of import OFF, PolicyThen, Served, Standing, standing_at
from guiderail_verify.audit_entries import KINDS, CaseHistory, Entry
from guiderail_verify.audit_index import table
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.canonical import canonical_json
from guiderail_verify.case_tables import (
    FAIRNESS,
    LINEAGE,
    MEASURES,
    fairness_rows,
    lineage_rows,
    measure_rows,
)
from guiderail_verify.check_people import violations
from guiderail_verify.people_tables import COMPETENCE, ROLES, competence_rows, role_rows

Row = Iterable[object]


class Table(NamedTuple):
    """One table. rows: computes it from a pack."""

    name: str
    columns: tuple[str, ...]
    rows: Callable[[AuditPack], Iterator[Row]]

    @property
    def path(self) -> str:
        return f"{files.TABLES}/{self.name}.csv"

    def text(self, pack: AuditPack) -> str:
        return table(self.columns, self.rows(pack))


_NOWHERE: Final = "not recorded by this version"
_CONTENTS: Final = (
    (1, "scope, period, hashes and checkpoints", "manifest.json, tables/summary.csv, "
     "checkpoint.txt, checkpoint-before.txt", "recorded"),
    (2, "inventory at start and end", "tables/inventory-start.csv, tables/inventory-end.csv",
     "recorded"),
    (2, "inventory reconciled with what runs", "reconciliation.csv",
     "as the target answered when the pack was written; not in the ledger"),
    (3, "every deployment of the period, and the frame of the sample",
     "tables/deployments.csv, index.csv", "recorded"),
    (4, "facts, tier, track, rule ids, interview, gates, approvals, permits, deployment events",
     "cases/, index.html, tables/reviews.csv", "recorded"),
    (4, "what was set up to be watched (monitor configuration)", "cases/CASE/release.json",
     "as the manifest declares it"),
    (4, "the first 30 days in production", "", _NOWHERE),
    (5, "policies in force, what changed, who approved", "tables/policies.csv, "
     "tables/policy-changes.csv, packs/", "recorded"),
    (6, "waivers, their age, renewals and use after expiry", "", "this version has no waivers: "
     "a gate that fails stops the release"),
    (7, "blocked, overridden, taken back, aborted, rolled back", "tables/exceptions.csv",
     "recorded; a release that is blocked before a case is opened leaves no entry"),
    (7, "incidents", "", _NOWHERE),
    (8, "roles over time, leavers, competence", "tables/roles.csv, tables/competence.csv",
     "recorded when a use case first rests on them"),
    (8, "violations of segregation, which must be none", "tables/segregation.csv", "recomputed"),
    (9, "last validation of what runs", "tables/validations.csv", "recorded"),
    (9, "when a validation falls due", "", _NOWHERE),
    (9, "challenge logs", "tables/reviews.csv", "reasons, conditions and findings of reviews"),
    (10, "fairness and explanations by cell", "tables/fairness.csv, tables/measures.csv",
     "recorded for the cases in the pack"),
    (11, "lineage and permission", "tables/lineage.csv, tables/data-approvals.csv",
     "recorded for the cases in the pack"),
    (12, "administrator actions, keys, registers, retention and deletions",
     "tables/administration.csv", "recorded"),
)  # fmt: skip


def _contents(pack: AuditPack) -> Iterator[Row]:
    yield from _CONTENTS


def _summary(pack: AuditPack) -> Iterator[Row]:
    scope = pack.manifest
    yield "workload", scope.workload or "all"
    yield "first day", scope.since or ""
    yield "last day", scope.until or ""
    yield "entries of the ledger", len(pack.bare_entries)
    yield "cases in the scope", len(pack.frame)
    yield "cases in the pack", len(pack.cases)
    yield "deployments in the period", len(list(_moves(pack)))
    yield "permits in the period", len(list(_in_period(pack, "permit.issued")))
    yield "reviews in the period", len(list(_in_period(pack, "review.given")))
    yield "policies put into force", len(list(_of_type(pack, "policy.activated")))
    yield "violations of segregation", len(list(violations(pack)))
    yield "checkpoint over all entries", pack.checkpoint.size


def _start(pack: AuditPack) -> Iterator[Row]:
    since = pack.manifest.since
    if since is not None:
        earlier = (one for one in pack.entries if one.at[:10] < since)
        yield from standing_at(earlier).inventory()


def _end(pack: AuditPack) -> Iterator[Row]:
    yield from standing_at_end(pack).inventory()


def standing_at_end(pack: AuditPack) -> Standing:
    """How things stood at the end of the last day of the period, or of the log."""
    until = pack.manifest.until
    return standing_at(one for one in pack.entries if until is None or one.at[:10] <= until)


def _deployments(pack: AuditPack) -> Iterator[Row]:
    ends = {
        (one.payload or {}).get("rollout"): one
        for one in _of_type(pack, "rollout.finished", "rollout.aborted", "rollback.finished")
    }
    issued: dict[tuple[str, str | None], list[Entry]] = {}
    for one in _of_type(pack, "permit.issued"):
        issued.setdefault((one.name, one.digest), []).append(one)
    for entry in _moves(pack):
        told = entry.payload or {}
        history = pack.all_cases.get(told["case"])
        end = ends.get(told["rollout"])
        of_release = issued.get((entry.name, told["to_digest"]), [])
        permit, permitted = _permit(of_release, told["to_digest"], entry.seq)
        yield (
            entry.seq, entry.at, entry.name, entry.kind, entry.type.partition(".")[0],
            told["rollout"], told["case"], *_levels(history), told["from_digest"],
            told["to_digest"], permit, permitted, _who(pack, entry),
            "under way" if end is None else end.outcome, "" if end is None else end.at,
            "" if end is None else (end.payload or {}).get("reason"),
        )  # fmt: skip


def _permit(issued: list[Entry], digest: str, before: int) -> tuple[str, str]:
    """The newest of the release's permits that was issued before, and whether there is one."""
    if digest == OFF:
        return "", "needs none: nothing is served"
    earlier = [one for one in issued if one.seq < before]
    return (str((earlier[-1].payload or {})["permit"]), "yes") if earlier else ("", "NO")


def _reviews(pack: AuditPack) -> Iterator[Row]:
    for entry in _in_period(pack, "review.given"):
        told = entry.payload or {}
        register = pack.people_at(entry.seq)
        person = register.people.get(entry.actor)
        trained = [
            one.until.isoformat()
            for one in (person.training if person else ())
            if one.role == told["role"] and entry.kind in one.kinds
        ]
        yield (
            entry.seq, entry.at, told["case"], entry.name, _who(pack, entry), told["role"],
            " ".join(register.roles(entry.actor)), " ".join(trained), told["verdict"],
            told.get("reason"), "; ".join(told.get("conditions", ())),
            " ".join(told.get("accepted_gates", ())), " ".join(told.get("findings", ())),
            told["dossier"],
        )  # fmt: skip


def _exceptions(pack: AuditPack) -> Iterator[Row]:
    for entry in _in_period(pack, *_EXCEPTIONS):
        told = entry.payload or {}
        what = _EXCEPTIONS[entry.type](entry, told)
        if what is not None:
            yield (entry.seq, entry.at, what, entry.name, told.get("case"), _who(pack, entry),
                   _detail(told))  # fmt: skip


def _reviewed(entry: Entry, told: Mapping[str, Any]) -> str | None:
    if entry.outcome == "approve":
        return "accepted without enough evidence" if told.get("accepted_gates") else None
    return "rejected" if entry.outcome == "reject" else "changes asked for"


_EXCEPTIONS: Final[Mapping[str, Callable[[Entry, Mapping[str, Any]], str | None]]] = {
    "case.decided": lambda entry, told: "blocked" if told["outcome"] == "blocked" else None,
    "review.given": _reviewed,
    "case.void": lambda entry, told: "void",
    "case.withdrawn": lambda entry, told: "withdrawn",
    "permit.revoked": lambda entry, told: "permit taken back",
    "rollout.paused": lambda entry, told: "paused",
    "rollout.aborted": lambda entry, told: "aborted",
    "rollback.finished": lambda entry, told: "rolled back",
    "rollback.rehearsed": lambda entry, told: (
        None if told["outcome"] == "passed" else "rehearsal of going back failed"
    ),
    "data.refused": lambda entry, told: "data refused",
}


def _detail(told: Mapping[str, Any]) -> str:
    names = ("reason", "accepted_gates", "permit", "rollout", "step", "from_digest", "to_digest")
    return "; ".join(f"{name}: {_words(told[name])}" for name in names if told.get(name))


def _words(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _policies(pack: AuditPack) -> Iterator[Row]:
    proposed = {(one.payload or {}).get("change"): one for one in _of_type(pack, "policy.proposed")}
    votes = list(_of_type(pack, "policy.reviewed"))
    for entry, activation, replaced in _activations(pack):
        origin = proposed.get(activation.change) if activation.change else None
        said = [
            f"{(one.payload or {})['role']}: {_who(pack, one)} ({(one.payload or {})['verdict']})"
            for one in votes
            if activation.change and (one.payload or {})["change"] == activation.change
        ]
        yield (
            entry.seq, entry.at, activation.kind, activation.pack, activation.version,
            activation.digest, activation.effective_at, replaced, activation.change,
            _who(pack, entry) if origin is None else _who(pack, origin), "; ".join(said),
            "" if origin is None else (origin.payload or {}).get("reason"),
        )  # fmt: skip


def _policy_changes(pack: AuditPack) -> Iterator[Row]:
    """Which parts of the policy each change added, removed or changed."""
    for entry, activation, replaced in _activations(pack):
        if not replaced:
            continue
        old, new = _parts(pack, replaced), _parts(pack, activation.digest)
        for section, part in sorted(old.keys() | new.keys()):
            before, after = old.get((section, part)), new.get((section, part))
            if before != after:
                what = "added" if before is None else "removed" if after is None else "changed"
                yield entry.seq, activation.kind, section, part, what


def _parts(pack: AuditPack, digest: str) -> dict[tuple[str, str], bytes]:
    tree = pack.object(files.pack_path(digest))
    found: dict[tuple[str, str], bytes] = {}
    for section, content in tree.items():
        if isinstance(content, list) and all(isinstance(one, dict) for one in content):
            for one in content:
                key = section, str(one.get("id"))
                found[key] = found.get(key, b"") + canonical_json(one)
        elif section not in ("version", "effective_from"):
            found[section, ""] = canonical_json(content)
    return found


def _activations(pack: AuditPack) -> Iterator[tuple[Entry, PolicyThen, str]]:
    """Every pack put into force, for each kind, with the digest that it took the place of."""
    for entry in _of_type(pack, "policy.activated"):
        told = entry.payload or {}
        for kind in told["kinds"]:
            activation = PolicyThen(
                kind, told["pack"], told["version"], told["digest"], told["effective_at"],
                told["change"], entry.seq,
            )  # fmt: skip
            yield entry, activation, told["replaces"].get(kind, "")


def _segregation(pack: AuditPack) -> Iterator[Row]:
    for one in violations(pack):
        entry = one.entry
        yield entry.seq, entry.at, entry.type, entry.name, _who(pack, entry), one.rule, one.sentence


def _validations(pack: AuditPack) -> Iterator[Row]:
    """When people last looked at what runs at the end of the period."""
    until = pack.manifest.until
    for served in standing_at_end(pack).inventory():
        approvals = [
            one
            for one in _of_type(pack, "review.given")
            if (one.payload or {})["case"] == served.case
            and one.outcome == "approve"
            and (until is None or one.at[:10] <= until)
        ]
        last = approvals[-1].at if approvals else "nobody looked: green"
        yield (served.workload, served.release, served.case, served.tier, served.track, last,
               last if served.track == "red" else "", _NOWHERE)  # fmt: skip


def _data_approvals(pack: AuditPack) -> Iterator[Row]:
    for entry in _in_period(pack, "data.approved", "data.refused"):
        told = entry.payload or {}
        yield (entry.seq, entry.at, entry.outcome, told["source"], told["purpose"],
               told.get("until"), told.get("case"), _who(pack, entry),
               told.get("reason"))  # fmt: skip


def _administration(pack: AuditPack) -> Iterator[Row]:
    for entry in pack.entries:
        if entry.kind not in KINDS:
            details = "" if entry.payload is None else canonical_json(dict(entry.payload)).decode()
            subject = _named(pack, entry.name) if entry.kind == "person" else entry.name
            yield (entry.seq, entry.at, entry.type, entry.kind, subject, entry.digest,
                   _who(pack, entry), entry.outcome, details)  # fmt: skip


def _moves(pack: AuditPack) -> Iterator[Entry]:
    return _in_period(pack, "rollout.started", "rollback.started")


def _of_type(pack: AuditPack, *types: str) -> Iterator[Entry]:
    return (one for one in pack.entries if one.type in types and one.payload is not None)


def _in_period(pack: AuditPack, *types: str) -> Iterator[Entry]:
    """Entries of the scope that are dated in the period."""
    scope = pack.manifest
    return (one for one in _of_type(pack, *types) if scope.covers(one.name, one.at))


def _levels(history: CaseHistory | None) -> tuple[str, str]:
    return ("", "") if history is None else (history.value("tier"), history.value("track"))


def _who(pack: AuditPack, entry: Entry) -> str:
    return _named(pack, entry.actor)


def _named(pack: AuditPack, pseudonym: str) -> str:
    return str(pack.people.get(pseudonym, pseudonym))


TABLES: Final = (
    Table("contents", ("point", "what", "where", "state"), _contents),
    Table("summary", ("what", "value"), _summary),
    Table("inventory-start", Served._fields, _start),
    Table("inventory-end", Served._fields, _end),
    Table("deployments", ("entry", "at", "workload", "kind", "move", "rollout", "case", "tier",
          "track", "from", "to", "permit", "to_is_permitted", "person", "end", "ended_at",
          "reason"), _deployments),
    Table("reviews", ("entry", "at", "case", "workload", "person", "role", "roles_that_day",
          "trained_until", "verdict", "reason", "conditions", "accepted_gates", "findings",
          "dossier"), _reviews),
    Table("policies", ("entry", "at", "kind", "pack", "version", "digest", "effective_at",
          "replaces", "change", "proposed_by", "decided_by", "reason"), _policies),
    Table("policy-changes", ("entry", "kind", "section", "part", "what"), _policy_changes),
    Table("exceptions", ("entry", "at", "what", "workload", "case", "person", "details"),
          _exceptions),
    Table("roles", ROLES, role_rows),
    Table("competence", COMPETENCE, competence_rows),
    Table("segregation", ("entry", "at", "type", "subject", "person", "rule", "sentence"),
          _segregation),
    Table("validations", ("workload", "release", "case", "tier", "track", "last_approval",
          "last_full_review", "due"), _validations),
    Table("fairness", FAIRNESS, fairness_rows),
    Table("measures", MEASURES, measure_rows),
    Table("lineage", LINEAGE, lineage_rows),
    Table("data-approvals", ("entry", "at", "outcome", "source", "purpose", "until", "case",
          "person", "reason"), _data_approvals),
    Table("administration", ("entry", "at", "type", "kind", "subject", "digest", "person",
          "outcome", "details"), _administration),
)  # fmt: skip
