"""Where the vault's own files are: the master key and the list of the erased.

They are a folder of their own, because a backup of the database must not hold them: it would bring
back with one file what was destroyed in the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

FOLDER = "vault"
FOLDER_VARIABLE = "GUIDERAIL_VAULT"


def named_folder(environment: Mapping[str, str] = os.environ) -> Path | None:
    """`GUIDERAIL_VAULT`, or None where it is not set."""
    named = environment.get(FOLDER_VARIABLE)
    return Path(named).absolute() if named else None


def folder_in(home: Path) -> Path:
    """`GUIDERAIL_VAULT`, else `vault` in the workspace."""
    return named_folder() or home / FOLDER
