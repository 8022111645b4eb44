"""Packs by name: one that ships, a directory, or one that decided in this workspace."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from guiderail.core.digest import short
from guiderail.core.errors import InputError, IntegrityError, RefusedError
from guiderail.policy.diff import PackDiff, diff_packs
from guiderail.policy.pack import (
    Pack,
    load_pack,
    load_pack_directory,
    make_pack,
    shipped_kinds,
)
from guiderail.service.policy_in_force import recorded
from guiderail.service.policy_in_force import stored_pack as activated_pack
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail.store.transaction import Snapshot

_NO_TEXTS: Mapping[str, Mapping[str, str]] = {"roles": {}, "parts": {}, "facts": {}, "controls": {}}
"""The store keeps what decides; the words of an old pack are not in it."""


def pack_named(name: str, workspace: Workspace | None) -> Pack:
    """A shipped pack, a pack directory, or `sha256:...` of a pack that decided here.

    Raises InputError for a name or digest that stands for none.
    """
    if name.startswith("sha256:"):
        if workspace is None:
            raise InputError(
                f"{short(name)} can only be looked up in a workspace, and there is none here.",
                code="workspace/none",
                advice="Go to the workspace, or name a pack that ships or a directory.",
            )
        with workspace.store.read() as snapshot:
            return recorded_pack(snapshot, workspace, name)
    if Path(name).is_dir():
        return load_pack_directory(Path(name))
    return load_pack(name)


def recorded_pack(tx: Snapshot, workspace: Workspace, digest: str) -> Pack:
    """A pack that was in force here or that decided here, by its digest; with words if it has any.

    Raises InputError for a digest of no such pack, and IntegrityError where its bytes were changed.
    """
    for activation in reversed(recorded(tx, workspace).activations):
        if activation.digest == digest:
            return activated_pack(workspace, activation)
    for kind in shipped_kinds():
        shipped = load_pack(kind)
        if shipped.digest == digest:
            return shipped
    return pack_that_decided(tx, digest)


def pack_that_decided(tx: Snapshot, digest: str) -> Pack:
    """The pack that decided, from the bytes that were stored with the decision, without its words.

    Raises InputError where no decision was made with it, and IntegrityError where the bytes do not
    give the digest.
    """
    row = tx.execute(select(tables.pack.c.compiled).where(tables.pack.c.digest == digest)).first()
    if row is None:
        raise InputError(
            f"No decision of this workspace was made with the pack {digest}.",
            code="policy/no-such-pack",
            advice="`guiderail case show CASE` names the pack of a case.",
        )
    try:
        pack = make_pack(json.loads(bytes(row[0])), _NO_TEXTS)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise _changed(digest) from error
    if pack.digest != digest:
        raise _changed(digest)
    return pack


def compare(old: str, new: str, kinds: tuple[str, ...], workspace: Workspace | None) -> PackDiff:
    """The differences between two packs by name. Raises InputError for a kind that both lack."""
    packs = pack_named(old, workspace), pack_named(new, workspace)
    for kind in kinds:
        for pack in packs:
            if kind not in pack.kinds:
                raise InputError(
                    f"The pack {pack.id} does not decide about kind {kind}.",
                    code="policy/other-kind",
                    advice=f"It decides about: {', '.join(pack.kinds) or 'nothing by itself'}.",
                )
    try:
        return diff_packs(*packs, kinds)
    except RefusedError as error:
        raise InputError(error.what, code=error.code, advice=error.advice) from error


def _changed(digest: str) -> IntegrityError:
    return IntegrityError(
        f"the stored pack {short(digest)} is not the one that decided",
        code="integrity/pack",
        advice="Run `guiderail ledger verify`, then restore the workspace from a backup.",
    )
