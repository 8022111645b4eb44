"""Bind the reports that a manifest names to the release in its directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from guiderail.attest.runner_key import find_key, sign
from guiderail.core.time import Clock, system_clock
from guiderail.facts.evidence.binding import bind
from guiderail.manifest.load import load_release


def bind_reports(
    directory: Path,
    clock: Clock = system_clock,
    *,
    key: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> dict[str, Any]:
    """Write one statement beside each report; `missing` names reports that the manifest leaves out.

    key: of a runner, which signs the statements; else the one in the environment; else none does.
    Raises InputError when a named report does not exist or the key cannot be used.
    """
    private = find_key(key, environment)
    signing = None if private is None else partial(sign, key=private)
    release = load_release(directory)
    evidence = release.manifest.evidence
    named = {"security": evidence.security, "tests": evidence.tests}
    written = [
        bind(release.path(path), release, clock(), signing)
        for path in named.values()
        if path is not None
    ]
    return {
        "release": release.digest,
        "signed": private is not None,
        "written": [str(path) for path in written],
        "missing": [name for name, path in named.items() if path is None],
    }
