"""Seal the ledger and let its witnesses cosign what was sealed.

Witnesses are asked after the seal has committed, outside any transaction and within a bounded time:
one that is down or hostile delays a command and never stops it. What it said is kept and shown.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta

from guiderail.core.errors import ConflictError
from guiderail.ledger.seal import latest_note, seal, stored_nodes
from guiderail.ledger.witnesses import (
    Asked,
    LastAnswer,
    Setting,
    keep_answer,
    keep_cosignature,
    last_size,
    newest_cosignatures,
    setting,
)
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot
from guiderail_verify.note import Checkpoint, parse_checkpoint
from guiderail_verify.tree import consistency_proof

IN_PASSING_SECONDS = 3.0
"""How long witnesses may delay a command whose purpose is another."""

ON_DEMAND_SECONDS = 10.0


def seal_and_ask(
    workspace: Workspace, *, seconds: float = IN_PASSING_SECONDS, again: bool = False
) -> Checkpoint:
    """Sign every committed entry, then ask the witnesses that have not cosigned it lately.

    again: ask those too that have. Raises IntegrityError as `seal` does, and never because of what
    a witness did.
    """
    sealed = seal(workspace.store, workspace.keyring, workspace.clock())
    _ask(workspace, sealed.size, seconds, again)
    return sealed


def _ask(workspace: Workspace, sealed: int, seconds: float, again: bool) -> None:
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        chosen = setting(snapshot)
        note = latest_note(snapshot, at_least=sealed) if chosen.witnesses else None
        if note is None:
            return
        size = parse_checkpoint(note.partition("\n\n")[0] + "\n").size
        fresh = set() if again else _fresh(snapshot, note, size, chosen, now)
        asked = [
            Asked(one, last_size(snapshot, one.key, size))
            for one in chosen.witnesses
            if one.key.name not in fresh
        ]
        if not asked:
            return
        from guiderail.ledger.ask_witnesses import ask_all

        nodes = stored_nodes(snapshot)
        said = ask_all(
            asked,
            note,
            size,
            lambda old: consistency_proof(old, size, nodes),
            workspace.clock,
            seconds=seconds,
        )
    # A database that is busy for too long loses what was said: the next checkpoint asks again.
    with suppress(ConflictError), workspace.store.transaction() as tx:
        for one in said:
            if one.cosignature is not None:
                keep_cosignature(tx, size, one.cosignature, now)
            name = one.witness.key.name
            keep_answer(tx, LastAnswer(name, size, one.outcome, one.sentence, now))


def _fresh(snapshot: Snapshot, note: str, size: int, chosen: Setting, now: datetime) -> set[str]:
    """Witnesses that cosigned this very checkpoint so lately that asking again says nothing new."""
    lately = (now - timedelta(hours=chosen.within_hours) / 2).timestamp()
    found = newest_cosignatures(snapshot, note, size, chosen.policy)
    return {one.key.name for one in found if one.time >= lately}
