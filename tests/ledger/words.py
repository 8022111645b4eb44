"""Events in which somebody wrote something, for the tests of the vault."""

from __future__ import annotations

from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.erasure import erase_words, forget, pseudonym_of
from guiderail.ledger.events import Event
from guiderail.store.database import Store

from .conftest import DIGEST, NOW

SECRET = "The cousin of the branch manager asked for it"


def reviewed(person: str = "ann", reason: str = SECRET, case: str = "case-1") -> Event:
    payload = {
        "case": case, "dossier": DIGEST, "role": "risk-officer", "verdict": "approve",
        "reason": reason, "conditions": [], "accepted_gates": [], "findings": [],
    }  # fmt: skip
    return Event("review.given", Subject("model", "credit", DIGEST), Actor(person), NOW, payload)


def erase(store: Store, person: str) -> str:
    """Erase a person from the vault and record it; the pseudonym."""
    with store.transaction() as tx:
        pseudonym = pseudonym_of(tx, person)
        assert pseudonym is not None
        words = erase_words(tx, pseudonym)
        payload = {"entries": words.entries, "rows": 0, "restated": words.restated, "dossiers": {}}
        subject = Subject("person", person)
        event = Event("person.erased", subject, Actor("dora"), NOW, payload)
        forget(tx, pseudonym, append(tx, event).seq, NOW)
    return pseudonym
