"""Writing to the ledger: every use case appends its event here, in its own transaction."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from guiderail.core.digest import Digest
from guiderail.core.subject import Actor, Subject
from guiderail.core.time import to_text
from guiderail.ledger.append import append
from guiderail.ledger.events import Event, EventName, Evidence, personal_fields
from guiderail.review.cases import Case
from guiderail.service.evidence_index import index
from guiderail.store import tables
from guiderail.store.transaction import Transaction

PLATFORM = Actor("platform", ("platform",))
"""Who acts where no person does."""


def record(
    tx: Transaction,
    name: EventName,
    subject: Subject,
    actor: Actor,
    now: datetime,
    payload: Mapping[str, object],
    *,
    outcome: str,
    policy: str | None = None,
    evidence: Sequence[Evidence] = (),
    notify: Sequence[str] = (),
) -> None:
    """Append one event and queue its notifications: all of it commits with the change, or nothing.

    notify: people, roles or teams that are told; sending is somebody else's work. A notification
    does not repeat what somebody wrote: that is kept once, encrypted, where it can be erased.
    """
    told = {name: payload[name] for name in payload.keys() - personal_fields(name)}
    for recipient in notify:
        tx.execute(
            tables.outbox.insert().values(
                topic=name,
                body=json.dumps({"to": recipient, "subject": subject.name, **told}),
                created_at=to_text(now),
            )
        )
    appended = append(
        tx,
        Event(
            type=name,
            subject=subject,
            actor=actor,
            at=now,
            payload=payload,
            outcome=outcome,
            policy=Digest(policy) if policy else None,
            evidence=tuple(evidence),
        ),
    )
    index(tx, appended.seq, to_text(now), subject, payload.get("case"), evidence)


def case_subject(case: Case) -> Subject:
    return Subject(case.kind, case.workload, case.release_digest)
