"""Bind the reports that a manifest names to the release in its directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from guiderail.core.time import Clock, system_clock
from guiderail.facts.evidence.binding import bind
from guiderail.manifest.load import load_release


def bind_reports(directory: Path, clock: Clock = system_clock) -> dict[str, Any]:
    """Write one statement beside each report; `missing` names reports that the manifest leaves out.

    Raises InputError when a named report does not exist.
    """
    release = load_release(directory)
    evidence = release.manifest.evidence
    named = {"security": evidence.security, "tests": evidence.tests}
    written = [
        bind(release.path(path), release, clock()) for path in named.values() if path is not None
    ]
    return {
        "release": release.digest,
        "written": [str(path) for path in written],
        "missing": [name for name, path in named.items() if path is None],
    }
