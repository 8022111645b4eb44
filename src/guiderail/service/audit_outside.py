"""The part of an audit pack that others made: earlier cosigned checkpoints and time stamps."""

from __future__ import annotations

from collections import Counter

from guiderail.ledger.standing import Standing
from guiderail.ledger.timestamps import timestamps
from guiderail.service.workspace import Workspace
from guiderail.store.transaction import Snapshot
from guiderail_verify import audit_files as layout


def outside_files(snapshot: Snapshot, workspace: Workspace, outside: Standing) -> dict[str, bytes]:
    """Path -> bytes, verbatim as they came. Nothing where there is no witness and no time stamp."""
    files: dict[str, bytes] = {}
    chosen, seen = outside.setting, outside.witnessed
    if chosen.witnesses:
        urls = {one.key.name: one.url for one in chosen.witnesses}
        policy = chosen.policy.to_text(workspace.keyring.trusted.checkpoint, urls)
        files[layout.WITNESSES] = policy.encode("utf-8")
    if seen is not None and seen.size < outside.size:
        files[layout.checkpoint_path(seen.size)] = seen.note.encode("utf-8")
    numbers: Counter[int] = Counter()
    for stamp in timestamps(snapshot):
        numbers[stamp.size] += 1
        files[layout.stamped_path(stamp.size)] = stamp.note.encode("utf-8")
        files[layout.timestamp_path(stamp.size, numbers[stamp.size])] = stamp.response
    return files
