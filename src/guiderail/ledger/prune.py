"""Remove entries whose time was over: their bytes and details go, their leaf hashes stay."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, update

from guiderail.store.scrub import mark_scrub
from guiderail.store.tables import log_entry, pruned_entry, vault_salt, vault_words
from guiderail.store.transaction import Transaction


def remove_entries(tx: Transaction, entries: Sequence[int], by: int) -> None:
    """Empty entries that a checkpoint covers; entry `by` names them.

    The trigger on the entries lets this through, because they are listed as removed first, and
    nothing else.
    """
    if not entries:
        return
    rows = [{"of_seq": seq} for seq in entries]
    tx.execute(insert(pruned_entry), [{"seq": seq, "by_seq": by} for seq in entries])
    tx.execute(delete(vault_words).where(vault_words.c.seq == bindparam("of_seq")), rows)
    tx.execute(delete(vault_salt).where(vault_salt.c.seq == bindparam("of_seq")), rows)
    tx.execute(
        update(log_entry).where(log_entry.c.seq == bindparam("of_seq")).values(body=b""), rows
    )
    mark_scrub(tx)
