"""In-toto statements (v1) in signed DSSE envelopes: the evidence that ledger entries point to."""

from __future__ import annotations

from collections.abc import Mapping

from guiderail.attest.envelope import sign_envelope
from guiderail.attest.keys import Keyring
from guiderail.core.digest import canonical_json
from guiderail.core.subject import Subject
from guiderail_verify.dsse import IN_TOTO
from guiderail_verify.permit import STATEMENT_TYPE

Statement = Mapping[str, object]

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
GATE_RESULT = "urn:guiderail:gate-result:v1"
REVIEW = "urn:guiderail:review:v1"
WAIVER = "urn:guiderail:waiver:v1"
ROLLOUT = "urn:guiderail:rollout:v1"


def statement(
    subject: Subject, predicate_type: str, predicate: Mapping[str, object]
) -> dict[str, object]:
    """A Statement v1 about one subject.

    Raises ValueError for a subject without a SHA-256 digest: a statement about nothing in
    particular proves nothing.
    """
    if subject.digest is None or not subject.digest.startswith("sha256:"):
        raise ValueError("a statement needs a subject with a SHA-256 digest")
    return {
        "_type": STATEMENT_TYPE,
        "subject": [
            {"name": subject.name, "digest": {"sha256": subject.digest.removeprefix("sha256:")}}
        ],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }


def sign_statement(content: Statement, keyring: Keyring) -> bytes:
    """The envelope as canonical JSON bytes. Raises TypeError or ValueError for inexact content."""
    return sign_envelope(canonical_json(dict(content)), IN_TOTO, keyring.permit_signers)
