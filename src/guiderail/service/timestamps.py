"""Let an outside authority stamp the newest checkpoint, and say what the stamps are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.errors import InputError
from guiderail.core.time import to_text
from guiderail.ledger.seal import latest_note
from guiderail.service.sealing import ON_DEMAND_SECONDS, seal_and_ask
from guiderail.service.web_address import web_address
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot

if TYPE_CHECKING:
    from guiderail.ledger.timestamps import StoredTimestamp, Verdict

ROOTS_FILE = "timestamp-roots.pem"
"""In the workspace's folder: the certificates against which time stamps are checked."""


def timestamp(
    workspace: Workspace, *, url: str | None = None, roots: Path | None = None
) -> dict[str, Any]:
    """Seal, let the authority stamp the checkpoint, and store its reply verbatim.

    url: None for the authority that was asked last. roots: certificates to pin from now on.
    Raises InputError where no authority is named or none answers.
    """
    from guiderail.ledger.timestamps import ask_authority, keep_timestamp, timestamps

    if roots is not None:
        _pin(workspace, roots)
    with workspace.store.read() as snapshot:
        before = timestamps(snapshot)
    address = web_address(url) if url is not None else before[-1].url if before else None
    if address is None:
        raise InputError(
            "nobody said which time-stamping authority to ask",
            code="timestamp/authority",
            advice="Name its address with --url; later ones go to the same.",
        )
    sealed = seal_and_ask(workspace)
    with workspace.store.read() as snapshot:
        note = latest_note(snapshot, at_least=sealed.size)
    if note is None:
        raise InputError(
            "there is no checkpoint to stamp",
            code="timestamp/checkpoint",
            advice="Run guiderail ledger verify.",
        )
    reply = ask_authority(address, note, seconds=ON_DEMAND_SECONDS)
    with workspace.store.transaction() as tx:
        keep_timestamp(tx, sealed.size, address, reply, workspace.clock())
    with workspace.store.read() as snapshot:
        found = timestamp_document(snapshot, workspace.home)
    return {**found[-1], "checkpoint": note}


def timestamp_document(snapshot: Snapshot, home: Path) -> list[dict[str, Any]]:
    """What each stored time stamp is worth, oldest first. Nothing is imported where there is none.

    Raises InputError where the pinned roots cannot be read.
    """
    return [_described(stamp, verdict) for stamp, verdict in judged(snapshot, home)]


def judged(snapshot: Snapshot, home: Path) -> list[tuple[StoredTimestamp, Verdict]]:
    """The stored time stamps and what they are worth. Raises InputError as above."""
    from guiderail.ledger.timestamps import judge, read_roots, timestamps

    found = timestamps(snapshot)
    roots = read_roots(home / ROOTS_FILE) if found else []
    return [(stamp, judge(stamp, roots)) for stamp in found]


def _described(stamp: StoredTimestamp, verdict: Verdict) -> dict[str, Any]:
    return {
        "size": stamp.size,
        "authority": stamp.url,
        "state": verdict.state,
        "at": to_text(verdict.at) if verdict.at is not None else None,
        "sentence": verdict.sentence,
    }


def _pin(workspace: Workspace, roots: Path) -> None:
    from guiderail.ledger.timestamps import read_roots

    if not read_roots(roots):
        raise InputError(
            f"{roots} does not exist",
            code="timestamp/roots",
            advice="Name a file with the root certificates of the authority, in PEM form.",
        )
    (workspace.home / ROOTS_FILE).write_bytes(roots.read_bytes())
