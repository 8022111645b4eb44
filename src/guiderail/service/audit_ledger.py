"""The ledger's part of an audit pack: its entries, and the details that the scope tells."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from guiderail.core.digest import canonical_json
from guiderail.ledger.append import PAYLOAD_FIELD
from guiderail.ledger.inspection import merged
from guiderail.ledger.vault import Reader, Words
from guiderail.store.columns import column_bytes
from guiderail.store.tables import log_entry, pruned_entry, vault_salt, vault_words
from guiderail.store.transaction import Snapshot
from guiderail_verify.audit_entries import Entry, lines_of, removed_line
from guiderail_verify.canonical import encode_base64, parse_object
from guiderail_verify.commitments import is_committed
from guiderail_verify.errors import VerifyError
from guiderail_verify.gone import ERASED, Gone


def entry_lines(snapshot: Snapshot, size: int) -> list[bytes]:
    """Every entry below `size`: its body, or its leaf hash where its time was over."""
    rows = snapshot.execute(
        select(log_entry.c.body, log_entry.c.leaf_hash, log_entry.c.seq, pruned_entry.c.by_seq)
        .outerjoin(pruned_entry, pruned_entry.c.seq == log_entry.c.seq)
        .where(log_entry.c.seq < size)
        .order_by(log_entry.c.seq)
    )
    return [
        column_bytes(body) or removed_line(int(seq), column_bytes(leaf), int(by or 0))
        for body, leaf, seq, by in rows
    ]


def details_lines(snapshot: Snapshot, entries: Sequence[Entry]) -> list[bytes]:
    """The details with the salts of their commitments, a line for each entry that has any.

    Words that cannot be decrypted are left out; whoever reads the pack is told that they miss.
    """
    wanted = {entry.seq: entry for entry in entries}
    reader = Reader(snapshot)
    rows = snapshot.execute(
        select(
            vault_salt.c.seq,
            vault_salt.c.salt,
            vault_salt.c.value,
            vault_words.c.key_id,
            vault_words.c.sealed,
        )
        .outerjoin(vault_words, vault_words.c.seq == vault_salt.c.seq)
        .where(vault_salt.c.field == PAYLOAD_FIELD)
        .order_by(vault_salt.c.seq)
    )
    kept: list[tuple[Entry, bytes, bytes, Words | None]] = []
    gone = Gone()
    for seq, salt, value, key_id, sealed in rows:
        entry = wanted.get(int(seq))
        if entry is None or entry.removed is not None:
            continue
        clear = column_bytes(value)
        words = None if key_id is None else reader.open(int(seq), key_id, column_bytes(sealed))
        kept.append((entry, column_bytes(salt), clear, words))
        if entry.type == ERASED:
            gone.see(entry.seq, entry.type, entry.name, parse_object(clear))
    return [_line(*one, gone) for one in kept]


def _line(entry: Entry, salt: bytes, clear: bytes, words: Words | None, gone: Gone) -> bytes:
    erased: int | None = None
    written: bytes | None = None
    if words is None:
        whole = entry.words is None and is_committed(salt, clear, entry.commitment)
        erased = None if whole else gone.erased_by(entry.actor, entry.seq)
    elif entry.words is None:
        salt, clear = words.salt, merged(clear, words.clear)
    else:
        written = (
            b',"words":{"payload":' + words.clear + b',"salt":"'
            + encode_base64(words.salt).encode("ascii") + b'"}}'
        )  # fmt: skip
    head = canonical_json({"salt": encode_base64(salt), "seq": entry.seq})
    line = b'{"payload":' + clear + b"," + head[1:]
    if erased is not None:
        written = b',"words":' + canonical_json({"erased": erased}) + b"}"
    return line if written is None else line[:-1] + written


def joined(lines: Sequence[bytes]) -> bytes:
    """A file of lines. Raises VerifyError where one of them holds a line break."""
    data = b"".join(line + b"\n" for line in lines)
    if len(lines_of(data)) != len(lines):
        raise VerifyError("pack/line", "a stored record holds a line break")
    return data
