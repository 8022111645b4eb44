"""Who was erased, outside the database: a restored backup is brought back to it.

`erased.jsonl` in the vault's folder has one line for each erasure. It names nobody: it holds the
pseudonym, and an HMAC-SHA256 of the person's id under a salt of the line. Whoever has the file can
still try out ids that they know of; it is as private as the master key beside it.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from guiderail.core.errors import InputError, IntegrityError

FILE = "erased.jsonl"


@dataclass(frozen=True, slots=True)
class Tombstone:
    """database: identity of the database, the same in every copy of it. at: RFC 3339."""

    database: str
    pseudonym: str
    salt: str
    person: str
    at: str

    def is_of(self, person: str) -> bool:
        return hmac.compare_digest(_blinded(self.salt, person), self.person)


def bury(folder: Path, database: str, person: str, pseudonym: str, at: str) -> None:
    """Add a line; it is on disk when this returns. One that is there is left as it is.

    Raises InputError where the file cannot be written.
    """
    if any(one.pseudonym == pseudonym and one.database == database for one in buried(folder)):
        return
    salt = secrets.token_hex(16)
    line = {
        "at": at,
        "database": database,
        "person": _blinded(salt, person),
        "pseudonym": pseudonym,
        "salt": salt,
    }
    path = folder / FILE
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "ab") as stream:
            # A line that a crash cut off is ended first, so that it spoils no other.
            begin = b"" if _ends_whole(path) else b"\n"
            stream.write(begin + json.dumps(line, sort_keys=True).encode("utf-8") + b"\n")
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        raise InputError(
            f"The list of the erased {path} cannot be written: {error.strerror}.",
            code="vault/unwritable",
            advice="Make it writable for the user who runs Guiderail. Nobody was erased.",
        ) from error


def buried(folder: Path) -> list[Tombstone]:
    """Every line, oldest first; the last one may have been cut off by a crash and counts not.

    Raises IntegrityError for a whole line that cannot be read, InputError for a file that cannot.
    """
    path = folder / FILE
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise InputError(
            f"The list of the erased {path} cannot be read: {error.strerror}.",
            code="vault/unreadable",
            advice="Make it readable for the user who runs Guiderail.",
        ) from error
    return [found for line in lines if line and (found := _read(path, line)) is not None]


def _read(path: Path, line: bytes) -> Tombstone | None:
    try:
        content = json.loads(line)
        return Tombstone(
            **{name: str(content[name]) for name in ("database", "pseudonym", "salt", "person")},
            at=str(content["at"]),
        )
    except (ValueError, LookupError, TypeError) as error:
        if not line.endswith(b"}"):
            return None
        raise IntegrityError(
            f"The list of the erased {path} cannot be read.",
            code="vault/broken",
            advice="Restore it from where you keep a copy: it keeps the erased erased.",
        ) from error


def _ends_whole(path: Path) -> bool:
    data = path.read_bytes()
    return not data or data.endswith(b"\n")


def _blinded(salt: str, person: str) -> str:
    return hmac.new(bytes.fromhex(salt), person.encode("utf-8"), hashlib.sha256).hexdigest()
