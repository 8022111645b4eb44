"""Checks of what somebody outside remembers: cosignatures, earlier and kept checkpoints."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from guiderail_verify import audit_files as files
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.checks import Check
from guiderail_verify.errors import VerifyError
from guiderail_verify.fingerprint import fingerprint, has_fingerprint, read_fingerprint
from guiderail_verify.note import Checkpoint, open_checkpoint
from guiderail_verify.witness_policy import Quorum, WitnessPolicy


def check_earlier(pack: AuditPack, check: Check) -> None:
    """The earlier checkpoints in the pack are of this log, at its beginning."""
    for path in sorted(filter(files.is_earlier_checkpoint, pack.manifest.files)):
        check.each(path, partial(_earlier, pack, path))


def check_older(pack: AuditPack, note: str, check: Check) -> None:
    """The log of the pack begins with the entries of an older checkpoint."""
    check.looked_at = 1
    # Its holder vouches for it, so a key that came into other hands later counts as well.
    keys = pack.keys.as_recorded.note_keys
    _continued(pack, open_checkpoint(note, keys, pack.keys.origin), "your checkpoint")


def check_fingerprint(pack: AuditPack, typed: str, check: Check) -> None:
    """The beginning of the log has the fingerprint that somebody wrote down."""
    check.looked_at = 1
    size, letters = read_fingerprint(typed)
    if size > pack.tree.size:
        raise VerifyError(
            "pack/shorter",
            f"your fingerprint is of {size} entries and {pack.tree.size} are in the pack: entries "
            "at the end were removed",
        )
    found = Checkpoint(pack.keys.origin, size, pack.tree.root(size))
    check.expect(
        has_fingerprint(found, letters),
        f"the first {size} entries have another fingerprint ({fingerprint(found)}): history was "
        "rewritten, or the fingerprint has a typing error",
    )


def check_witnesses(pack: AuditPack, policy: WitnessPolicy, check: Check) -> None:
    """Enough of the witnesses that the reader trusts cosigned the pack's own checkpoint."""
    found = policy.reached(pack.text(files.CHECKPOINT))
    check.looked_at = len(found.found)
    check.note = since(found)
    check.expect(
        found.time is not None,
        f"{len(found.found)} of the {len(policy.keys)} witnesses that you named cosigned the "
        f"{pack.checkpoint.size} entries in the pack, and {policy.quorum} are required",
    )


def since(found: Quorum) -> str:
    """Who cosigned and when, for people."""
    return ", ".join(f"{one.key.name} on {_minute(one.time)}" for one in found.found)


def _earlier(pack: AuditPack, path: str) -> None:
    earlier = open_checkpoint(pack.text(path), pack.keys.note_keys, pack.keys.origin)
    _continued(pack, earlier, path)


def _continued(pack: AuditPack, older: Checkpoint, whose: str) -> None:
    if older.size > pack.tree.size:
        raise VerifyError(
            "pack/shorter",
            f"{whose} was signed over {older.size} entries and {pack.tree.size} are in "
            "the pack: entries at the end were removed.",
        )
    if pack.tree.root(older.size) != older.root:
        raise VerifyError(
            "pack/rewritten",
            f"the first {older.size} entries are not those of {whose}: history was rewritten",
        )


def _minute(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return f"second {seconds}"
