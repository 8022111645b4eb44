"""The ledger in an audit pack: its entries, their details, and what they say happened to a case."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from guiderail_verify.audit_files import Manifest
from guiderail_verify.canonical import canonical_json, decode_base64, parse_object
from guiderail_verify.errors import VerifyError
from guiderail_verify.sampling import Framed

DECIDING: Final = ("case.submitted", "case.decided")
"""Events with a decision: they name dossier, tier and track."""

KINDS: Final = ("app", "model", "pipeline")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. body: the bytes that were hashed. payload: its details, None: not in the pack."""

    seq: int
    body: bytes
    at: str
    type: str
    kind: str
    name: str
    digest: str | None
    number: int
    actor: str
    outcome: str
    policy: str | None
    evidence: Mapping[str, tuple[str, str]]
    commitment: str
    payload: Mapping[str, Any] | None = None

    @property
    def case(self) -> str | None:
        """The case that it is about, where its details are in the pack and name one."""
        found = None if self.payload is None else self.payload.get("case")
        return found if isinstance(found, str) else None


@dataclass(frozen=True, slots=True)
class CaseHistory:
    """What the ledger says about one case. entries: all of it, oldest first."""

    id: str
    entries: Sequence[Entry]

    @property
    def submitted(self) -> Entry:
        return self.entries[0]

    @property
    def decisions(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.type in DECIDING]

    def of_type(self, *types: str) -> list[Entry]:
        return [entry for entry in self.entries if entry.type in types]

    def value(self, field: str) -> str:
        """A field of the last decision. Raises VerifyError where it is not text."""
        found = (self.decisions[-1].payload or {}).get(field)
        if not isinstance(found, str):
            raise VerifyError("pack/entry", f"The last decision about {self.id} has no {field}.")
        return found

    @property
    def outcome(self) -> str:
        """What came of it in a word: the first of these that fits its events.

        void, withdrawn, rolled-back (all traffic went back from it once), permitted, rejected,
        open.
        """
        types = {entry.type for entry in self.entries}
        words = {
            "void": "case.void" in types,
            "withdrawn": "case.withdrawn" in types,
            "rolled-back": any(map(self._left, self.of_type("rollback.finished"))),
            "permitted": "permit.issued" in types,
            "rejected": any(one.outcome == "reject" for one in self.of_type("review.given")),
        }
        return next((word for word, fits in words.items() if fits), "open")

    def _left(self, finished: Entry) -> bool:
        return (finished.payload or {}).get("from_digest") == self.submitted.digest

    @property
    def framed(self) -> Framed:
        return Framed(self.id, self.value("tier"), self.value("track"), self.outcome)


def lines_of(data: bytes) -> list[bytes]:
    """The lines of a file that ends in a newline. Raises VerifyError for one that does not."""
    if not data:
        return []
    if not data.endswith(b"\n"):
        raise VerifyError("pack/truncated", "The last line is cut off.")
    return data[:-1].split(b"\n")


def read_entry(body: bytes) -> Entry:
    """Raises VerifyError `pack/entry` or `canonical/...` for bytes that are no event."""
    content = parse_object(body)
    match content:
        case {
            "v": 1,
            "seq": int(seq),
            "at": str(at),
            "type": str(type_),
            "subject": {"kind": str(kind), "name": str(name), "digest": digest},
            "subject_no": int(number),
            "actor": str(actor),
            "outcome": str(outcome),
            "policy": policy,
            "evidence": list(evidence),
            "payload": {"alg": "hmac-sha256", "value": str(committed)},
        } if len(content) == 11:
            return Entry(
                seq, body, at, type_, kind, name, _text(digest), number, actor, outcome,
                _text(policy), dict(map(_evidence, evidence)), committed,
            )  # fmt: skip
    raise VerifyError("pack/entry", "An entry does not have the form of an event.")


def read_details(data: bytes, entries: Sequence[Entry]) -> dict[int, Mapping[str, Any]]:
    """The details by entry, each proven to be what the entry commits to.

    Raises VerifyError `pack/details` where one is not.
    """
    found: dict[int, Mapping[str, Any]] = {}
    for line in lines_of(data):
        match parse_object(line):
            case {"seq": int(seq), "salt": str(salt), "payload": dict(payload)} if (
                0 <= seq < len(entries) and seq not in found
            ):
                key = decode_base64(salt, "pack/details")
                value = hmac.new(key, canonical_json(payload), hashlib.sha256).hexdigest()
                if not hmac.compare_digest(value, entries[seq].commitment):
                    raise VerifyError(
                        "pack/details", f"The details of entry {seq} are not those it commits to."
                    )
                found[seq] = payload
            case _:
                raise VerifyError("pack/details", "A line of details cannot be read.")
    return found


def is_told(entry: Entry, manifest: Manifest) -> bool:
    """Do the details of this entry belong into the pack?

    Everything about the workloads of the scope and about the workspace, its keys and its policy:
    an event of a case cannot be left out by leaving out its details.
    """
    if entry.kind in KINDS:
        return manifest.workload in (None, entry.name)
    return True


def gaps(entries: Sequence[Entry]) -> Iterator[str]:
    """A sentence for each entry whose place or number within its subject is not the next one."""
    numbers: dict[tuple[str, str], int] = {}
    for place, entry in enumerate(entries):
        if entry.seq != place:
            yield f"entry {place} was written as entry {entry.seq}"
        subject = (entry.kind, entry.name)
        expected = numbers.get(subject, 0) + 1
        if entry.number != expected:
            yield (
                f"entry {place} is event {entry.number} of {entry.kind} {entry.name}, "
                f"event {expected} was expected"
            )
        numbers[subject] = entry.number


def histories(entries: Sequence[Entry]) -> dict[str, CaseHistory]:
    """Every case whose submission has its details in the pack, in the order of submission."""
    found: dict[str, list[Entry]] = {}
    for entry in entries:
        case = entry.case
        if case is not None and (case in found or entry.type == "case.submitted"):
            found.setdefault(case, []).append(entry)
    return {case: CaseHistory(case, listed) for case, listed in found.items()}


def frame(entries: Sequence[Entry], manifest: Manifest) -> dict[str, CaseHistory]:
    """The cases of the scope: what is in the pack, or what the sample was drawn from."""
    return {
        case: history
        for case, history in histories(entries).items()
        if manifest.covers(history.submitted.name, history.submitted.at)
    }


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise VerifyError("pack/entry", "An entry holds something else than text for a digest.")


def _evidence(item: object) -> tuple[str, tuple[str, str]]:
    match item:
        case {"name": str(name), "predicateType": str(type_), "sha256": str(digest)}:
            return name, (type_, f"sha256:{digest}")
    raise VerifyError("pack/entry", "An entry names evidence that cannot be read.")
