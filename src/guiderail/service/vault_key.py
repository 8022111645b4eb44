"""Go on after the master key of the vault was lost: what was written under it stays lost."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select

from guiderail.core.errors import ConflictError
from guiderail.core.subject import Subject
from guiderail.service.journal import record
from guiderail.service.keepers import authorise_keeper
from guiderail.service.registers import transaction
from guiderail.service.workspace import Workspace
from guiderail.store.tables import vault_words
from guiderail.store.vault_key import MASTER_FILE, create_master, read_master


def new_vault_key(workspace: Workspace) -> dict[str, Any]:
    """Make a new master key where there is none.

    Raises ConflictError while there is one, RefusedError for who does not keep records.
    """
    authorise_keeper(workspace, "the master key of the vault")
    folder = workspace.vault
    if read_master(folder) is not None:
        raise ConflictError(
            f"there is a master key in {folder}",
            code="vault/key-there",
            advice="Nothing was changed. A new one is made only where the old one was lost.",
        )
    create_master(folder)
    with transaction(workspace) as tx:
        lost = int(tx.execute(select(func.count()).select_from(vault_words)).scalar_one())
        record(
            tx, "vault.rekeyed", Subject("log", workspace.keyring.origin), workspace.actor,
            workspace.clock(), {"entries": lost}, outcome="done",
        )  # fmt: skip
    return {"written": str(folder / MASTER_FILE), "lost": lost}
