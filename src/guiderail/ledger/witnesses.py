"""Which witnesses the ledger has, what they cosigned, and what they said last."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from sqlalchemy import delete, func, insert, select

from guiderail.core.errors import IntegrityError
from guiderail.core.time import from_text, to_text
from guiderail.ledger.seal import latest_note
from guiderail.store.prepared import Prepared
from guiderail.store.tables import (
    log_checkpoint,
    log_cosignature,
    witness,
    witness_answer,
    witness_rule,
)
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.cosignature import Cosignature, WitnessKey, cosignatures
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import compose, parse_checkpoint, split_note
from guiderail_verify.witness_policy import WitnessPolicy, majority

WITHIN_HOURS = 24
"""How old the newest witnessed checkpoint may be, where nobody chose otherwise."""

CLOCK_TOLERANCE = timedelta(minutes=5)
"""How far the clock of a witness may be from ours. An older cosignature is one that is replayed."""

Outcome = Literal["cosigned", "contradicts", "refused", "no-answer", "bad-answer"]
"""contradicts: it remembers another history, or more of it, than the one that it was shown."""


@dataclass(frozen=True, slots=True)
class Witness:
    """url: the submission prefix (c2sp.org/tlog-witness), without a slash at its end."""

    key: WitnessKey
    url: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A witness and the size that it is thought to have cosigned last."""

    witness: Witness
    old_size: int


