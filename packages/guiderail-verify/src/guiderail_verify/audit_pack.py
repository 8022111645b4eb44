"""An audit pack as it is read: each part once, on the first question about it.

A part that cannot be read raises the same VerifyError for everybody who asks for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import (
    CaseHistory,
    Details,
    Entry,
    frame,
    histories,
    lines_of,
    read_details,
    read_line,
)
from guiderail_verify.audit_files import Manifest
from guiderail_verify.canonical import parse_object
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.errors import VerifyError
from guiderail_verify.gone import ERASED, PRUNED, Gone
from guiderail_verify.key_chain import follow, read_chain
from guiderail_verify.note import Checkpoint, NoteKey, open_checkpoint
from guiderail_verify.registers import PEOPLE, PeopleOnRecord, is_register, read_people
from guiderail_verify.sampling import draw
from guiderail_verify.trusted_keys import TrustedKeys


@dataclass
class AuditPack:
    """folder: where it is. pinned: the checkpoint key that came from elsewhere, None without one.

    All properties raise VerifyError where the part cannot be read.
    """

    folder: Path
    manifest: Manifest
    pinned: NoteKey | None = None

    def read(self, path: str) -> bytes:
        """The bytes of a file that the manifest names."""
        if path not in self.manifest.files:
            raise VerifyError("pack/missing", f"{path} is not in the pack.")
        return self.read_unlisted(path)

    def read_unlisted(self, path: str) -> bytes:
        """The bytes of the manifest or of its signature."""
        place = self.folder / path
        try:
            if place.is_symlink():
                raise VerifyError("pack/link", f"{path} is a link.")
            return place.read_bytes()
        except OSError as error:
            raise VerifyError("pack/missing", f"{path} cannot be read.") from error

    def text(self, path: str) -> str:
        """A file of UTF-8 text."""
        try:
            return self.read(path).decode("utf-8")
        except UnicodeDecodeError as error:
            raise VerifyError("pack/not-text", f"{path} is not UTF-8 text.") from error

    def object(self, path: str) -> dict[str, Any]:
        """A file of canonical JSON that holds an object."""
        try:
            return parse_object(self.read(path))
        except VerifyError as error:
            raise VerifyError(error.code, f"{path}: {error.reason}") from error

    @cached_property
    def own_keys(self) -> TrustedKeys:
        """The keys that lie in the pack, as they are: nobody vouches for them."""
        return TrustedKeys.from_json(self.read(files.KEYS))

    @cached_property
    def keys(self) -> TrustedKeys:
        """The keys to which the pinned one leads, by the chain in the pack if they changed since.

        Without a pinned key those in the pack.
        """
        if self.pinned is None:
            return self.own_keys
        if files.KEY_CHAIN in self.manifest.files:
            try:
                return follow(self.pinned, read_chain(self.read(files.KEY_CHAIN)))
            except VerifyError as error:
                if error.code != "keys/not-in-chain":
                    raise
        return replace(self.own_keys, origin=self.pinned.name, checkpoint=(self.pinned,))

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """What was signed over all entries; its signature is checked."""
        return open_checkpoint(self.text(files.CHECKPOINT), self.keys.checkpoint, self.keys.origin)

    @cached_property
    def bare_entries(self) -> list[Entry]:
        """Every entry in order, without details."""
        return [read_line(line) for line in lines_of(self.read(files.ENTRIES))]

    @cached_property
    def entries(self) -> list[Entry]:
        """Every entry in order, with its details as far as they are in the pack."""
        return with_details(self.read(files.DISCLOSED), self.bare_entries)

    @cached_property
    def gone(self) -> Gone:
        """What the ledger says that was erased or removed."""
        return gone_in(self.entries)

    @cached_property
    def tree(self) -> EntryTree:
        return EntryTree.of_leaves(entry.leaf for entry in self.bare_entries)

    @cached_property
    def people(self) -> dict[str, Any]:
        """Pseudonym -> person: what the operator says, which nothing in the ledger proves."""
        return self.object(files.PEOPLE)

    @cached_property
    def all_cases(self) -> dict[str, CaseHistory]:
        return histories(self.entries)

    @cached_property
    def frame(self) -> dict[str, CaseHistory]:
        """The cases of the scope, those that were not drawn too."""
        return frame(self.entries, self.manifest)

    @cached_property
    def cases(self) -> dict[str, CaseHistory]:
        """The cases whose records belong into the pack: the whole frame, or the sample of it."""
        sample = self.manifest.sample
        if sample is None:
            return self.frame
        drawn = draw([history.framed for history in self.frame.values()], *sample)
        return {case: self.frame[case] for case in drawn}

    @cached_property
    def registers(self) -> list[tuple[int, PeopleOnRecord]]:
        """Every recorded register of people with the number of its entry, oldest first."""
        return [
            (entry.seq, read_people(self.read(files.register_path(entry.digest or ""))))
            for entry in self.bare_entries
            if is_register(entry, PEOPLE)
        ]

    def people_at(self, seq: int) -> PeopleOnRecord:
        """The register of people that the use case of entry `seq` rested on."""
        known = bisect_left(self.registers, seq, key=lambda one: one[0])
        if not known:
            raise VerifyError(
                "pack/register", f"no register of people was recorded before entry {seq}"
            )
        return self.registers[known - 1][1]

    def record(self, case: str) -> Mapping[str, Any]:
        return self.object(files.case_path(case, "case.json"))

    def decision(self, case: str, dossier: str) -> dict[str, Any]:
        return self.object(files.dossier_path(case, dossier, "decision"))


def with_details(disclosed: bytes, bare: list[Entry]) -> list[Entry]:
    """The entries with their details. Raises VerifyError where details are not the right ones.

    Erasures are read first: they hold new commitments over what they left of old entries.
    """
    restated: dict[int, str] = {}
    erasures = {entry.seq for entry in bare if entry.type == ERASED}
    if erasures:
        lines = [line + b"\n" for line in lines_of(disclosed) if _seq_of(line) in erasures]
        told = _filled(bare, read_details(b"".join(lines), bare, {}))
        restated = gone_in([entry for entry in told if entry.seq in erasures]).restated
    return _filled(bare, read_details(disclosed, bare, restated))


def _seq_of(line: bytes) -> object:
    return parse_object(line).get("seq")


def _filled(bare: list[Entry], told: Mapping[int, Details]) -> list[Entry]:
    nothing = Details({})
    return [
        entry._replace(payload=details.payload, erased=details.erased)
        if (details := told.get(entry.seq, nothing)) is not nothing
        else entry
        for entry in bare
    ]


def gone_in(entries: list[Entry]) -> Gone:
    """Raises VerifyError `pack/gone` where an event about it cannot be read."""
    gone = Gone()
    for entry in entries:
        if entry.type in (ERASED, PRUNED):
            try:
                gone.see(entry.seq, entry.type, entry.name, entry.payload or {})
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                raise VerifyError(
                    "pack/gone", f"What entry {entry.seq} says was removed cannot be read."
                ) from error
    return gone
