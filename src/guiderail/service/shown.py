"""What a reviewer was shown: a decision on a dossier that changed meanwhile is refused."""

from __future__ import annotations

import json
import os
from pathlib import Path

from guiderail.service.workspace import Workspace


def note_shown(workspace: Workspace, case_id: str, dossier_digest: str) -> None:
    """Remember which dossier of a case the acting person has just read."""
    path = _path(workspace)
    seen = _read(path)
    seen[case_id] = dossier_digest
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    temporary.write_text(json.dumps(seen, indent=1, sort_keys=True), encoding="utf-8")
    os.replace(temporary, path)


def last_shown(workspace: Workspace, case_id: str) -> str | None:
    """The dossier that the acting person read last; None when they never read this case."""
    return _read(_path(workspace)).get(case_id)


def _path(workspace: Workspace) -> Path:
    return workspace.home / "shown" / f"{workspace.actor.person}.json"


def _read(path: Path) -> dict[str, str]:
    """A file that cannot be read is as if nothing was shown: nothing rests on it but a warning."""
    try:
        seen = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return seen if isinstance(seen, dict) else {}
