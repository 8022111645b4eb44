"""Append events in the transaction of the state change that they record.

The event's bytes are fixed here and never serialised again. The head row is updated last, so its
lock is held for as short as possible and decides the order; a second appender waits for it.
Whatever goes wrong dooms the transaction: no state change without its event.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType

from sqlalchemy import Integer, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from guiderail.core.digest import canonical_json
from guiderail.core.errors import IntegrityError, RefusedError
from guiderail.core.time import to_text
from guiderail.ledger.events import IMPERSONATED_BY, Event, check_event, personal_fields
from guiderail.ledger.vault import Words, data_keys, keep_words
from guiderail.store.prepared import Prepared
from guiderail.store.tables import (
    log_entry,
    log_head,
    log_index,
    person_pseudonym,
    subject_counter,
    vault_salt,
)
from guiderail.store.transaction import Transaction
from guiderail_verify.commitments import ALGORITHM, commitment
from guiderail_verify.tree import leaf_hash

LARGEST_BODY = 16 * 1024
LARGEST_PAYLOAD = 256 * 1024
PAYLOAD_FIELD = "payload"
VERSION = 2

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Appended:
    """Where an event went. seq counts from 0 over the log, subject_no from 1 within the subject."""

    seq: int
    subject_no: int
    body: bytes


def append(tx: Transaction, event: Event, *, entropy: Entropy = secrets.token_bytes) -> Appended:
    """Append one event; it is there if and only if the transaction commits.

    Call it after the other statements of the change.
    Raises ValueError for an event that is not in the list of `events`, RefusedError for one that
    is too large; both, and every error of the database, doom the transaction.
    """
    return append_all(tx, [event], entropy=entropy)[0]


def append_all(
    tx: Transaction, events: Sequence[Event], *, entropy: Entropy = secrets.token_bytes
) -> list[Appended]:
    """Append several events of one change, in this order. Errors as in `append`."""
    with _closed_on_failure(tx):
        for event in events:
            check_event(event)
        sealed = [_commit_payload(event, entropy) for event in events]
        actors = {person: _pseudonym(tx, person, entropy) for person in sorted(_people(events))}
        subjects = [(event.subject.kind, _subject_name(event, actors)) for event in events]
        writing = {
            event.actor.person: actors[event.actor.person]
            for event, payload in zip(events, sealed, strict=True)
            if payload.words is not None
        }
        keys = data_keys(tx, writing, entropy=entropy)
        numbers = _subject_numbers(tx, subjects)
        first = _advance_head(tx, len(events))
        appended = []
        for offset, (event, payload, subject) in enumerate(
            zip(events, sealed, subjects, strict=True)
        ):
            seq, number = first + offset, next(numbers[subject])
            body = _body(event, seq, number, subject[1], actors[event.actor.person], payload)
            _store(tx, event, Appended(seq, number, body), subject, payload)
            if payload.words is not None:
                keep_words(tx, seq, keys[event.actor.person], payload.words, entropy=entropy)
            appended.append(Appended(seq, number, body))
        return appended


def pseudonyms(
    tx: Transaction, people: Iterable[str], *, entropy: Entropy = secrets.token_bytes
) -> dict[str, str]:
    """The pseudonym of each person, made where there is none yet."""
    return {person: _pseudonym(tx, person, entropy) for person in sorted(set(people))}


@dataclass(frozen=True, slots=True)
class _Payload:
    """Details as they are kept. words: what somebody wrote; None where nobody wrote anything."""

    salt: bytes
    clear: bytes
    words: Words | None

    def commitments(self) -> dict[str, str | None]:
        words = self.words
        return {
            "alg": ALGORITHM,
            "value": commitment(self.salt, self.clear),
            "words": None if words is None else commitment(words.salt, words.clear),
        }


@contextmanager
def _closed_on_failure(tx: Transaction) -> Iterator[None]:
    try:
        yield
    except BaseException as error:
        tx.doom(error)
        raise


def _commit_payload(event: Event, entropy: Entropy) -> _Payload:
    payload: dict[str, object] = dict(event.payload)
    if event.actor.impersonated_by is not None:
        payload[IMPERSONATED_BY] = event.actor.impersonated_by
    words = {name: payload[name] for name in personal_fields(event.type) & payload.keys()}
    if not any(words.values()):
        words = {}
    clear = canonical_json({name: payload[name] for name in payload.keys() - words.keys()})
    written = canonical_json(words)
    if len(clear) + len(written) > LARGEST_PAYLOAD:
        raise _too_large(event, len(clear) + len(written), LARGEST_PAYLOAD)
    return _Payload(entropy(32), clear, Words(entropy(32), written) if words else None)


def _body(event: Event, seq: int, number: int, name: str, actor: str, payload: _Payload) -> bytes:
    body = canonical_json(
        {
            "v": VERSION,
            "seq": seq,
            "at": to_text(event.at),
            "type": event.type,
            "subject": {"kind": event.subject.kind, "name": name, "digest": event.subject.digest},
            "subject_no": number,
            "actor": actor,
            "outcome": event.outcome,
            "policy": event.policy,
            "evidence": [
                {
                    "name": item.name,
                    "predicateType": item.predicate_type,
                    "sha256": item.digest.removeprefix("sha256:"),
                }
                for item in event.evidence
            ],
            "payload": payload.commitments(),
        }
    )
    if len(body) > LARGEST_BODY:
        raise _too_large(event, len(body), LARGEST_BODY)
    return body


def _too_large(event: Event, size: int, limit: int) -> RefusedError:
    return RefusedError(
        f"The record of {event.type} takes {size} bytes; the ledger takes at most {limit}.",
        advice="Shorten the text, or attach it as a file.",
        code="ledger/too-large",
    )


# --- Statements: built once, in the order in which an append runs them --------------------------

_FIND_PSEUDONYM = Prepared(
    select(person_pseudonym.c.pseudonym).where(person_pseudonym.c.person == bindparam("person"))
)
_ADVANCE_HEAD = Prepared(
    update(log_head)
    .where(log_head.c.id == 1)
    .values(size=log_head.c.size + bindparam("count", type_=Integer))
    .returning(log_head.c.size)
)
_INSERT_ENTRY = Prepared(insert(log_entry))
_INSERT_INDEX = Prepared(insert(log_index))
_INSERT_PAYLOAD = Prepared(insert(vault_salt))


def _upserts(dialect: ModuleType) -> tuple[Prepared, Prepared]:
    count = bindparam("count", type_=Integer)
    counter = (
        dialect.insert(subject_counter)
        .values(kind=bindparam("kind"), name=bindparam("name"), next_no=count + 1)
        .on_conflict_do_update(
            index_elements=["kind", "name"], set_={"next_no": subject_counter.c.next_no + count}
        )
        .returning(subject_counter.c.next_no)
    )
    pseudonym = dialect.insert(person_pseudonym).on_conflict_do_nothing(index_elements=["person"])
    return Prepared(counter), Prepared(pseudonym)


_UPSERTS = {"sqlite": _upserts(sqlite), "postgresql": _upserts(postgresql)}


def _people(events: Sequence[Event]) -> set[str]:
    """Everybody whose name must not stand in the ledger: actors, and subjects that are people."""
    actors = {event.actor.person for event in events}
    return actors | {event.subject.name for event in events if event.subject.kind == "person"}


def _subject_name(event: Event, pseudonyms: Mapping[str, str]) -> str:
    name = event.subject.name
    return pseudonyms[name] if event.subject.kind == "person" else name


def _pseudonym(tx: Transaction, person: str, entropy: Entropy) -> str:
    found = tx.run(_FIND_PSEUDONYM, {"person": person})
    if not found:
        _, insert_pseudonym = _UPSERTS[tx.dialect]
        tx.run(insert_pseudonym, {"person": person, "pseudonym": "p-" + entropy(12).hex()})
        found = tx.run(_FIND_PSEUDONYM, {"person": person})
    return str(found[0][0])


def _subject_numbers(
    tx: Transaction, subjects: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], Iterator[int]]:
    """The numbers that the subjects' events get; rows are locked in one order for everybody."""
    bump_counter, _ = _UPSERTS[tx.dialect]
    numbers = {}
    for (kind, name), count in sorted(Counter(subjects).items()):
        parameters = {"kind": kind, "name": name, "count": count}
        after = int(tx.run(bump_counter, parameters)[0][0])
        numbers[kind, name] = iter(range(after - count, after))
    return numbers


def _advance_head(tx: Transaction, count: int) -> int:
    size = tx.run(_ADVANCE_HEAD, {"count": count})
    if not size:
        raise IntegrityError(
            "The head row of the ledger is missing.",
            advice="Restore the database from a backup, then run guiderail ledger verify.",
            code="ledger/no-head",
        )
    return int(size[0][0]) - count


def _store(
    tx: Transaction,
    event: Event,
    appended: Appended,
    subject: tuple[str, str],
    payload: _Payload,
) -> None:
    seq = appended.seq
    case_id = event.payload.get("case")
    tx.run(
        _INSERT_ENTRY,
        {"seq": seq, "body": appended.body, "leaf_hash": leaf_hash(appended.body)},
    )
    tx.run(
        _INSERT_INDEX,
        {
            "seq": seq,
            "type": event.type,
            "subject_kind": subject[0],
            "subject_name": subject[1],
            "subject_no": appended.subject_no,
            "case_id": case_id if isinstance(case_id, str) else None,
        },
    )
    tx.run(
        _INSERT_PAYLOAD,
        {"seq": seq, "field": PAYLOAD_FIELD, "salt": payload.salt, "value": payload.clear},
    )
