"""Signers as people name and read them: files, days and claims in, documents out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, cast

from guiderail.attest.ci_token import LARGEST_JWKS
from guiderail.attest.public_key import LARGEST_PEM
from guiderail.core.errors import InputError
from guiderail.core.time import to_text
from guiderail.service.signers import Signer, Trust, add_key, add_token, list_signers
from guiderail.service.vouching import read_file
from guiderail.service.workspace import Workspace


def add_key_file(
    workspace: Workspace, name: str, path: Path, trust: str, until: str | None
) -> Signer:
    """Register the public key in a file. Errors as `signers.add_key`."""
    content = read_file(path, LARGEST_PEM)
    return add_key(workspace, name, content, cast(Trust, trust), until=_day(until))


def add_ci_file(
    workspace: Workspace,
    name: str,
    issuer: str,
    audience: str,
    jwks: Path,
    claims: Sequence[str],
    until: str | None,
) -> Signer:
    """Register a CI with its keys in a file. Errors as `signers.add_token`."""
    return add_token(
        workspace,
        name,
        issuer=issuer,
        audience=audience,
        claims=dict(_claim(text) for text in claims),
        jwks=read_file(jwks, LARGEST_JWKS),
        until=_day(until),
    )


def signers_document(workspace: Workspace) -> dict[str, Any]:
    """Everybody who is or was registered, oldest first."""
    now = workspace.clock()
    with workspace.store.read() as snapshot:
        return {"signers": [signer_document(one, now) for one in list_signers(snapshot)]}


def signer_document(signer: Signer, now: datetime) -> dict[str, Any]:
    """One signer. `counts`: whether its signature counts now."""
    identity = signer.identity
    return {
        "name": signer.name,
        "trust": signer.trust,
        "known_by": signer.known_by.value,
        "key_id": signer.key.key_id if signer.key else None,
        "issuer": identity.issuer if identity else None,
        "audience": identity.audience if identity else None,
        "claims": dict(identity.claims) if identity else {},
        "added_by": signer.person,
        "added_at": to_text(signer.added_at),
        "until": to_text(signer.until) if signer.until else None,
        "removed_at": to_text(signer.removed_at) if signer.removed_at else None,
        "counts": signer.counts_at(now),
    }


def _claim(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator or not name.strip() or not value.strip():
        raise InputError(
            f"{text!r} is not of the form NAME=VALUE",
            code="signer/claim",
            advice="For example --claim repository=acme/credit.",
        )
    return name.strip(), value.strip()


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise InputError(
            f"{text!r} is no day",
            code="input/date",
            advice="Write it as 2027-03-31.",
        ) from error
