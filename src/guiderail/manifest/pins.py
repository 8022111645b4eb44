"""`guiderail.lock`: what each name of MLflow in a manifest was when it was fetched.

An alias moves, and the files of a run may be replaced. The lock says which version was fetched and
the digest of its bytes; it is part of the release, so that a review is bound to both.

    {"guiderail": 1, "fetched": {"models:/credit@champion": {"pinned": "models:/credit/7",
     "model": "m-1f4d0b53", "run": "2c5eb2e9", "from": "https://mlflow.example.org",
     "digest": "sha256:..."}}}
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.digest import Digest
from guiderail.core.errors import InputError, Place

LOCK_NAME = "guiderail.lock"
LARGEST_LOCK = 1024 * 1024
_KEYS = {"pinned", "model", "run", "from", "digest"}


@dataclass(frozen=True, slots=True)
class Pin:
    """What a name was when it was fetched.

    pinned: the name of MLflow that does not move. model: id of the logged model, run: id of the run
    that wrote it; None where MLflow knows none. source: the store's address, without credentials.
    digest: of the file's bytes, or of the directory as `core.digest.path_digest` has it.
    """

    pinned: str
    model: str | None
    run: str | None
    source: str
    digest: Digest


def read_pins(root: Path) -> dict[str, Pin]:
    """The lock of a manifest's directory; empty where it has none. Raises InputError."""
    path = root / LOCK_NAME
    try:
        if path.stat().st_size > LARGEST_LOCK:
            raise _unusable(path, "it is too large")
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as error:
        raise _unusable(path, str(error)) from None
    if not isinstance(content, dict) or set(content) != {"guiderail", "fetched"}:
        raise _unusable(path, "it does not have exactly the keys guiderail and fetched")
    rows = content["fetched"]
    if content["guiderail"] != 1 or not isinstance(rows, dict):
        raise _unusable(path, "it is of another version")
    return {name: _pin(path, name, row) for name, row in rows.items()}


def write_pins(root: Path, pins: Mapping[str, Pin]) -> None:
    """Replace the lock in one step. The same pins give the same bytes."""
    rows = {
        name: {
            "pinned": pin.pinned,
            "model": pin.model,
            "run": pin.run,
            "from": pin.source,
            "digest": pin.digest,
        }
        for name, pin in sorted(pins.items())
    }
    text = json.dumps({"guiderail": 1, "fetched": rows}, indent=2, ensure_ascii=False) + "\n"
    handle, name = tempfile.mkstemp(dir=root, prefix=f".{LOCK_NAME}-")
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.chmod(name, 0o644)
    os.replace(name, root / LOCK_NAME)


def _pin(path: Path, name: str, row: object) -> Pin:
    if not isinstance(row, dict) or set(row) != _KEYS:
        raise _unusable(path, f"the entry of {name} does not have the keys {', '.join(_KEYS)}")
    model, run = row["model"], row["run"]
    texts = (row["pinned"], row["from"], row["digest"])
    if not all(isinstance(text, str) for text in texts) or not all(
        text is None or isinstance(text, str) for text in (model, run)
    ):
        raise _unusable(path, f"the entry of {name} holds something that is no text")
    return Pin(row["pinned"], model, run, row["from"], Digest(row["digest"]))


def _unusable(path: Path, why: str) -> InputError:
    return InputError(
        f"The lock {path.name} cannot be used: {why}.",
        code="manifest/lock",
        advice="Restore it from version control, or delete it and run `guiderail fetch`.",
        place=Place(str(path)),
    )
