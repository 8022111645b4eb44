"""The files of an audit pack: where each stands, and that none was changed, added or removed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from guiderail_verify.canonical import parse_object
from guiderail_verify.errors import VerifyError

FORMAT: Final = "guiderail-audit-pack/1"
PREDICATE: Final = "urn:guiderail:audit-pack:v1"
"""The type of the signed statement about `manifest.json`."""

MANIFEST: Final = "manifest.json"
SIGNATURE: Final = "manifest.dsse.json"
CHECKPOINT: Final = "checkpoint.txt"
KEYS: Final = "keys.json"
KEY_CHAIN: Final = "key-chain.jsonl"
"""Every version of the keys, each signed by the one before; absent from a log without changes."""
ENTRIES: Final = "entries.jsonl"
DISCLOSED: Final = "disclosed.jsonl"
PEOPLE: Final = "people.json"
NAME_KEYS: Final = "people-keys.json"
INDEX: Final = "index.csv"
BEFORE: Final = "checkpoint-before.txt"
RUNNING: Final = "reconciliation.csv"
TABLES: Final = "tables"
"""The folder of the tables that follow from the rest of the pack."""
WITNESSES: Final = "witnesses.txt"
"""Which witnesses the operator named (c2sp.org/tlog-policy); a reader decides whom to trust."""

_EARLIER: Final = ("checkpoints/", "timestamps/")
"""Folders with earlier checkpoints: cosigned ones, and those that an authority stamped."""

_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


def is_name(name: str) -> bool:
    """May this be one part of a path in a pack? No separators, nothing hidden, no `..`."""
    return bool(_PART.match(name))


def hexadecimal(digest: str) -> str:
    """The 64 digits of `sha256:...`. Raises VerifyError `pack/digest` for anything else."""
    if not _DIGEST.match(digest):
        raise VerifyError("pack/digest", f"{digest[:80]!r} is not a SHA-256 digest.")
    return digest.removeprefix("sha256:")


def pack_path(digest: str) -> str:
    """Where the compiled policy pack of a digest stands."""
    return f"packs/{hexadecimal(digest)}.json"


def evidence_path(digest: str) -> str:
    return f"evidence/{hexadecimal(digest)}"


def register_path(digest: str) -> str:
    """Where the recorded register of a digest stands."""
    return f"registers/{hexadecimal(digest)}.json"


def checkpoint_path(size: int) -> str:
    """Where an earlier checkpoint with its cosignatures stands."""
    return f"checkpoints/{size}.txt"


def stamped_path(size: int) -> str:
    """Where the bytes stand that an authority stamped: a checkpoint without cosignatures."""
    return f"timestamps/{size}.txt"


def timestamp_path(size: int, number: int) -> str:
    """Where the reply of an authority stands (RFC 3161 TimeStampResp). number: from 1."""
    return f"timestamps/{size}-{number}.tsr"


def is_earlier_checkpoint(path: str) -> bool:
    return path.startswith(_EARLIER) and path.endswith(".txt")


def case_path(case: str, *parts: str) -> str:
    """Raises VerifyError `pack/path` where an id could not be the name of a file."""
    names = (case, *parts)
    if not all(is_name(name) for name in names):
        raise VerifyError("pack/path", f"{'/'.join(names)[:80]!r} cannot be a path in a pack.")
    return "/".join(("cases", *names))


def dossier_path(case: str, digest: str, part: str) -> str:
    """part: `facts`, `answers` or `decision`."""
    return case_path(case, "dossiers", hexadecimal(digest), f"{part}.json")


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a pack says that it is.

    workload, since, until: the scope; None: no limit. Days, both included, of the submission.
    sample: how many cases were drawn with which seed; None: all of the scope.
    files: path -> 64 hexadecimal digits, all but the manifest and its signature.
    """

    workload: str | None
    since: str | None
    until: str | None
    sample: tuple[int, str] | None
    files: Mapping[str, str]

    def to_json(self) -> dict[str, object]:
        sample = self.sample
        return {
            "format": FORMAT,
            "scope": {"workload": self.workload, "since": self.since, "until": self.until},
            "sample": None if sample is None else {"count": sample[0], "seed": sample[1]},
            "files": dict(self.files),
        }

    def covers(self, workload: str, at: str) -> bool:
        """Is a case of this workload, submitted at this time, in the scope?"""
        day = at[:10]
        return (
            self.workload in (None, workload)
            and (self.since is None or self.since <= day)
            and (self.until is None or day <= self.until)
        )


def read_manifest(folder: Path) -> Manifest:
    """Raises VerifyError `pack/none` for what is no pack, `pack/manifest` for an unreadable one."""
    try:
        data = (folder / MANIFEST).read_bytes()
    except OSError as error:
        raise VerifyError("pack/none", f"There is no audit pack: {MANIFEST} is missing.") from error
    content = parse_object(data)
    match content:
        case {
            "format": str(format_),
            "scope": {"workload": workload, "since": since, "until": until, **more_scope},
            "sample": sample,
            "files": dict(files),
            **more,
        } if format_ == FORMAT and not more and not more_scope:
            return Manifest(
                _optional(workload),
                _day(since),
                _day(until),
                _sample(sample),
                {_path(path): _hex(digest) for path, digest in files.items()},
            )
    raise VerifyError("pack/manifest", f"{MANIFEST} is not the manifest of an audit pack.")


def changed_files(folder: Path, manifest: Manifest) -> Iterator[str]:
    """A sentence for each file that is missing, changed, or not in the manifest."""
    there = set(_files(folder))
    for path, digest in sorted(manifest.files.items()):
        if path not in there:
            yield f"{path} is missing"
            continue
        found = _file_digest(folder / path)
        if found != digest:
            yield f"{path} has the SHA-256 {found[:12]}..., the manifest says {digest[:12]}..."
    for path in sorted(there - manifest.files.keys() - {MANIFEST, SIGNATURE}):
        yield f"{path} is not in the manifest"


def _files(folder: Path, before: str = "") -> Iterator[str]:
    """Relative paths of everything that is not a directory; links are not followed."""
    for path in sorted(folder.iterdir()):
        name = before + path.name
        if path.is_dir() and not path.is_symlink():
            yield from _files(path, name + "/")
        else:
            yield name


def _file_digest(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return "none: it is not a plain file"
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _path(path: object) -> str:
    if isinstance(path, str) and all(is_name(part) for part in path.split("/")):
        return path
    raise VerifyError("pack/manifest", f"The manifest names the path {path!r}.")


def _hex(digest: object) -> str:
    return hexadecimal(f"sha256:{digest}")


def _optional(text: object) -> str | None:
    if text is None or isinstance(text, str):
        return text
    raise VerifyError("pack/manifest", "The scope in the manifest cannot be read.")


def _day(text: object) -> str | None:
    day = _optional(text)
    if day is not None and not _DAY.match(day):
        raise VerifyError("pack/manifest", "A day in the manifest is not written as YYYY-MM-DD.")
    return day


def _sample(sample: object) -> tuple[int, str] | None:
    match sample:
        case None:
            return None
        case {"count": int(count), "seed": str(seed), **more} if not more and count > 0:
            return count, seed
    raise VerifyError("pack/manifest", "The sample in the manifest cannot be read.")
