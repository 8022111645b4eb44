"""Build and sign a permit. Checking one is `guiderail_verify.permit`, in one implementation."""

from __future__ import annotations

from guiderail.attest.keys import Keyring
from guiderail.attest.statement import sign_statement, statement
from guiderail.core.digest import Digest, canonical_json, sha256_digest
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail_verify.errors import VerifyError
from guiderail_verify.permit import (
    EXTENSION,
    VERIFICATION_RESULT,
    VERIFIER,
    Permit,
    parse_permit,
)


def sign_permit(permit: Permit, keyring: Keyring) -> bytes:
    """The signed envelope of a permit, verbatim as it is stored and handed out.

    Raises ValueError for a permit that its own verifier would refuse.
    """
    if permit.start_until < permit.issued_at:
        raise ValueError("a permit must not end before it begins")
    content = permit_statement(permit)
    try:
        understood = parse_permit(canonical_json(content))
    except VerifyError as error:
        raise ValueError(f"no target would accept this permit: {error.reason}") from error
    if understood != permit:
        raise ValueError("a target would read another permit than this one")
    return sign_statement(content, keyring)


def permit_statement(permit: Permit) -> dict[str, object]:
    """The in-toto Simple Verification Result that says this permit."""
    return statement(
        Subject(permit.kind, permit.workload, permit.digest),
        VERIFICATION_RESULT,
        {
            "verifier": {
                "id": VERIFIER,
                "policy": {"digest": {"sha256": permit.policy.removeprefix("sha256:")}},
            },
            "timeCreated": to_text(permit.issued_at),
            "properties": list(permit.properties),
            EXTENSION: {
                "id": permit.id,
                "case": permit.case,
                "kind": permit.kind,
                "environment": permit.environment,
                "highest_share": format(permit.highest_share.normalize(), "f"),
                "conditions": list(permit.conditions),
                "start_until": to_text(permit.start_until),
                "dossier": permit.dossier,
            },
        },
    )


def envelope_digest(envelope: bytes) -> Digest:
    """What the ledger entry names as evidence of this envelope."""
    return sha256_digest(envelope)
