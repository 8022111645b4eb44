"""Statements and permits as other tools read them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from guiderail.attest.keys import Keyring
from guiderail.attest.permit import sign_permit
from guiderail.attest.statement import REVIEW, sign_statement, statement
from guiderail.core.digest import canonical_json, sha256_digest
from guiderail.core.subject import Subject
from guiderail_verify.dsse import open_envelope
from guiderail_verify.permit import Permit, parse_permit

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
DIGEST = sha256_digest(b"release")
PERMIT = Permit(
    id="permit-1",
    case="case-1",
    kind="model",
    workload="credit",
    digest=DIGEST,
    environment="production",
    highest_share=Decimal("1"),
    conditions=(),
    issued_at=NOW,
    start_until=NOW + timedelta(days=7),
    dossier=sha256_digest(b"dossier"),
    policy=sha256_digest(b"pack"),
)


def test_a_permit_is_a_simple_verification_result(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    payload = open_envelope(sign_permit(PERMIT, keyring), keyring.trusted.permit).payload
    assert json.loads(payload) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "credit", "digest": {"sha256": DIGEST.removeprefix("sha256:")}}],
        "predicateType": "https://in-toto.io/attestation/svr/v0.1",
        "predicate": {
            "verifier": {
                "id": "urn:guiderail:verifier:v1",
                "policy": {"digest": {"sha256": PERMIT.policy.removeprefix("sha256:")}},
            },
            "timeCreated": "2026-11-23T09:30:00.000000Z",
            "properties": ["GUIDERAIL_PERMITTED"],
            "guiderail_permit": {
                "id": "permit-1",
                "case": "case-1",
                "kind": "model",
                "environment": "production",
                "highest_share": "1",
                "conditions": [],
                "start_until": "2026-11-30T09:30:00.000000Z",
                "dossier": PERMIT.dossier,
            },
        },
    }
    assert parse_permit(payload) == PERMIT


@pytest.mark.parametrize(
    "changes",
    [
        {"highest_share": Decimal(0)},
        {"highest_share": Decimal("1.5")},
        {"highest_share": Decimal("NaN")},
        {"start_until": NOW - timedelta(seconds=1)},
    ],
)
def test_a_permit_that_nobody_would_accept_is_not_signed(
    tmp_path: Path, changes: dict[str, object]
) -> None:
    with pytest.raises(ValueError, match=r"share|end before"):
        sign_permit(replace(PERMIT, **changes), Keyring.open(tmp_path))


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    assert sign_permit(PERMIT, keyring) == sign_permit(PERMIT, keyring)


def test_a_statement_names_one_digest() -> None:
    with pytest.raises(ValueError, match="SHA-256"):
        statement(Subject("model", "credit"), REVIEW, {})
    with pytest.raises(ValueError, match="SHA-256"):
        statement(Subject("model", "credit", "md5:00"), REVIEW, {})


def test_floats_are_never_signed(tmp_path: Path) -> None:
    inexact = statement(Subject("model", "credit", DIGEST), REVIEW, {"share": 0.1})
    with pytest.raises(TypeError, match="floats"):
        sign_statement(inexact, Keyring.open(tmp_path))


def test_an_envelope_is_canonical_json(tmp_path: Path) -> None:
    keyring = Keyring.open(tmp_path)
    envelope = sign_statement(
        statement(Subject("model", "credit", DIGEST), REVIEW, {"verdict": "approve"}), keyring
    )
    assert canonical_json(json.loads(envelope)) == envelope
