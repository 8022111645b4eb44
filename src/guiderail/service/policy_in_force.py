"""Which policy pack decides about a kind of workload at a moment.

In a workspace it is the one that was put into force last, by a statement that the workspace signed
(`guiderail policy propose`, then `approve`). Updating Guiderail changes nothing in it: the packs of
a new version are proposed and approved like any other change. Outside a workspace it is the pack
that ships.

The store is what counts. `policy/in-force.json` in the workspace holds the same signed statements,
so that the pre-flight check needs no database.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Final

from guiderail.core.errors import InputError, IntegrityError
from guiderail.policy.pack import Pack, from_compiled, load_pack
from guiderail.service.workspace import Workspace
from guiderail_verify.activation import Activation, open_activation
from guiderail_verify.errors import VerifyError
from guiderail_verify.trusted_keys import TrustedKeys

if TYPE_CHECKING:
    from guiderail.store.transaction import Snapshot

FOLDER: Final = "policy"
FILE: Final = "in-force.json"
ADVICE: Final = (
    "It decides nothing. A pack comes into force by `guiderail policy propose` and the approval of "
    "its owners."
)


@dataclass(frozen=True, slots=True)
class PolicyInForce:
    """Every activation that the workspace signed, oldest first, and what is refused with why."""

    activations: tuple[Activation, ...] = ()
    refused: tuple[str, ...] = ()

    def at(self, kind: str, moment: datetime) -> Activation | None:
        """The activation that holds at a moment; before the first one, that one.

        None where the workspace has never put a pack into force for the kind.
        """
        of_kind = [one for one in self.activations if one.kind == kind]
        begun = [one for one in of_kind if one.effective_at <= moment]
        if begun:
            return begun[-1]
        return of_kind[0] if of_kind else None

    def scheduled(self, kind: str, moment: datetime) -> Activation | None:
        """The first activation that begins only after a moment."""
        return next(
            (one for one in self.activations if one.kind == kind and one.effective_at > moment),
            None,
        )


def pack_for(workspace: Workspace | None, kind: str, moment: datetime) -> Pack:
    """The pack in force, for the pre-flight check: no database is opened.

    Raises IntegrityError where the pack that was put into force is missing or was changed: another
    one never takes its place.
    """
    if workspace is None:
        return load_pack(kind)
    return _pack(workspace, read_in_force(workspace), kind, moment)


def recorded_pack(tx: Snapshot, workspace: Workspace, kind: str, moment: datetime) -> Pack:
    """The pack in force as the store says, for everything that changes state."""
    return _pack(workspace, recorded(tx, workspace), kind, moment)


def read_in_force(workspace: Workspace) -> PolicyInForce:
    """The signed statements of the workspace's file.

    Raises IntegrityError where it is missing or unreadable: "no statement" must not be what
    somebody gets by removing a file.
    """
    path = workspace.home / FOLDER / FILE
    try:
        content = json.loads(path.read_bytes())
        rows = [json.dumps(row).encode() for row in content["activations"]]
        entries = [int(entry) for entry in content.get("entries", [])]
        envelopes = list(zip_longest(rows, entries[: len(rows)], fillvalue=None))
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise IntegrityError(
            f"{path} cannot be read, so nobody can say which policy is in force.",
            code="policy/in-force-unreadable",
            advice="Run `guiderail policy status`: it writes the file again from the store.",
        ) from error
    return _opened(
        workspace,
        [(f"{path}, entry {n}", row or b"", entry) for n, (row, entry) in enumerate(envelopes, 1)],
    )


def recorded(tx: Snapshot, workspace: Workspace) -> PolicyInForce:
    """The signed statements of the store."""
    rows = [
        (f"the store, activation {number}", envelope, entry)
        for number, envelope, entry in activation_rows(tx)
    ]
    return _opened(workspace, rows)


def write_in_force(tx: Snapshot, workspace: Workspace) -> None:
    """Write the file again from the store. It appears complete or not at all."""
    folder = workspace.home / FOLDER
    folder.mkdir(mode=0o700, exist_ok=True)
    rows = activation_rows(tx)
    content = {
        "activations": [json.loads(envelope) for _, envelope, _ in rows],
        "entries": [-1 if entry is None else entry for _, _, entry in rows],
    }
    data = json.dumps(content, indent=1).encode()
    path = folder / FILE
    if path.is_file() and path.read_bytes() == data:
        return
    temporary = folder / f".{FILE}-{secrets.token_hex(8)}.part"
    temporary.write_bytes(data)
    os.replace(temporary, path)


def stored_pack(workspace: Workspace, activation: Activation) -> Pack:
    """The compiled pack of an activation. Raises IntegrityError where it is gone or changed."""
    return stored_compiled(
        workspace, activation.compiled, activation.digest, activation.texts_digest
    )


def stored_compiled(workspace: Workspace, compiled: str, digest: str, texts_digest: str) -> Pack:
    """The pack in a stored compiled file. Raises IntegrityError unless it has these digests."""
    place = workspace.home / "blobs", workspace.blobs_url
    return _read(*place, compiled, digest, texts_digest)


def _pack(workspace: Workspace, policy: PolicyInForce, kind: str, moment: datetime) -> Pack:
    activation = policy.at(kind, moment)
    return load_pack(kind) if activation is None else stored_pack(workspace, activation)


@lru_cache(maxsize=16)
def _read(root: Path, url: str | None, compiled: str, digest: str, texts_digest: str) -> Pack:
    from guiderail.store.blobs import open_blobs

    pack = from_compiled(open_blobs(root, url).read(compiled), digest)
    if (pack.digest, pack.texts_digest) != (digest, texts_digest):
        raise IntegrityError(
            f"The stored policy pack {compiled} is not the one that was put into force.",
            code="policy/pack-changed",
            advice="Restore it from a backup and find out who changed it.",
        )
    return pack


def activation_rows(tx: Snapshot) -> list[tuple[int, bytes, int | None]]:
    """Number, envelope, and the entry of the ledger that recorded it, of every activation."""
    from sqlalchemy import select

    from guiderail.store.tables import log_entry, log_index
    from guiderail.store.tables import policy_activation as table

    told = (
        select(log_index.c.seq, log_entry.c.body)
        .join(log_entry, log_entry.c.seq == log_index.c.seq)
        .where(log_index.c.type == "policy.activated")
        .order_by(log_index.c.seq)
    )
    bodies = [(int(seq), bytes(body)) for seq, body in tx.execute(told)]

    def entry_of(envelope: bytes) -> int | None:
        sha256 = hashlib.sha256(envelope).hexdigest().encode()
        return next((seq for seq, body in bodies if sha256 in body), None)

    ordered = select(table.c.id, table.c.envelope).order_by(table.c.effective_at, table.c.id)
    rows = [(int(number), bytes(envelope)) for number, envelope in tx.execute(ordered)]
    return [(number, envelope, entry_of(envelope)) for number, envelope in rows]


def _opened(
    workspace: Workspace, envelopes: Iterable[tuple[str, bytes, int | None]]
) -> PolicyInForce:
    """entry: what recorded an activation; a key that ended counts for entries before its end."""
    rows = list(envelopes)
    if not rows:
        return PolicyInForce()
    keys = _trusted(workspace.home / "keys" / "public.json")
    activations, refused = [], []
    for place, envelope, entry in rows:
        counting = keys.permit if entry is None or entry < 0 else keys.permit_at(entry)
        try:
            activations.append(open_activation(envelope, counting))
        except VerifyError as error:
            refused.append(f"{place}: {error.reason} {ADVICE}")
    activations.sort(key=lambda one: one.effective_at)
    return PolicyInForce(tuple(activations), tuple(refused))


def _trusted(path: Path) -> TrustedKeys:
    # Not `attest.keys.read_trusted`: that loads the signing library, the check only verifies.
    try:
        return TrustedKeys.from_json(path.read_bytes())
    except (OSError, VerifyError) as error:
        raise InputError(
            f"The public keys {path} cannot be read.",
            code="keys/missing",
            advice="Restore keys/public.json of this workspace from a backup.",
        ) from error
