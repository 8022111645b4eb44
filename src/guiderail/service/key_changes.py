"""Change the keys of a workspace: new ones beside the old, and the end of the old ones.

The point of no return is the commit: version, event and state of permits are one transaction.
Private keys are on disk before it and `public.json` is written after it; what a crash leaves in
between, the next opening of the keys completes (`open_keyring`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from guiderail.attest.key_files import is_protected, locked, private_files
from guiderail.attest.key_versions import (
    SignsNow,
    next_keys,
    older_keys,
    sign_first,
    sign_next,
    signing_now,
)
from guiderail.attest.keys import (
    FreshKey,
    Keyring,
    files_in_use,
    install,
    make_key,
    read_chain_file,
    read_trusted,
)
from guiderail.core.digest import Digest
from guiderail.core.errors import ConflictError, IntegrityError
from guiderail.core.subject import Subject
from guiderail.core.time import to_text
from guiderail.ledger.events import EventName, Evidence
from guiderail.ledger.key_versions import refuse_changed_keys, store_version, stored_chain
from guiderail.service.journal import record
from guiderail.service.permit_states import issue_state
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot, Transaction
from guiderail_verify.errors import VerifyError
from guiderail_verify.key_chain import KEYS_TYPE, KeyVersion, chain_bytes, follow, whole_chain
from guiderail_verify.trusted_keys import EndedKey, Role, TrustedKeys

ROLES: tuple[Role, ...] = ("checkpoint", "permit")


@dataclass(frozen=True, slots=True)
class Change:
    """What one change of the keys does. payload: of its event, without version and roles."""

    event: EventName
    roles: Sequence[Role]
    ended: Sequence[EndedKey]
    payload: Mapping[str, object]


def open_keyring(workspace: Workspace) -> Keyring:
    """The keys of the workspace, after completing a change that a crash interrupted."""
    folder = workspace.home / "keys"
    if (folder / "public.json").exists():
        _complete(workspace, folder)
    return Keyring.open(workspace.home, asked=workspace.secrets)


def record_first_version(
    tx: Transaction, workspace: Workspace, keyring: Keyring
) -> tuple[KeyVersion, Evidence]:
    """Version 1 of the chain, for a log without one, and what its event names."""
    version = sign_first(keyring.trusted, keyring.signers, to_text(workspace.clock()))
    store_version(tx, version)
    workspace.blobs.put_bytes(version.envelope)
    return version, _evidence(version)


def rotate(workspace: Workspace, roles: Sequence[Role], uri: str | None = None) -> TrustedKeys:
    """New keys beside the old ones: from now on everything is signed by both.

    uri: where a key service holds the new key, for one role. Raises ConflictError `keys/overlap`
    where the last rotation of a role is not finished.
    """
    keyring = workspace.keyring
    crowded = [role for role in roles if len(_of_role(keyring.trusted, role)) > 1]
    if crowded:
        raise ConflictError(
            f"There are two keys already for: {', '.join(crowded)}.",
            advice="Finish the last rotation with guiderail keys retire, then rotate again.",
            code="keys/overlap",
        )
    with changing(workspace, keyring) as folder:
        fresh = fresh_keys(workspace, folder, roles, uri)
        change = Change("key.rotated", roles, (), {"new": [key.id for key in fresh]})
        return commit(workspace, keyring, fresh, lambda *_: change)


def retire(workspace: Workspace) -> tuple[TrustedKeys, list[str]]:
    """End the overlap: the old keys count for what the log holds now, and are destroyed.

    Gives the ids of the keys that ended. Raises ConflictError `keys/nothing-to-retire`.
    """
    keyring = workspace.keyring
    with changing(workspace, keyring):
        with workspace.store.read() as snapshot:
            chain = stored_chain(snapshot)
        old = older_keys(chain, keyring.trusted) if chain else []
        if not old:
            raise ConflictError(
                "Every role has one key; nothing can be retired.",
                advice="guiderail keys rotate makes new keys first.",
                code="keys/nothing-to-retire",
            )
        roles = [role for role in ROLES if any(key[0] == role for key in old)]

        def change(_: Snapshot, size: int) -> Change:
            ended = [EndedKey(*key, until=size, ended_at=size, why="retired") for key in old]
            ids = [key.id for key in ended]
            return Change("key.retired", roles, ended, {"old": ids, "until": size})

        return commit(workspace, keyring, [], change), [key[1] for key in old]


@contextmanager
def changing(workspace: Workspace, keyring: Keyring) -> Iterator[Path]:
    """Holds the lock on the key files; `public.json` is still the one of the keyring."""
    with locked(keyring.folder):
        if read_trusted(workspace.home).version != keyring.trusted.version:
            raise ConflictError(
                "The keys were changed by another command meanwhile.",
                advice="Look at guiderail keys show, then decide again.",
                code="keys/changed",
            )
        yield keyring.folder


def fresh_keys(
    workspace: Workspace, folder: Path, roles: Sequence[Role], uri: str | None
) -> list[FreshKey]:
    """One new key for each role, on disk, protected if the others are."""
    protected = any(is_protected(path) for path in private_files(folder) if path.suffix == ".pem")
    passphrase = workspace.secrets.passphrase() if protected else None
    origin = read_trusted(workspace.home).origin
    return [
        make_key(folder, role, origin, passphrase=passphrase, uri=uri, asked=workspace.secrets)
        for role in roles
    ]


def commit(
    workspace: Workspace,
    keyring: Keyring,
    fresh: Sequence[FreshKey],
    change_at: Callable[[Transaction, int], Change],
) -> TrustedKeys:
    """One version further: chain, event and state of permits together, then the files.

    change_at: what changes, from the transaction and the size of the log in it. The lock on the
    key files must be held.
    """
    now = workspace.clock()
    signers = {**keyring.signers, **{key.id: key.signer for key in fresh}}
    with workspace.store.transaction() as tx:
        head = select(tables.log_head.c.size).with_for_update()
        size = int(tx.execute(head).scalar_one())
        refuse_changed_keys(tx, keyring.trusted)
        chain = stored_chain(tx)
        evidence = []
        if chain:
            before = whole_chain(chain)
        else:
            before, first = record_first_version(tx, workspace, keyring)
            chain, evidence = [before.envelope], [first]
        change = change_at(tx, size)
        keys = next_keys(keyring.trusted, fresh, change.ended)
        version = sign_next(before, keys, signers, to_text(now))
        store_version(tx, version)
        workspace.blobs.put_bytes(version.envelope)
        if change.ended:
            known = keyring.trusted.permit.keys() | keys.permit.keys()
            issue_state(
                tx,
                keys,
                {id_: signer for id_, signer in signers.items() if id_ in known},
                now,
            )
        record(
            tx,
            change.event,
            Subject("log", keys.origin),
            workspace.actor,
            now,
            {"version": keys.version, "roles": ", ".join(change.roles), **change.payload},
            outcome="done",
            evidence=[*evidence, _evidence(version)],
        )
    install(keyring.folder, chain_bytes([*chain, version.envelope]), keys)
    _destroy_unused(keyring.folder, keys)
    workspace.forget_keyring()
    return keys


def _complete(workspace: Workspace, folder: Path) -> None:
    """Bring the files in line with the newest version that was committed, by its chain only."""
    with workspace.store.read() as snapshot:
        chain = stored_chain(snapshot)
    trusted = read_trusted(workspace.home)
    if chain and (
        len(chain) > trusted.version or read_chain_file(workspace.home) != chain_bytes(chain)
    ):
        with locked(folder):
            _install_stored(workspace, folder)
        trusted = read_trusted(workspace.home)
    if set(private_files(folder)) - files_in_use(folder, trusted):
        try:
            with locked(folder, wait=False):
                _install_stored(workspace, folder)
                _destroy_unused(folder, read_trusted(workspace.home))
        except ConflictError:
            return  # another command is making keys at this moment and will finish or be finished


def _install_stored(workspace: Workspace, folder: Path) -> None:
    """With the lock held: what the database holds now, if it continues the pinned version."""
    with workspace.store.read() as snapshot:
        chain = stored_chain(snapshot)
    pinned = read_trusted(workspace.home)
    if not chain or len(chain) < pinned.version:
        return
    try:
        newest = follow(pinned, chain)
    except VerifyError as error:
        raise _bad_chain(error.reason) from error
    install(folder, chain_bytes(chain), newest)


def _destroy_unused(folder: Path, trusted: TrustedKeys) -> None:
    """Remove private keys that sign no more. Copies in backups are somebody else's to remove."""
    for path in set(private_files(folder)) - files_in_use(folder, trusted):
        path.unlink(missing_ok=True)


def _of_role(keys: TrustedKeys, role: Role) -> list[SignsNow]:
    return [key for key in signing_now(keys) if key[0] == role]


def _evidence(version: KeyVersion) -> Evidence:
    return Evidence(f"keys-{version.keys.version}", KEYS_TYPE, Digest(f"sha256:{version.digest}"))


def _bad_chain(why: str) -> IntegrityError:
    return IntegrityError(
        f"The stored chain of keys does not hold: {why}",
        advice="Run guiderail ledger verify, and restore the database and the folder of keys from "
        "the same backup.",
        code="keys/bad-chain",
    )
