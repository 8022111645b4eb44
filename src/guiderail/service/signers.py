"""The registry of those whose signatures count here: keys, and jobs of a CI by their tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Literal, cast, get_args

from sqlalchemy import RowMapping, insert, select, update

from guiderail.attest.ci_token import CiIdentity, identity_from_json, read_identity
from guiderail.attest.public_key import PublicKey, read_public_key
from guiderail.core.digest import canonical_json, sha256_digest
from guiderail.core.errors import ConflictError, InputError, IntegrityError, RefusedError
from guiderail.core.scales import KnownBy
from guiderail.core.subject import Subject
from guiderail.core.time import from_text, to_text
from guiderail.service.journal import record
from guiderail.service.registers import transaction
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction

Trust = Literal["evidence", "runner", "system-of-record"]
TRUSTS: tuple[Trust, ...] = get_args(Trust)
ADMINISTRATOR = "administrator"
UNKNOWN_SIGNER = "somebody unknown"
"""What evidence says of a signature by nobody who is registered; nobody may be called so."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody whose signature counts.

    trust: what it counts for. `evidence`: documents that it signs are verified. `runner`: so are
        the facts that it measured. `system-of-record`: facts that it states are attested.
    key: the public key, or None for a CI that speaks by tokens. identity: what its tokens say.
    until: from then on it counts no more; None: no end.
    """

    name: str
    trust: Trust
    key: PublicKey | None
    identity: CiIdentity | None
    person: str
    added_at: datetime
    until: datetime | None
    removed_at: datetime | None

    @property
    def known_by(self) -> KnownBy:
        """How good what it signs is known."""
        return KnownBy.ATTESTED if self.trust == "system-of-record" else KnownBy.VERIFIED

    @property
    def states_facts(self) -> bool:
        return self.trust != "evidence"

    def counts_at(self, now: datetime) -> bool:
        return self.removed_at is None and (self.until is None or now < self.until)


def add_key(
    workspace: Workspace, name: str, content: bytes, trust: Trust, *, until: date | None = None
) -> Signer:
    """Register a public key in PEM. until: the last day on which it counts.

    Raises RefusedError for whoever is no administrator, InputError for another file, and
    ConflictError for a name or key that is registered already.
    """
    key = read_public_key(content, name)
    return _add(workspace, name, trust, "key", key.pem, until)


def add_token(
    workspace: Workspace,
    name: str,
    *,
    issuer: str,
    audience: str,
    claims: Mapping[str, str],
    jwks: bytes,
    until: date | None = None,
) -> Signer:
    """Register the jobs of a CI that may vouch by token, as a runner. Errors as in `add_key`."""
    identity = read_identity(issuer, audience, claims, jwks)
    material = canonical_json(identity.to_json()).decode()
    return _add(workspace, name, "runner", "token", material, until)


def remove(workspace: Workspace, name: str, reason: str) -> Signer:
    """Count a signer no more. What it signed and was accepted before stays as it was recorded.

    Raises InputError for a name that is not registered or without a reason.
    """
    _refuse_others(workspace)
    if not reason.strip():
        raise InputError(
            "to remove a signer needs a reason",
            code="signer/reason",
            advice='Say what happened: --reason "the runner was rebuilt"',
        )
    now = workspace.clock()
    with transaction(workspace) as tx:
        found = _named(tx, name)
        if found is None:
            raise InputError(
                f"no signer {name!r} is registered",
                code="signer/unknown",
                advice="`guiderail signer list` shows who is.",
            )
        tx.execute(
            update(tables.signer)
            .where(tables.signer.c.name == name)
            .where(tables.signer.c.removed_at.is_(None))
            .values(removed_at=to_text(now))
        )
        record(
            tx,
            "signer.removed",
            _subject(found["name"], found["material"]),
            workspace.actor,
            now,
            {"name": name, "reason": reason.strip()},
            outcome="removed",
        )
    return _signer({**dict(found), "removed_at": to_text(now)})


def list_signers(tx: Snapshot) -> list[Signer]:
    """Everybody who ever was registered, oldest first."""
    rows = tx.execute(select(tables.signer).order_by(tables.signer.c.id)).mappings()
    return [_signer(dict(row)) for row in rows]


def counting(tx: Snapshot, now: datetime) -> list[Signer]:
    """Those whose signature counts now."""
    return [one for one in list_signers(tx) if one.counts_at(now)]


def _add(
    workspace: Workspace, name: str, trust: Trust, method: str, material: str, until: date | None
) -> Signer:
    _refuse_others(workspace)
    taken = name.strip().lower() in ("", UNKNOWN_SIGNER)
    if taken or len(name) > 64 or not name.isprintable():
        raise InputError(
            f"{name!r} is no name for a signer",
            code="signer/name",
            advice="Use at most 64 letters, digits and signs, for example github-runner.",
        )
    now = workspace.clock()
    ends = None if until is None else to_text(datetime.combine(until, time.max, UTC))
    if ends is not None and from_text(ends) < now:
        raise InputError(
            f"{until} is over, so the signature would never count",
            code="signer/until",
            advice="Give a day in the future with --until, or leave it out.",
        )
    row: dict[str, Any] = {
        "name": name,
        "trust": trust,
        "method": method,
        "material": material,
        "person": workspace.actor.person,
        "added_at": to_text(now),
        "until": ends,
        "removed_at": None,
    }
    made = _signer(row)
    with transaction(workspace) as tx:
        _refuse_twice(tx, name, material)
        tx.execute(insert(tables.signer).values(**row))
        record(
            tx,
            "signer.added",
            _subject(name, material),
            workspace.actor,
            now,
            {
                "name": name,
                "trust": trust,
                "known_by": made.known_by.value,
                "method": method,
                "material": material,
                "until": ends,
            },
            outcome=trust,
        )
    return made


def _refuse_twice(tx: Transaction, name: str, material: str) -> None:
    active = tx.execute(select(tables.signer).where(tables.signer.c.removed_at.is_(None)))
    for row in active.mappings():
        if name == row["name"] or material == row["material"]:
            raise ConflictError(
                f"{row['name']} is registered already"
                + ("" if name == row["name"] else " with this very key"),
                code="signer/twice",
                advice=f"Remove it first: guiderail signer remove {row['name']} --reason TEXT.",
            )


def _refuse_others(workspace: Workspace) -> None:
    if ADMINISTRATOR not in workspace.person.roles:
        raise RefusedError(
            f"{workspace.person.name} does not have the role {ADMINISTRATOR}: who may vouch for "
            "releases is not decided by those who submit or approve them",
            code="authz/signer",
            advice=f"Ask somebody with the role {ADMINISTRATOR} in people.yaml.",
        )


def _named(tx: Snapshot, name: str) -> RowMapping | None:
    query = select(tables.signer).where(tables.signer.c.name == name)
    return tx.execute(query.where(tables.signer.c.removed_at.is_(None))).mappings().first()


def _subject(name: str, material: str) -> Subject:
    return Subject("signer", name, sha256_digest(material.encode()))


def _signer(row: Mapping[str, Any]) -> Signer:
    """Raises IntegrityError for a row that holds no key and no identity any more."""
    try:
        by_key = row["method"] == "key"
        return Signer(
            name=row["name"],
            trust=cast(Trust, row["trust"]),
            key=read_public_key(row["material"].encode(), row["name"]) if by_key else None,
            identity=None if by_key else identity_from_json(row["material"]),
            person=row["person"],
            added_at=from_text(row["added_at"]),
            until=from_text(row["until"]) if row["until"] else None,
            removed_at=from_text(row["removed_at"]) if row["removed_at"] else None,
        )
    except (InputError, ValueError, json.JSONDecodeError) as error:
        raise IntegrityError(
            f"the registered key of {row['name']} cannot be read any more",
            code="signer/broken",
            advice="Restore the workspace from a backup; until then its signatures count as "
            "nobody's.",
        ) from error
