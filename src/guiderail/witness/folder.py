"""What a witness keeps: its key, the logs that it follows, and the newest checkpoint of each.

    witness.pem              the private key (PKCS 8, readable by the owner only)
    witness.pub              the verifier key, to give to those who run the logs
    logs/ID/log.json         the origin of one log and its verifier keys
    logs/ID/newest.txt       the newest checkpoint that was cosigned, as the log signed it
    logs/ID/refused/*.txt    signed checkpoints that contradict it, or came without a good proof
    lock                     held while a checkpoint is compared and stored

ID is the beginning of the SHA-256 of the origin. A file is replaced in one step and is on disk
before anything is answered, so a crash leaves the old or the new checkpoint and never none.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail.core.errors import InputError, IntegrityError
from guiderail.witness.wire import tree_head
from guiderail_verify.cosignature import WitnessKey
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import Checkpoint, NoteKey, is_key_name, open_note

MOST_REFUSED = 100
"""Refused checkpoints of each kind that are kept for one log."""

_KEY, _PUBLIC, _LOGS, _LOG, _NEWEST, _REFUSED, _LOCK = (
    "witness.pem", "witness.pub", "logs", "log.json", "newest.txt", "refused", "lock",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class FollowedLog:
    """One log that the witness knows. keys: those whose signature on a checkpoint counts."""

    origin: str
    keys: tuple[NoteKey, ...]


class WitnessFolder:
    """The state of one witness. Safe for several threads and several processes at once."""

    __slots__ = ("_mutex", "folder", "key", "private")

    def __init__(self, folder: Path, private: Ed25519PrivateKey, key: WitnessKey) -> None:
        self.folder = folder
        self.private = private
        self.key = key
        self._mutex = threading.Lock()

    @classmethod
    def create(cls, folder: Path, name: str) -> WitnessFolder:
        """A new witness in a folder that is new or empty.

        Raises InputError for a name that cannot stand in a note, and for a folder in use.
        """
        if not is_key_name(name) or name == "none":
            raise InputError(
                f"{name!r} cannot be the name of a witness",
                code="witness/name",
                advice="Use a name without spaces and plus signs, for example audit.example/w1.",
            )
        private = Ed25519PrivateKey.generate()
        key = WitnessKey(name, private.public_key().public_bytes_raw())
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        with _as_input_error(folder):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if any(folder.iterdir()):
                raise InputError(
                    f"{folder} is not empty",
                    code="witness/folder",
                    advice="Name a new folder: a witness shares its folder with nothing else.",
                )
            (folder / _LOGS).mkdir()
            _replace(folder / _LOCK, b"")
            _replace(folder / _PUBLIC, (key.to_text() + "\n").encode())
            _replace(folder / _KEY, pem)
        return cls(folder, private, key)

    @classmethod
    def open(cls, folder: Path) -> WitnessFolder:
        """Raises InputError where there is no witness or its key is open to others."""
        path = folder / _KEY
        if not path.is_file():
            raise InputError(
                f"there is no witness in {folder}",
                code="witness/none",
                advice="Make one with `guiderail witness init`, or name its folder with --folder.",
            )
        with _as_input_error(folder):
            if os.name == "posix" and stat.S_IMODE(path.stat().st_mode) & 0o077:
                raise InputError(
                    f"the key file {path} can be read by others",
                    code="witness/open-to-others",
                    advice=f"Run chmod 600 {path}; make a new witness if somebody may have "
                    "read it.",
                )
            pem, public = path.read_bytes(), (folder / _PUBLIC).read_text("utf-8")
        try:
            private = serialization.load_pem_private_key(pem, password=None)
            key = WitnessKey.from_text(public.strip())
        except (ValueError, TypeError, VerifyError) as error:
            raise _broken(path, "cannot be read") from error
        if (
            not isinstance(private, Ed25519PrivateKey)
            or private.public_key().public_bytes_raw() != key.public
        ):
            raise _broken(path, f"does not belong to {_PUBLIC}")
        return cls(folder, private, key)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else compares or stores a checkpoint meanwhile, in this process or another."""
        with self._mutex, (self.folder / _LOCK).open("rb+") as stream:
            fcntl.flock(stream, fcntl.LOCK_EX)
            yield

    def follow(self, key: NoteKey, start: str | None = None) -> FollowedLog:
        """Know a log, or one more key of it; the origin is the name of the key.

        start: a checkpoint to begin with, as the log signed it; without one, the first that comes.
        Raises InputError where `start` is not signed by the key or the log has a newest checkpoint
        already.
        """
        with _as_input_error(self.folder), self.locked():
            found = self.log(key.name)
            keys = found.keys if found is not None else ()
            if key not in keys:
                keys = (*keys, key)
                place = self._place(key.name)
                place.mkdir(exist_ok=True, mode=0o700)
                text = json.dumps({"origin": key.name, "keys": [one.to_text() for one in keys]})
                _replace(place / _LOG, text.encode())
            log = FollowedLog(key.name, keys)
            if start is not None:
                self._start(log, start)
            return log

    def log(self, origin: str) -> FollowedLog | None:
        """None for a log that is not followed."""
        path = self._place(origin) / _LOG
        try:
            content = json.loads(path.read_bytes())
            log = FollowedLog(
                content["origin"], tuple(NoteKey.from_text(key) for key in content["keys"])
            )
        except FileNotFoundError:
            return None
        except (OSError, ValueError, LookupError, TypeError, VerifyError) as error:
            raise _broken(path, "cannot be read") from error
        if log.origin != origin or not log.keys:
            raise _broken(path, f"is not about {origin}")
        return log

    def logs(self) -> list[FollowedLog]:
        """All logs that are followed, by origin."""
        found = []
        for path in sorted((self.folder / _LOGS).glob(f"*/{_LOG}")):
            try:
                origin = json.loads(path.read_bytes())["origin"]
            except (OSError, ValueError, LookupError, TypeError) as error:
                raise _broken(path, "cannot be read") from error
            log = self.log(origin)
            if log is not None:
                found.append(log)
        return sorted(found, key=lambda log: log.origin)

    def newest(self, log: FollowedLog) -> Checkpoint | None:
        """The newest checkpoint that was cosigned; None where none was.

        Raises IntegrityError where the file is damaged: nothing may be signed then.
        """
        note = self.newest_note(log)
        if note is None:
            return None
        try:
            open_note(note, log.keys)
            return tree_head(note)
        except VerifyError as error:
            raise _broken(self._place(log.origin) / _NEWEST, "is damaged") from error

    def newest_note(self, log: FollowedLog) -> str | None:
        """As the log signed it, not verified."""
        path = self._place(log.origin) / _NEWEST
        try:
            return path.read_bytes().decode("utf-8")
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise _broken(path, "cannot be read") from error

    def keep(self, log: FollowedLog, note: str) -> None:
        """Make this the newest checkpoint; it is on disk when this returns. Call it `locked`."""
        _replace(self._place(log.origin) / _NEWEST, note.encode("utf-8"))

    def keep_refused(self, log: FollowedLog, note: str, *, contradicts: bool) -> None:
        """Keep a signed checkpoint that was not cosigned; each one once.

        contradicts: it has another root at a size that was cosigned, which only a log that signed
        two histories can have made. Without that, no proof came that it continues the newest one:
        anybody who has a checkpoint can send it so, and only the first ones are kept.
        """
        place = self._place(log.origin) / _REFUSED
        place.mkdir(exist_ok=True, mode=0o700)
        data = note.encode("utf-8")
        kind = "contradicts" if contradicts else "unproven"
        path = place / f"{kind}-{hashlib.sha256(data).hexdigest()[:32]}.txt"
        if not path.exists() and len(list(place.glob(f"{kind}-*"))) < MOST_REFUSED:
            _replace(path, data)

    def contradictions(self, log: FollowedLog) -> list[Path]:
        """Files of checkpoints that contradict what was cosigned: each proves two histories."""
        return sorted((self._place(log.origin) / _REFUSED).glob("contradicts-*.txt"))

    def unproven(self, log: FollowedLog) -> list[Path]:
        """Files of checkpoints that came without a good proof."""
        return sorted((self._place(log.origin) / _REFUSED).glob("unproven-*.txt"))

    def _start(self, log: FollowedLog, note: str) -> None:
        if self.newest_note(log) is not None:
            raise InputError(
                f"the witness has cosigned checkpoints of {log.origin} already",
                code="witness/started",
                advice="Leave --from out: the witness goes on from the newest one that it knows.",
            )
        try:
            open_note(note, log.keys)
            head = tree_head(note)
        except VerifyError as error:
            raise InputError(
                f"the checkpoint to begin with cannot be used: {error.reason}",
                code="witness/start",
                advice="Name a file that `guiderail ledger checkpoint` printed for this log.",
            ) from error
        if head.origin != log.origin:
            raise InputError(
                f"the checkpoint to begin with is of the log {head.origin}",
                code="witness/start",
                advice=f"Name a checkpoint of {log.origin}.",
            )
        self.keep(log, note)

    def _place(self, origin: str) -> Path:
        return self.folder / _LOGS / hashlib.sha256(origin.encode("utf-8")).hexdigest()[:32]


def _replace(path: Path, data: bytes) -> None:
    """Write a file in one step, readable by the owner only; durable when this returns."""
    temporary = path.with_name(f".{path.name}-{secrets.token_hex(8)}.part")
    descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextmanager
def _as_input_error(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"the folder {folder} cannot be used: {error.strerror}",
            code="witness/folder",
            advice="Name a folder that you can write to.",
        ) from error


def _broken(path: Path, why: str) -> IntegrityError:
    return IntegrityError(
        f"The file {path} {why}.",
        advice="The witness signs nothing for this log until it is restored; an old copy may let "
        "it sign a second history, so begin with the newest checkpoint that you can find.",
        code="witness/broken",
    )
