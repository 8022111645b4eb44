"""Policy changes in the store, with the decisions about them."""

from __future__ import annotations

import json
from datetime import date, datetime

from sqlalchemy import RowMapping, func, insert, select, update

from guiderail.core.errors import InputError
from guiderail.core.time import from_text, to_text
from guiderail.review.policy_change import ChangeState, PolicyChange, Vote
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction


def next_id(tx: Snapshot) -> tuple[str, int]:
    """The next free id (`change-0001`, counting up) and its number."""
    number = (tx.execute(select(func.max(tables.policy_change.c.number))).scalar() or 0) + 1
    return f"change-{number:04d}", number


def add(tx: Transaction, change: PolicyChange, number: int) -> None:
    tx.execute(
        insert(tables.policy_change).values(
            id=change.id,
            number=number,
            pack=change.pack,
            version=change.version,
            digest=change.digest,
            texts_digest=change.texts_digest,
            compiled=change.compiled,
            kinds=json.dumps(list(change.kinds)),
            replaces=json.dumps(dict(change.replaces)),
            effective_on=change.effective_on.isoformat(),
            author=change.author,
            contributors=json.dumps(sorted(change.contributors)),
            reason=change.reason,
            needs=json.dumps({role: list(parts) for role, parts in change.needs.items()}),
            evidence=json.dumps(change.evidence),
            state=change.state.value,
            created_at=to_text(change.created_at),
            updated_at=to_text(change.created_at),
        )
    )


def load(tx: Snapshot, change_id: str) -> PolicyChange:
    """Raises InputError `policy/no-such-change` for an id that is not there."""
    table = tables.policy_change
    row = tx.execute(select(table).where(table.c.id == change_id)).mappings().first()
    if row is None:
        raise InputError(
            f"there is no policy change {change_id}",
            code="policy/no-such-change",
            advice="`guiderail policy status` lists them.",
        )
    return _change(tx, row)


def every(tx: Snapshot, state: ChangeState | None = None) -> tuple[PolicyChange, ...]:
    """All of them, the oldest first; with a state, only those in it."""
    table = tables.policy_change
    wanted = select(table).order_by(table.c.number)
    if state is not None:
        wanted = wanted.where(table.c.state == state.value)
    return tuple(_change(tx, row) for row in tx.execute(wanted).mappings().all())


def move(tx: Transaction, change: PolicyChange, state: ChangeState, now: datetime) -> PolicyChange:
    table = tables.policy_change
    tx.execute(
        update(table)
        .where(table.c.id == change.id)
        .values(state=state.value, updated_at=to_text(now))
    )
    return load(tx, change.id)


def add_vote(tx: Transaction, change: PolicyChange, vote: Vote) -> PolicyChange:
    tx.execute(
        insert(tables.policy_vote).values(
            change_id=change.id,
            person=vote.person,
            role=vote.role,
            verdict=vote.verdict,
            reason=vote.reason,
            at=to_text(vote.at),
        )
    )
    return load(tx, change.id)


def _change(tx: Snapshot, row: RowMapping) -> PolicyChange:
    table = tables.policy_vote
    votes = tx.execute(
        select(table).where(table.c.change_id == row["id"]).order_by(table.c.id)
    ).mappings()
    return PolicyChange(
        id=row["id"],
        pack=row["pack"],
        version=row["version"],
        digest=row["digest"],
        texts_digest=row["texts_digest"],
        compiled=row["compiled"],
        kinds=tuple(json.loads(row["kinds"])),
        replaces=json.loads(row["replaces"]),
        effective_on=date.fromisoformat(row["effective_on"]),
        author=row["author"],
        contributors=frozenset(json.loads(row["contributors"])),
        reason=row["reason"],
        needs={role: tuple(parts) for role, parts in json.loads(row["needs"]).items()},
        evidence=json.loads(row["evidence"]),
        state=ChangeState(row["state"]),
        created_at=from_text(row["created_at"]),
        votes=tuple(
            Vote(vote["person"], vote["role"], vote["verdict"], vote["reason"],
                 from_text(vote["at"]))
            for vote in votes
        ),
    )  # fmt: skip
