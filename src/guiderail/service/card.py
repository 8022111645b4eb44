"""One release in the formats of others: model card, bill of materials, assessment results."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from guiderail.core.errors import InputError
from guiderail.service.as_of import told_entries
from guiderail.service.audit_case import Reader, record_files
from guiderail.service.audit_pack import WrittenPack
from guiderail.service.workspace import Workspace
from guiderail.store import tables
from guiderail_verify.audit_entries import histories
from guiderail_verify.audit_files import Manifest
from guiderail_verify.documents import document
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.model_card import release_of

_SCOPE = Manifest(None, None, None, None, {})


def card(workspace: Workspace, case: str, form: str) -> str:
    """The document about a case, the same bytes as in an audit pack. form: `documents.FORMATS`.

    Raises InputError for a case that does not exist, IntegrityError where a record of it is gone.
    """
    with workspace.store.read() as snapshot:
        history = histories(told_entries(snapshot)).get(case)
        if history is None:
            raise InputError(
                f"the ledger has no case {case!r}",
                code="case/unknown",
                advice="`guiderail status` lists the cases.",
            )
        table = tables.person_pseudonym
        people = {str(row.pseudonym): str(row.person) for row in snapshot.execute(table.select())}
        reader = Reader(snapshot, workspace, people, EntryTree(()), "")
        contents = record_files(reader, history)
    scope = replace(_SCOPE, files=dict.fromkeys(contents, ""))
    return document(release_of(WrittenPack(Path(), scope, contents=contents), history), form)
