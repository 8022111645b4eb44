"""A real permit: signed by a workspace's keys and recorded in its sealed ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from guiderail.attest.keys import Keyring
from guiderail.attest.permit import sign_permit
from guiderail.core.digest import sha256_digest
from guiderail.core.subject import Actor, Subject
from guiderail.ledger.append import append
from guiderail.ledger.events import Event, Evidence
from guiderail.ledger.proof import prove_entry
from guiderail.ledger.seal import seal
from guiderail.store.database import Store
from guiderail_verify.permit import VERIFICATION_RESULT, Permit

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DIGEST = sha256_digest(b"release")

PERMIT = Permit(
    id="permit-1",
    case="case-1",
    kind="model",
    workload="credit",
    digest=DIGEST,
    environment="production",
    highest_share=Decimal("0.25"),
    conditions=("watch the share of rejections",),
    issued_at=NOW,
    start_until=NOW + timedelta(days=7),
    dossier=sha256_digest(b"dossier"),
    policy=sha256_digest(b"pack"),
)


@dataclass(frozen=True, slots=True)
class Issued:
    permit: Permit
    envelope: bytes
    proof: str


@dataclass(frozen=True, slots=True)
class Office:
    """A workspace that issues permits."""

    store: Store
    keyring: Keyring

    def record(self, permit: Permit, envelope: bytes) -> str:
        event = Event(
            "permit.issued",
            Subject(permit.kind, permit.workload, permit.digest),
            Actor("ann"),
            NOW,
            {
                "case": permit.case,
                "permit": permit.id,
                "environment": permit.environment,
                "dossier": permit.dossier,
                "start_until": "2026-11-30",
            },
            evidence=(Evidence("permit", VERIFICATION_RESULT, sha256_digest(envelope)),),
        )
        with self.store.transaction() as tx:
            appended = append(tx, event)
        seal(self.store, self.keyring, NOW)
        return prove_entry(self.store, appended.seq)

    def issue(self, **changes: object) -> Issued:
        permit = replace(PERMIT, **changes)
        envelope = sign_permit(permit, self.keyring)
        return Issued(permit, envelope, self.record(permit, envelope))


def open_office(home: Path) -> Office:
    return Office(Store.open(home), Keyring.open(home))


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    office = open_office(tmp_path / "office")
    yield office
    office.store.close()


@pytest.fixture
def another_office(tmp_path: Path) -> Iterator[Office]:
    office = open_office(tmp_path / "another-office")
    yield office
    office.store.close()


@pytest.fixture
def issued(office: Office) -> Issued:
    return office.issue()
