"""Verify an audit pack: every check in its order, and what they add up to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from guiderail_verify import check_cases as cases
from guiderail_verify import check_decisions as decisions
from guiderail_verify import check_ledger as ledger
from guiderail_verify import check_outside as outside
from guiderail_verify import check_people as people
from guiderail_verify import check_tables as tables
from guiderail_verify.audit_files import is_earlier_checkpoint, read_manifest
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.check_vouched import check_vouched
from guiderail_verify.checks import Check, run
from guiderail_verify.note import Checkpoint, NoteKey
from guiderail_verify.witness_policy import WitnessPolicy

CHECKS: tuple[tuple[str, str, str, Callable[[AuditPack, Check], None]], ...] = (
    ("files", "every file has the hash in the manifest, none is missing or added", "files",
     ledger.check_files),
    ("signature", "the manifest is signed", "signatures", ledger.check_signature),
    ("checkpoint", "the checkpoint is signed", "signatures", ledger.check_checkpoint),
    ("tree", "the entries give the root that was signed", "entries", ledger.check_tree),
    ("numbering", "the events of each subject are numbered without a gap", "entries",
     ledger.check_numbering),
    ("details", "the details are those that the entries commit to", "entries",
     ledger.check_details),
    ("gone", "what was erased or removed is recorded", "entries", ledger.check_gone),
    ("keys", "the ledger recorded the keys", "keys", ledger.check_keys),
    ("sample", "the cases in the pack are those of the scope and the sample", "cases in the scope",
     ledger.check_sample),
    ("index", "the index says what the ledger says", "cases in the scope", cases.check_index),
    ("releases", "the releases have the digests in the ledger", "releases", cases.check_releases),
    ("dossiers", "facts, answers and decisions have the digests in the ledger", "dossiers",
     cases.check_dossiers),
    ("evidence", "the bound documents have the digests in the ledger", "documents",
     cases.check_evidence),
    ("vouched", "the facts that somebody vouches for are those they signed", "facts",
     check_vouched),
    ("policies", "the policies that decided were in force", "decisions", decisions.check_policies),
    ("decisions", "tier, track and gates, computed again from the facts, are those recorded",
     "decisions", decisions.check_decisions),
    ("reviews", "the reviews are those in the ledger and cover each permit", "cases and reviews",
     cases.check_reviews),
    ("registers", "the recorded registers have the digests in the ledger", "registers",
     people.check_registers),
    ("people", "the people behind the pseudonyms are those of the recorded registers", "people",
     people.check_people),
    ("approvals", "the roles that had to review, computed again, all approved before each permit",
     "decisions and permits", people.check_approvals),
    ("authority", "whoever decided had the role and the training that day and was independent",
     "acts", people.check_authority),
    ("permits", "the permits are signed, proved and about their case", "permits",
     cases.check_permits),
    ("rollouts", "the rollouts are those in the ledger", "rollouts", cases.check_rollouts),
    ("tables", "the tables, computed again, are those in the pack", "tables",
     tables.check_tables),
    ("documents", "cards, bills of materials and assessment results are those of the records",
     "documents", tables.check_documents),
    ("before", "the log begins with the entries signed before the period", "checkpoints",
     tables.check_before),
    ("proofs", "each entry of a case has its own proof", "proofs", cases.check_proofs),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Audit:
    """checks: in their order. pinned: the checkpoint key came from outside the pack.

    checkpoint: what was signed, None where its signature does not hold.
    compared: with something that somebody outside remembers, a witness or a kept checkpoint.
    gone: how many entries lack words that were erased, or were removed.
    """

    checks: tuple[Check, ...]
    pinned: bool
    checkpoint: Checkpoint | None
    compared: bool
    gone: int = 0

    @property
    def ok(self) -> bool:
        return all(check.ok for check in self.checks)


def verify_pack(
    folder: Path,
    *,
    key: NoteKey | None = None,
    older: str | None = None,
    fingerprint: str | None = None,
    witnesses: WitnessPolicy | None = None,
) -> Audit:
    """Check everything in an audit pack.

    key: the log's checkpoint key as it came from elsewhere. older: a checkpoint that was kept.
    fingerprint: that of one, as it was written down.
    witnesses: whose cosignatures the reader trusts, and how many of them there must be.
    Raises VerifyError where the folder holds no audit pack; whatever is wrong with one is a failed
    check.
    """
    pack = AuditPack(folder, read_manifest(folder), key)
    made = [run(id_, title, unit, partial(look, pack)) for id_, title, unit, look in CHECKS]
    if any(map(is_earlier_checkpoint, pack.manifest.files)):
        title = "the earlier checkpoints in the pack are of this log"
        made.append(run("earlier", title, "checkpoints", partial(outside.check_earlier, pack)))
    if older is not None:
        title = "the log begins with the entries of the checkpoint that you kept"
        made.append(run("older", title, "checkpoints", partial(outside.check_older, pack, older)))
    if fingerprint is not None:
        title = "the log begins with the entries of the fingerprint that you wrote down"
        look = partial(outside.check_fingerprint, pack, fingerprint)
        made.append(run("fingerprint", title, "checkpoints", look))
    if witnesses is not None:
        title = "the witnesses that you named cosigned the checkpoint"
        look = partial(outside.check_witnesses, pack, witnesses)
        made.append(run("witnesses", title, "cosignatures", look))
    signed = next(check for check in made if check.id == "checkpoint")
    compared = any(one is not None for one in (older, fingerprint, witnesses))
    readable = next(check for check in made if check.id == "details").ok
    gone = sum(one.is_gone for one in pack.entries) if readable else 0
    checkpoint = pack.checkpoint if signed.ok else None
    return Audit(tuple(made), key is not None, checkpoint, compared, gone)
