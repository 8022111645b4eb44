"""Who vouches for a document: somebody registered, somebody unknown, or nobody."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from guiderail.attest.ci_token import claims_of
from guiderail.attest.in_toto import read_statement
from guiderail.attest.outside_envelope import read_envelope, signer_of
from guiderail.attest.strict_json import read_json
from guiderail.core.digest import Digest, canonical_json, sha256_digest
from guiderail.core.errors import InputError, Place, RefusedError
from guiderail.core.scales import KnownBy
from guiderail.facts.evidence.outside import LARGEST, LARGEST_STATEMENT, Outside
from guiderail.service.facts_statement import FACTS, Vouched, read_facts_statement
from guiderail.service.signers import UNKNOWN_SIGNER, Signer

WITH_TOKEN = "application/vnd.guiderail.token+json"  # noqa: S105 - a media type
LARGEST_TOKEN_FILE = 16 * 1024


@dataclass(frozen=True, slots=True)
class Voucher:
    """signer: who, or None. signed: whether anybody signed it at all. known_by: what follows."""

    signer: Signer | None
    signed: bool

    @property
    def known_by(self) -> KnownBy:
        """An unknown signature is as good as none: somebody claims it."""
        return self.signer.known_by if self.signer else KnownBy.DECLARED

    @property
    def name(self) -> str | None:
        """Of the signer, `somebody unknown`, or None where nobody signed."""
        if self.signer is not None:
            return self.signer.name
        return UNKNOWN_SIGNER if self.signed else None

    @property
    def words(self) -> str:
        return "not signed" if self.name is None else f"signed by {self.name}"


def voucher_of(evidence: Outside, registered: Sequence[Signer]) -> Voucher:
    """Raises RefusedError `evidence/tampered` for content that its signature was not made for."""
    if evidence.envelope is None:
        return Voucher(None, False)
    return Voucher(signer_of(evidence.envelope, registered), True)


def open_facts(
    content: bytes, token: str | None, registered: Sequence[Signer], release: Digest, now: datetime
) -> tuple[Vouched, bytes]:
    """The facts in a statement that a registered signer or token vouches for, and what to store.

    Raises RefusedError where nobody known vouches for it, where it is about another release, where
    it is too old, or a token is not the one for this statement; InputError for no statement.
    """
    try:
        value = read_json(content)
        envelope = read_envelope(value)
        payload = content if envelope is None else envelope.payload
        said = read_statement(value if envelope is None else read_json(payload))
        if said.predicate_type != FACTS:
            raise ValueError(f"it is a statement of the type {said.predicate_type[:80]}")
    except ValueError as error:
        raise InputError(
            f"this is no statement of facts: {error}",
            code="facts/unreadable",
            advice="Write one with `guiderail check DIR --attest FILE` on the runner.",
        ) from error
    if token is not None:
        signer = _by_token(token, registered, sha256_digest(payload), now)
        stored = canonical_json(
            {"mediaType": WITH_TOKEN, "statement": payload.decode("utf-8"), "token": token}
        )
    else:
        found = signer_of(envelope, registered) if envelope is not None else None
        if found is None:
            raise RefusedError(
                "nobody who is registered here signed these facts"
                if envelope is not None
                else "these facts are not signed",
                code="facts/unknown-signer",
                advice="Sign them with the key of a registered runner, or send the token of the CI "
                "along with --token. `guiderail signer list` shows who is registered.",
            )
        signer, stored = found, content
    vouched = read_facts_statement(said, signer, sha256_digest(stored), release, now)
    return vouched, stored


def open_given(
    statement: Path,
    token: Path | None,
    registered: Sequence[Signer],
    release: Digest,
    now: datetime,
) -> tuple[Vouched, bytes]:
    """As `open_facts`, from files."""
    secret = None if token is None else read_token(token)
    content = read_file(statement, LARGEST_STATEMENT)
    return open_facts(content, secret, registered, release, now)


def _by_token(token: str, registered: Sequence[Signer], statement: Digest, now: datetime) -> Signer:
    """The registered identity that the token fits. Raises what the last one tried said."""
    refused: RefusedError | None = None
    for signer in registered:
        if signer.identity is None:
            continue
        try:
            claims_of(token, signer.identity, statement, now)
        except RefusedError as error:
            # What fails after the signature says more than a signature of another issuer.
            if refused is None or error.code != "token/signature":
                refused = error
        else:
            return signer
    raise refused or RefusedError(
        "no CI is registered here, so no token counts",
        code="token/nobody",
        advice="Register it with `guiderail signer add-ci`.",
    )


def read_file(path: Path, largest: int = LARGEST) -> bytes:
    """A file that somebody hands in. Raises InputError where it cannot be read or is too large."""
    try:
        if path.stat().st_size > largest:
            raise InputError(
                f"{path} is larger than {largest // 1024} KiB",
                code="evidence/too-large",
                advice="Attach the report itself, not an archive of it.",
                place=Place(str(path)),
            )
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"{path} cannot be read: {error.strerror or error}",
            code="evidence/missing",
            advice="Name a file that is there and that you may read.",
            place=Place(str(path)),
        ) from error


def read_token(path: Path) -> str:
    """A token in a file, without the line break after it. Errors as in `read_file`."""
    return read_file(path, LARGEST_TOKEN_FILE).decode("ascii", errors="replace").strip()
