"""Checks that the tables and documents of a pack say what its entries and records say."""

from __future__ import annotations

from functools import partial

from guiderail_verify import audit_files as files
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.audit_tables import TABLES, Table
from guiderail_verify.checks import Check
from guiderail_verify.documents import NAMES, documents
from guiderail_verify.note import open_checkpoint


def check_tables(pack: AuditPack, check: Check) -> None:
    """Every table, computed again, is the one in the pack: all of them, or none at all.

    Without tables nothing is hidden: whoever has the pack can compute them.
    """
    if not any(path.startswith(f"{files.TABLES}/") for path in pack.manifest.files):
        check.note = "the pack holds no tables"
        return
    for one in TABLES:
        check.each(one.path, partial(_check_table, pack, one, check))


def _check_table(pack: AuditPack, one: Table, check: Check) -> None:
    right, found = one.text(pack), pack.text(one.path)
    if right == found:
        return
    wanted, written = right.split("\n"), found.split("\n")
    check.failures.append(f"{one.path} is not what the rest of the pack gives")
    for line in (row for row in written if row not in wanted):
        check.failures.append(f"{one.path} has the line {line[:100]!r}")
    for line in (row for row in wanted if row not in written):
        check.failures.append(f"{one.path} lacks the line {line[:100]!r}")


def check_documents(pack: AuditPack, check: Check) -> None:
    """Every card, bill of materials and the assessment results, made again, are those there.

    All of them, or none at all.
    """
    names = {path.rpartition("/")[2] for path in pack.manifest.files}
    if names.isdisjoint(NAMES):
        check.note = "the pack holds no cards, bills of materials or assessment results"
        return
    for path, right in documents(pack):
        check.looked_at += 1
        if path not in pack.manifest.files:
            check.failures.append(f"{path} is missing")
        else:
            check.expect(
                pack.text(path) == right, f"{path} does not say what the records in the pack say"
            )


def check_before(pack: AuditPack, check: Check) -> None:
    """The checkpoint from before the period is signed, and the log begins with its entries."""
    if files.BEFORE not in pack.manifest.files:
        check.note = "the pack holds no checkpoint from before its period"
        return
    check.looked_at = 1
    before = open_checkpoint(pack.text(files.BEFORE), pack.keys.checkpoint, pack.keys.origin)
    check.expect(
        before.size <= pack.tree.size and pack.tree.root(before.size) == before.root,
        f"the first {before.size} entries are not those that were signed before the period",
    )
