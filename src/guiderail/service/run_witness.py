"""Run a witness: for internal audit, or whoever does not answer to those who run a ledger."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiderail.core.errors import InputError
from guiderail.service.workspace import FOLDER, SETTINGS
from guiderail_verify.errors import VerifyError
from guiderail_verify.held_note import mended
from guiderail_verify.note import NoteKey

if TYPE_CHECKING:
    from guiderail.witness.folder import FollowedLog, WitnessFolder


def create_witness(folder: Path, name: str) -> dict[str, Any]:
    """Make a witness with its own key. Raises InputError where its folder is in a workspace."""
    from guiderail.witness.folder import WitnessFolder

    _refuse_workspace(folder)
    return _document(WitnessFolder.create(folder, name))


def follow_log(folder: Path, key: str, start: Path | None = None) -> dict[str, Any]:
    """Know one more log. key: its verifier key. start: a checkpoint of it to begin with."""
    from guiderail.witness.folder import WitnessFolder

    witness = WitnessFolder.open(folder)
    try:
        log = NoteKey.from_text(key.strip())
    except VerifyError as error:
        raise InputError(
            error.reason,
            code="witness/log-key",
            advice="Ask those who run the ledger for the line `Key of this log` of "
            "`guiderail ledger witness list`.",
        ) from error
    note = None
    if start is not None:
        try:
            note = mended(start.read_text("utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                f"{start} cannot be read ({error})",
                code="witness/start",
                advice="Name a file that `guiderail ledger checkpoint` printed for this log.",
            ) from error
    witness.follow(log, note)
    return _document(witness)


def show_witness(folder: Path) -> dict[str, Any]:
    """Its key, the logs that it follows, and what it refused."""
    from guiderail.witness.folder import WitnessFolder

    return _document(WitnessFolder.open(folder))


def serve_witness(folder: Path, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Answer until the process is told to stop. ready: told the address before it begins."""
    from guiderail.witness.folder import WitnessFolder
    from guiderail.witness.server import serve

    witness = WitnessFolder.open(folder)
    serve(witness, host, port, ready)


def _document(witness: WitnessFolder) -> dict[str, Any]:
    return {
        "name": witness.key.name,
        "key": witness.key.to_text(),
        "folder": str(witness.folder),
        "logs": [_log(witness, log) for log in witness.logs()],
    }


def _log(witness: WitnessFolder, log: FollowedLog) -> dict[str, Any]:
    newest = witness.newest(log)
    return {
        "origin": log.origin,
        "keys": [key.to_text() for key in log.keys],
        "size": newest.size if newest is not None else None,
        "checkpoint": witness.newest_note(log),
        "contradictions": [str(path) for path in witness.contradictions(log)],
        "unproven": [str(path) for path in witness.unproven(log)],
    }


def _refuse_workspace(folder: Path) -> None:
    place = folder.absolute()
    for path in (place, *place.parents):
        if (path / SETTINGS).is_file() or path.name == FOLDER:
            raise InputError(
                f"{folder} lies in the workspace {path}",
                code="witness/folder",
                advice="A witness must not lie where those who run the ledger can reach it: name "
                "a folder outside, best on another machine.",
            )
