"""Sign that a policy pack is put into force. Checking it is `guiderail_verify.activation`."""

from __future__ import annotations

from guiderail.attest.keys import Keyring
from guiderail.attest.statement import sign_statement, statement
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail_verify.activation import POLICY_ACTIVATION, Activation

__all__ = ["POLICY_ACTIVATION", "sign_activation"]


def sign_activation(activation: Activation, keyring: Keyring) -> bytes:
    """The signed envelope, verbatim as it is stored."""
    content = statement(
        Subject("policy", activation.pack, activation.digest),
        POLICY_ACTIVATION,
        {
            "kind": activation.kind,
            "version": activation.version,
            "texts_digest": activation.texts_digest,
            "compiled": activation.compiled,
            "effective_at": to_text(activation.effective_at),
            "replaces": activation.replaces,
            "change": activation.change,
        },
    )
    return sign_statement(content, keyring)
