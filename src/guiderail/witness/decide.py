"""One request to a witness and its answer (c2sp.org/tlog-witness, `add-checkpoint`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from guiderail.witness.folder import FollowedLog, WitnessFolder
from guiderail.witness.wire import SIZE_TYPE, AddCheckpoint, parse_request, tree_head
from guiderail_verify.cosignature import cosign
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, open_note
from guiderail_verify.tree import EMPTY_ROOT, verify_consistency

PLAIN: Final = "text/plain; charset=utf-8"

Seconds = Callable[[], int]
"""The clock of the witness: POSIX seconds."""


@dataclass(frozen=True, slots=True)
class Answer:
    """status: of HTTP. body: signature lines (200), a size (409), else a sentence for people."""

    status: int
    body: str
    content_type: str = PLAIN


def add_checkpoint(witness: WitnessFolder, data: bytes, clock: Seconds) -> Answer:
    """Cosign the checkpoint if it continues the newest one; it is stored before this returns.

    Raises IntegrityError where the stored state is damaged, OSError where it cannot be written:
    then nothing was signed.
    """
    try:
        request = parse_request(data)
        head = tree_head(request.note)
    except VerifyError as error:
        return _say(400, error.reason)
    log = witness.log(head.origin)
    if log is None:
        return _say(404, f"This witness does not follow the log {head.origin}.")
    try:
        text = open_note(request.note, log.keys)
    except VerifyError as error:
        return _say(403, error.reason)
    if request.old_size > head.size:
        return _say(400, "The old size is larger than that of the checkpoint.")
    with witness.locked():
        refusal = _refusal(witness, log, request, head)
        if refusal is not None:
            return refusal
        witness.keep(log, request.note)
        # Still locked: the time says that nothing larger was known then.
        return Answer(200, cosign(witness.private, witness.key.name, text, clock()))


def _refusal(
    witness: WitnessFolder, log: FollowedLog, request: AddCheckpoint, head: Checkpoint
) -> Answer | None:
    """Why the checkpoint does not continue the newest one; None where it does."""
    newest = witness.newest(log) or Checkpoint(log.origin, 0, EMPTY_ROOT)
    other_root = head.size == newest.size and head.root != newest.root
    if other_root:
        witness.keep_refused(log, request.note, contradicts=True)
    if request.old_size != newest.size or (other_root and not request.path):
        return Answer(409, f"{newest.size}\n", SIZE_TYPE)
    try:
        verify_consistency(newest.size, head.size, request.path, newest.root, head.root)
    except VerifyError as error:
        if not other_root:
            witness.keep_refused(log, request.note, contradicts=False)
        return _say(422, error.reason)
    return None


def _say(status: int, sentence: str) -> Answer:
    return Answer(status, sentence + "\n")
