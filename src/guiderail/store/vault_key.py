"""The keys that encrypt what people wrote.

One master key, 32 random bytes, stands in a file of a folder that is neither in the database nor in
its backups. It wraps one data key for each person, which stands in the database. Destroying a
wrapped key destroys what it encrypted, in every copy of the database that is made from then on.

AES-256-GCM (NIST SP 800-38D) with 96 random bits of nonce in front of each ciphertext. The
associated data bind a ciphertext to its place: it opens nowhere else.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import URL

from guiderail.core.errors import InputError, IntegrityError
from guiderail.store.transaction import Snapshot
from guiderail.store.vault_folder import FOLDER, FOLDER_VARIABLE, named_folder

MASTER_FILE = "master.key"
KEY_BYTES = 32
_NONCE_BYTES = 12

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class MasterKey:
    """id: 16 hexadecimal digits of its SHA-256; it tells keys apart and reveals nothing."""

    id: str
    secret: bytes

    def __repr__(self) -> str:
        return f"MasterKey({self.id})"

    def wrap(self, data_key: bytes, key_id: str, pseudonym: str, *, entropy: Entropy) -> bytes:
        return encrypt(self.secret, data_key, _key_place(key_id, pseudonym), entropy=entropy)

    def unwrap(self, wrapped: bytes, key_id: str, pseudonym: str) -> bytes:
        """Raises IntegrityError `vault/altered` for what this key did not wrap for this person."""
        return decrypt(self.secret, wrapped, _key_place(key_id, pseudonym))


def encrypt(key: bytes, clear: bytes, place: bytes, *, entropy: Entropy) -> bytes:
    """Nonce and ciphertext with its tag."""
    nonce = entropy(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, clear, place)


def decrypt(key: bytes, sealed: bytes, place: bytes) -> bytes:
    """Raises IntegrityError `vault/altered` for another key, another place or changed bytes."""
    try:
        return AESGCM(key).decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], place)
    except (InvalidTag, ValueError) as error:
        raise IntegrityError(
            "Something in the vault was changed, or copied from another place.",
            code="vault/altered",
            advice="Run guiderail ledger verify, and restore the database from a backup.",
        ) from error


def words_place(seq: int, pseudonym: str) -> bytes:
    """Associated data of what a person wrote in an entry."""
    return f"guiderail-words/1 {seq} {pseudonym}".encode()


def _key_place(key_id: str, pseudonym: str) -> bytes:
    return f"guiderail-person-key/1 {key_id} {pseudonym}".encode()


def vault_folder(snapshot: Snapshot) -> Path:
    """`GUIDERAIL_VAULT`, else `vault` beside a SQLite database.

    Raises InputError where neither is known: for PostgreSQL somebody has to say it.
    """
    named = named_folder()
    if named is not None:
        return named
    beside = _beside(snapshot.connection.engine.url)
    if beside is not None:
        return beside
    raise InputError(
        "Nothing says where the master key of the vault is.",
        code="vault/no-folder",
        advice=f"Set {FOLDER_VARIABLE} to a folder that is not in the backup of the database.",
    )


@lru_cache
def _beside(url: URL) -> Path | None:
    if url.get_backend_name() == "sqlite" and url.database:
        return Path(url.database).absolute().parent / FOLDER
    return None


def read_master(folder: Path) -> MasterKey | None:
    """The master key, or None where there is none.

    Raises InputError for a file that others can read or that cannot be read, IntegrityError for
    one that holds no key.
    """
    path = folder / MASTER_FILE
    try:
        if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise InputError(
                f"The master key {path} can be read by others.",
                code="vault/open-to-others",
                advice=f"Run chmod 600 {path}, and find out who may have read it.",
            )
        text = path.read_text(encoding="ascii")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"The master key {path} cannot be read: {error}.",
            code="vault/unreadable",
            advice="Make it readable for the user who runs Guiderail, or restore it.",
        ) from error
    try:
        secret = bytes.fromhex(text.strip())
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise IntegrityError(
            f"{path} holds no master key.",
            code="vault/broken",
            advice="Restore it from where you keep a copy; without it what people wrote is lost.",
        )
    return MasterKey(hashlib.sha256(secret).hexdigest()[:16], secret)


def create_master(folder: Path, *, entropy: Entropy = secrets.token_bytes) -> MasterKey:
    """Make the master key; where another process was faster, its key.

    Raises InputError where the folder cannot be written.
    """
    path = folder / MASTER_FILE
    temporary = folder / f".{MASTER_FILE}-{secrets.token_hex(8)}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(entropy(KEY_BYTES).hex().encode("ascii") + b"\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.link(temporary, path)
        except FileExistsError:
            pass  # another process made it in between
        finally:
            temporary.unlink(missing_ok=True)
        _flush_folder(folder)
    except OSError as error:
        raise InputError(
            f"The master key cannot be kept in {folder}: {error.strerror}.",
            code="vault/unwritable",
            advice="Make the folder writable for the user who runs Guiderail.",
        ) from error
    made = read_master(folder)
    if made is None:
        raise InputError(
            f"The master key {path} vanished while it was made.",
            code="vault/unwritable",
            advice="Find out what removes files from the folder.",
        )
    return made


def _flush_folder(folder: Path) -> None:
    """Let the name of a new file survive a power cut."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
