"""The ledger in an audit pack: its entries, their details, and what they say happened to a case."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from sys import intern
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from guiderail_verify.audit_files import Manifest
from guiderail_verify.canonical import canonical_json, decode_base64, parse_object
from guiderail_verify.commitments import is_committed, read_commitments
from guiderail_verify.errors import VerifyError
from guiderail_verify.plain_entry import evidence_items, match_entry
from guiderail_verify.sampling import Framed
from guiderail_verify.tree import leaf_hash

DECIDING: Final = ("case.submitted", "case.decided")
"""Events with a decision: they name dossier, tier and track."""

KINDS: Final = ("app", "model", "pipeline")


class Entry(NamedTuple):
    """One entry: a tuple, because a pack may hold a million of them.

    body: the bytes that were hashed. payload: its details, None: not in the pack.
    words: the commitment to what somebody wrote, None: nobody wrote anything, or it is in
    `commitment` (version 1). erased: the words are gone, and this entry is said to tell why.
    removed: the whole entry is gone, and this entry is said to tell why; all but `seq` and `leaf`
    is empty then.
    """

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
    words: str | None
    leaf: bytes
    payload: Mapping[str, Any] | None = None
    erased: int | None = None
    removed: int | None = None

    @property
    def is_gone(self) -> bool:
        """Is it removed, or are the words in it?"""
        return self.erased is not None or self.removed is not None

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
    return _read_plain(body) or _read_any(body)


def _read_plain(body: bytes) -> Entry | None:
    """An entry without anything special, which most are. Equal text is kept once."""
    try:
        matched = match_entry(body.decode())
    except UnicodeDecodeError:
        return None
    if matched is None:
        return None
    actor, day, time, evidence, outcome, committed, *more = matched.groups()
    policy, seq, digest, kind, name, number, type_ = more
    return Entry(
        int(seq), body, day + time, intern(type_), intern(kind), intern(name),
        digest and intern(digest), int(number), intern(actor), intern(outcome),
        policy and intern(policy), _plain_evidence(evidence) if evidence else _NO_EVIDENCE,
        committed, None, leaf_hash(body),
    )  # fmt: skip


_NO_EVIDENCE: Final[Mapping[str, tuple[str, str]]] = MappingProxyType({})


def _plain_evidence(text: str) -> Mapping[str, tuple[str, str]]:
    return {name: (type_, f"sha256:{digest}") for name, type_, digest in evidence_items(text)}


def _read_any(body: bytes) -> Entry:
    content = parse_object(body)
    match content:
        case {
            "v": version,
            "seq": int(seq),
            "at": str(at),
            "type": str(type_),
            "subject": {"kind": str(kind), "name": str(name), "digest": digest},
            "subject_no": int(number),
            "actor": str(actor),
            "outcome": str(outcome),
            "policy": policy,
            "evidence": list(evidence),
            "payload": payload,
        } if len(content) == 11 and (committed := read_commitments(version, payload)):
            return Entry(
                seq, body, at, type_, kind, name, _text(digest), number, actor, outcome,
                _text(policy), dict(map(_evidence, evidence)), *committed, leaf_hash(body),
            )  # fmt: skip
    raise VerifyError("pack/entry", "An entry does not have the form of an event.")


def removed_line(seq: int, leaf: bytes, by: int) -> bytes:
    """What stands in a pack for an entry whose time was over. by: the entry that says so."""
    return canonical_json({"leaf": leaf.hex(), "removed": by, "seq": seq})


def read_line(line: bytes) -> Entry:
    """An entry as it stands in a pack: its body, or what stands for one that was removed.

    Raises VerifyError as `read_entry`.
    """
    if not line.startswith(b'{"leaf":'):
        return read_entry(line)
    match parse_object(line):
        case {"leaf": str(leaf), "removed": int(by), "seq": int(seq), **more} if not more:
            return Entry(
                seq, b"", "", "", "", "", None, 0, "", "", None, {}, "", None,
                _leaf(leaf), removed=by,
            )  # fmt: skip
    raise VerifyError("pack/entry", "What stands for a removed entry cannot be read.")


@dataclass(frozen=True, slots=True)
class Details:
    """Details of an entry. erased: the entry that says why the words in them are gone."""

    payload: Mapping[str, Any]
    erased: int | None = None


def read_details(
    data: bytes, entries: Sequence[Entry], restated: Mapping[int, str]
) -> dict[int, Details]:
    """The details by entry, each proven to be what the entry commits to.

    restated: new commitments over what an erasure left of entries of version 1.
    Raises VerifyError `pack/details` where one is not.
    """
    found: dict[int, Details] = {}
    for line in lines_of(data):
        match parse_object(line):
            case {"seq": int(seq), "salt": str(salt), "payload": dict(payload), **more} if (
                0 <= seq < len(entries) and seq not in found and not more.keys() - {"words"}
            ):
                words = more.get("words")
                found[seq] = _details(entries[seq], salt, payload, words, restated)
            case _:
                raise VerifyError("pack/details", "A line of details cannot be read.")
    return found


def _details(
    entry: Entry, salt: str, payload: dict[str, Any], words: object, restated: Mapping[int, str]
) -> Details:
    match words:
        case {"erased": int(by), **more} if not more:
            # Version 1 has one commitment for all: what was left of it was committed to anew.
            proven = entry.commitment if entry.words is not None else restated.get(entry.seq, "")
            _refuse_other(entry, salt, payload, proven)
            return Details(payload, by)
        case {"salt": str(other), "payload": dict(written), **more} if (
            entry.words is not None and not more
        ):
            _refuse_other(entry, salt, payload, entry.commitment)
            _refuse_other(entry, other, written, entry.words)
            return Details({**payload, **written})
        case None if entry.words is None:
            _refuse_other(entry, salt, payload, entry.commitment)
            return Details(payload)
    raise VerifyError(
        "pack/details", f"What somebody wrote in entry {entry.seq} is not in the pack."
    )


def _refuse_other(entry: Entry, salt: str, payload: dict[str, Any], committed: str) -> None:
    key = decode_base64(salt, "pack/details")
    if not is_committed(key, canonical_json(payload), committed):
        raise VerifyError(
            "pack/details", f"The details of entry {entry.seq} are not those it commits to."
        )


def is_told(entry: Entry, manifest: Manifest) -> bool:
    """Do the details of this entry belong into the pack?

    Everything about the workloads of the scope and about the workspace, its keys and its policy:
    an event of a case cannot be left out by leaving out its details.
    """
    if entry.kind in KINDS:
        return manifest.workload in (None, entry.name)
    return True


def gaps(entries: Sequence[Entry]) -> Iterator[str]:
    """A sentence for each entry whose place or number within its subject is not the next one.

    Entries that were removed had numbers too: so many may be missing, and not one more.
    """
    numbers: dict[tuple[str, str], int] = {}
    found: list[str] = []
    missing = 0
    for place, entry in enumerate(entries):
        if entry.seq != place:
            yield f"entry {place} was written as entry {entry.seq}"
        if entry.removed is not None:
            continue
        subject = (entry.kind, entry.name)
        expected = numbers.get(subject, 0) + 1
        if entry.number != expected:
            missing += entry.number - expected if entry.number > expected else len(entries)
            found.append(
                f"entry {place} is event {entry.number} of {entry.kind} {entry.name}, "
                f"event {expected} was expected"
            )
        numbers[subject] = entry.number
    if missing > sum(entry.removed is not None for entry in entries):
        yield from found


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


def _leaf(text: str) -> bytes:
    try:
        leaf = bytes.fromhex(text)
    except ValueError as error:
        raise VerifyError("pack/entry", "The hash of a removed entry cannot be read.") from error
    if len(leaf) != 32 or leaf.hex() != text:
        raise VerifyError("pack/entry", "The hash of a removed entry cannot be read.")
    return leaf


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    raise VerifyError("pack/entry", "An entry holds something else than text for a digest.")


def _evidence(item: object) -> tuple[str, tuple[str, str]]:
    match item:
        case {"name": str(name), "predicateType": str(type_), "sha256": str(digest)}:
            return name, (type_, f"sha256:{digest}")
    raise VerifyError("pack/entry", "An entry names evidence that cannot be read.")