@dataclass(frozen=True, slots=True)
class Setting:
    """The witnesses by name, the rule over them, and within how many hours it is to be met.

    chosen: somebody chose the quorum; else it is more than half of the witnesses.
    """

    witnesses: tuple[Witness, ...]
    policy: WitnessPolicy
    within_hours: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class LastAnswer:
    """What a witness said when it was last asked. size: of the checkpoint it was asked about."""

    name: str
    size: int
    outcome: Outcome
    sentence: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint with the cosignatures of the quorum. at: since when the quorum stands."""

    size: int
    at: datetime
    note: str


_FIND_WITNESSES = Prepared(select(witness.c.verifier_key, witness.c.url).order_by(witness.c.name))
_FIND_RULE = Prepared(select(witness_rule.c.quorum, witness_rule.c.within_hours))


def setting(snapshot: Snapshot) -> Setting:
    """Raises IntegrityError where a stored key or rule cannot be used."""
    rows = snapshot.run(_FIND_WITNESSES, {})
    rule = next(iter(snapshot.run(_FIND_RULE, {})), None)
    quorum = None if rule is None else rule[0]
    try:
        keys = tuple(WitnessKey.from_text(key) for key, _ in rows)
        needed = majority(len(keys)) if quorum is None else min(int(quorum), len(keys))
        policy = WitnessPolicy(keys, needed)
    except (VerifyError, ValueError) as error:
        raise IntegrityError(
            f"The stored witnesses cannot be used: {error}.",
            advice="Remove the witness with `guiderail ledger witness remove` and add it again.",
            code="ledger/witnesses",
        ) from error
    return Setting(
        tuple(Witness(key, url) for key, (_, url) in zip(keys, rows, strict=True)),
        policy,
        WITHIN_HOURS if rule is None else int(rule[1]),
        quorum is not None,
    )


def add_witness(tx: Transaction, new: Witness, now: datetime) -> None:
    tx.execute(
        insert(witness),
        {
            "name": new.key.name,
            "verifier_key": new.key.to_text(),
            "url": new.url,
            "added_at": to_text(now),
        },
    )


def remove_witness(tx: Transaction, name: str) -> None:
    """What it cosigned stays; it no longer counts."""
    tx.execute(delete(witness).where(witness.c.name == name))
    tx.execute(delete(witness_answer).where(witness_answer.c.name == name))


def require(tx: Transaction, quorum: int | None, within_hours: int) -> None:
    """quorum: None for more than half of the witnesses, however many they become."""
    tx.execute(delete(witness_rule))
    tx.execute(insert(witness_rule), {"id": 1, "quorum": quorum, "within_hours": within_hours})


def keep_cosignature(tx: Transaction, size: int, made: Cosignature, now: datetime) -> None:
    """Store a verified cosignature under the checkpoint of that size."""
    tx.execute(
        insert(log_cosignature),
        {
            "size": size,
            "verifier_key": made.key.to_text(),
            "line": made.line,
            "received_at": to_text(now),
        },
    )


def keep_answer(tx: Transaction, answer: LastAnswer) -> None:
    tx.execute(delete(witness_answer).where(witness_answer.c.name == answer.name))
    tx.execute(
        insert(witness_answer),
        {
            "name": answer.name,
            "size": answer.size,
            "outcome": answer.outcome,
            "sentence": answer.sentence,
            "asked_at": to_text(answer.at),
        },
    )


def last_answers(snapshot: Snapshot) -> dict[str, LastAnswer]:
    """By the name of the witness; those that were never asked are missing."""
    return {
        row.name: LastAnswer(
            row.name, int(row.size), row.outcome, row.sentence, from_text(row.asked_at)
        )
        for row in snapshot.execute(select(witness_answer).order_by(witness_answer.c.name))
    }


def cosigned_note(snapshot: Snapshot, note: str, size: int, policy: WitnessPolicy) -> str:
    """The signed note with the newest good cosignature of each witness below it."""
    found = newest_cosignatures(snapshot, note, size, policy)
    text, lines = split_note(note)
    own = [line + "\n" for line in lines]
    return compose(text, [*own, *(one.line for one in found if one.line not in own)])


def latest_cosigned_note(snapshot: Snapshot, *, at_least: int = 0) -> str | None:
    """The newest checkpoint with the cosignatures under it; None where none is so large."""
    note = latest_note(snapshot, at_least=at_least)
    if note is None:
        return None
    size = parse_checkpoint(note.partition("\n\n")[0] + "\n").size
    return cosigned_note(snapshot, note, size, setting(snapshot).policy)


def last_size(snapshot: Snapshot, key: WitnessKey, at_most: int) -> int:
    """The size of the largest checkpoint that this witness cosigned; 0 where it did none."""
    table = log_cosignature
    found = snapshot.execute(
        select(func.max(table.c.size))
        .where(table.c.verifier_key == key.to_text())
        .where(table.c.size <= at_most)
    ).scalar_one_or_none()
    return int(found or 0)


def newest_cosignatures(
    snapshot: Snapshot, note: str, size: int, policy: WitnessPolicy
) -> tuple[Cosignature, ...]:
    """The newest good one of each witness of the policy under this note, in their order."""
    if not policy.keys:
        return ()
    table = log_cosignature
    statement = (
        select(table.c.verifier_key, table.c.line)
        .where(table.c.size == size)
        .where(table.c.verifier_key.in_([key.to_text() for key in policy.keys]))
    )
    found: dict[str, Cosignature] = {}
    for _, line in snapshot.execute(statement):
        for one in _verified(note, str(line), policy.keys):
            before = found.get(one.key.name)
            if before is None or before.time < one.time:
                found[one.key.name] = one
    return tuple(found[key.name] for key in policy.keys if key.name in found)


def newest_witnessed(snapshot: Snapshot, chosen: Setting, latest: datetime) -> Witnessed | None:
    """The largest checkpoint that the quorum cosigned, or None where it never did.

    latest: a cosignature from after this moment does not count, because no clock can have made it.
    """
    keys = [key.to_text() for key in chosen.policy.keys]
    table = log_cosignature
    sizes = (
        select(table.c.size)
        .where(table.c.verifier_key.in_(keys))
        .group_by(table.c.size)
        .having(func.count(table.c.verifier_key.distinct()) >= max(chosen.policy.quorum, 1))
        .order_by(table.c.size.desc())
    )
    for (size,) in snapshot.execute(sizes).all():
        note = snapshot.execute(
            select(log_checkpoint.c.note).where(log_checkpoint.c.size == size)
        ).scalar_one_or_none()
        if note is None:
            continue
        whole = cosigned_note(snapshot, str(note), size, chosen.policy)
        try:
            since = chosen.policy.reached(whole).time
        except VerifyError:
            continue
        if since is not None and since <= latest.timestamp():
            return Witnessed(int(size), datetime.fromtimestamp(since, UTC), whole)
    return None


def bad_cosignatures(snapshot: Snapshot) -> Iterator[str]:
    """A sentence for each stored cosignature that does not verify under its checkpoint."""
    statement = (
        select(log_cosignature, log_checkpoint.c.note)
        .outerjoin(log_checkpoint, log_checkpoint.c.size == log_cosignature.c.size)
        .order_by(log_cosignature.c.id)
    )
    for row in snapshot.execute(statement):
        try:
            key = WitnessKey.from_text(row.verifier_key)
        except VerifyError:
            yield f"The key of cosignature {row.id} cannot be read."
            continue
        if not _verified(str(row.note), row.line, (key,)):
            yield (
                f"The cosignature of {key.name} under the checkpoint of {row.size} entries does "
                "not verify."
            )


def _verified(note: str, line: str, keys: tuple[WitnessKey, ...]) -> tuple[Cosignature, ...]:
    try:
        text, _ = split_note(note)
        return cosignatures(compose(text, [line]), keys)
    except VerifyError:
        return ()
