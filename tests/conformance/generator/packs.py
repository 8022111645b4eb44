"""Cases of audit packs: the directory that an auditor is given.

The log of these packs is young: a workspace, its keys, a rehearsal, and no case yet. Whatever
holds for the log, the numbering, the details and the files holds for a pack with cases too.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterator
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.conformance.generator import reference_tree as tree
from tests.conformance.generator.case import Case
from tests.conformance.generator.permits import digest
from tests.conformance.generator.signing import (
    LOG,
    LOG_KEY,
    ORIGIN,
    PERMITS,
    WITNESS,
    base64_text,
    canonical,
    checkpoint_text,
    envelope,
    envelope_key_id,
    sign_note,
    trusted_keys,
)

FORMAT = "guiderail-audit-pack/1"
PREDICATE = "urn:guiderail:audit-pack:v1"
ACTOR = "p-000000000000000000000001"
INDEX = (
    "case,workload,kind,version,submitted_at,tier,track,outcome,in_pack,"
    "release,dossier,policy,first_entry,last_entry\n"
)
Files = dict[str, bytes]

EVENTS: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("workspace.created", {"kind": "workspace", "name": "local", "digest": None}, {"demo": False}),
    (
        "key.created",
        {"kind": "log", "name": ORIGIN, "digest": None},
        {"origin": ORIGIN, "checkpoint_key": LOG_KEY, "permit_key": envelope_key_id(PERMITS)},
    ),
    *(
        (
            "rollback.rehearsed",
            {"kind": "model", "name": name, "digest": f"sha256:{digest(name)}"},
            {"outcome": "passed", "from_digest": None, "to_digest": f"sha256:{digest(name)}",
             "seconds": f"{number}.5"},
        )
        for number, name in enumerate(("credit", "fraud", "credit", "credit", "fraud"))
    ),
)  # fmt: skip


def _details(seq: int) -> dict[str, Any]:
    salt = hashlib.sha256(b"salt %d" % seq).digest()
    return {"seq": seq, "salt": base64_text(salt), "payload": EVENTS[seq][2]}


def entries() -> list[dict[str, Any]]:
    """The entries of an honest log."""
    numbers: dict[str, int] = {}
    found = []
    for seq, (type_, subject, payload) in enumerate(EVENTS):
        numbers[subject["name"]] = numbers.get(subject["name"], 0) + 1
        salt = hashlib.sha256(b"salt %d" % seq).digest()
        committed = hmac.new(salt, canonical(payload), hashlib.sha256).hexdigest()
        found.append({
            "v": 1,
            "seq": seq,
            "at": f"2026-11-23T09:30:{seq:02}.000000Z",
            "type": type_,
            "subject": subject,
            "subject_no": numbers[subject["name"]],
            "actor": ACTOR,
            "outcome": "done",
            "policy": None,
            "evidence": [],
            "payload": {"alg": "hmac-sha256", "value": committed},
        })  # fmt: skip
    return found


def _lines(values: list[dict[str, Any]]) -> bytes:
    return b"".join(canonical(value) + b"\n" for value in values)


def pack(
    listed: list[dict[str, Any]] | None = None,
    *,
    signed: list[dict[str, Any]] | None = None,
    change: Callable[[Files], None] = lambda files: None,
    after: Callable[[Files], None] = lambda files: None,
    secret: Ed25519PrivateKey = LOG,
) -> Files:
    """listed: the entries in the pack. signed: those under the checkpoint, by default the same.

    change: done before the manifest is written and signed; after: done to the finished pack.
    """
    listed = entries() if listed is None else listed
    bodies = [canonical(one) for one in (listed if signed is None else signed)]
    text = checkpoint_text(len(bodies), tree.root(bodies))
    files: Files = {
        "README.txt": b"An audit pack of the conformance suite.\n",
        "checkpoint.txt": sign_note(text, ORIGIN, secret).encode(),
        "keys.json": canonical(trusted_keys()),
        "entries.jsonl": _lines(listed),
        "disclosed.jsonl": _lines([_details(seq) for seq in range(len(EVENTS))]),
        "people.json": canonical({ACTOR: "ann"}),
        "index.csv": INDEX.encode(),
    }
    change(files)
    manifest = canonical({
        "format": FORMAT,
        "scope": {"workload": None, "since": None, "until": None},
        "sample": None,
        "files": {path: hashlib.sha256(data).hexdigest() for path, data in files.items()},
    })  # fmt: skip
    statement = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "manifest.json",
                     "digest": {"sha256": hashlib.sha256(manifest).hexdigest()}}],
        "predicateType": PREDICATE,
        "predicate": {},
    }  # fmt: skip
    files["manifest.json"] = manifest
    files["manifest.dsse.json"] = canonical(envelope(canonical(statement)))
    after(files)
    return files


def _case(name: str, files: Files, older: str | None = None, **more: Any) -> Case:
    placed = {f"pack/{path}": data for path, data in files.items()}
    if older is not None:
        placed["older-checkpoint.txt"] = older.encode()
    return Case("audit-pack", name, placed, {"key": LOG_KEY}, **more)


def _bad(name: str, code: str, wrong: str, why: str, files: Files, **more: Any) -> Case:
    return _case(name, files, code=code, wrong=wrong, why=why, **more)


def older(count: int, listed: list[dict[str, Any]] | None = None) -> str:
    bodies = [canonical(one) for one in (listed or entries())[:count]]
    return sign_note(checkpoint_text(count, tree.root(bodies)))


def cases() -> list[Case]:
    return [*_accepted(), *_logs(), *_files()]


def _accepted() -> Iterator[Case]:
    size = {"size": str(len(EVENTS))}
    yield _case("young-log", pack(), answer=size)
    yield _case("continues-an-older-checkpoint", pack(), older(4), answer=size)


def _renumbered(listed: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**one, "seq": seq} for seq, one in enumerate(listed)]


def _logs() -> Iterator[Case]:
    honest = entries()
    edited = [{**one, "outcome": "refused"} if one["seq"] == 3 else one for one in honest]
    root = "The root that was signed stands for every byte of every entry."
    yield _bad("entry-edited", "tree", "The outcome of entry 3 was changed; the checkpoint is the "
               "one that was signed before.", root, pack(edited, signed=honest))  # fmt: skip
    swapped = [*honest[:3], honest[5], honest[4], honest[3], honest[6]]
    yield _bad("entries-swapped", "tree", "Two entries have changed places.", root,
               pack(swapped, signed=honest))  # fmt: skip
    yield _bad("end-cut-off", "tree", "The last two entries are missing.", root,
               pack(honest[:5], signed=honest))  # fmt: skip
    yield _bad("resigned-with-another-key", "checkpoint",
               "The outcome of entry 3 was changed and everything signed again with another key.",
               "Only the key that the auditor has from elsewhere says whose log it is.",
               pack(edited, secret=WITNESS))  # fmt: skip
    number = "An event that was taken out leaves a gap in the numbers of its subject, even where " \
        "the log was signed again."  # fmt: skip
    without = _renumbered([*honest[:4], *honest[5:]])
    kept = {4: 5, 5: 6}

    def shifted(files: Files) -> None:
        told = [_details(seq) for seq in range(4)]
        told += [{**_details(kept[seq]), "seq": seq} for seq in kept]
        files["disclosed.jsonl"] = _lines(told)

    yield _bad("event-left-out-and-signed-again", "numbering",
               "The second rehearsal of a model was left out; places were counted again and the "
               "checkpoint signed again.", number, pack(without, change=shifted))  # fmt: skip
    misplaced = [{**one, "seq": 9} if one["seq"] == 6 else one for one in honest]
    yield _bad("wrong-place", "numbering", "The last entry says that it is number 9.",
               "Places in the log are counted without a gap.", pack(misplaced))  # fmt: skip
    twice = [*honest, {**honest[6], "seq": 7}]
    yield _bad("event-twice", "numbering", "The last event stands in the log twice.",
               "Every number of a subject is given once.", pack(twice))  # fmt: skip
    history = "Who holds an older checkpoint sees whether the log continues it."
    yield _bad("history-rewritten-and-signed-again", "older",
               "Entry 3 was changed and everything signed again with the right key; an older "
               "checkpoint was kept elsewhere.", history, pack(edited), older=older(5))  # fmt: skip
    longer = [*honest, {**honest[6], "seq": 7, "subject_no": 3}]
    yield _bad("log-cut-off-and-signed-again", "older",
               "The kept checkpoint covers an entry that is not in the pack.", history, pack(),
               older=older(8, longer))  # fmt: skip


def _files() -> Iterator[Case]:
    signed = "The manifest names every file with its hash, and it is signed."

    def replace(path: str, old: bytes, new: bytes) -> Callable[[Files], None]:
        def apply(files: Files) -> None:
            assert old in files[path]
            files[path] = files[path].replace(old, new)

        return apply

    yield _bad("file-changed", "files", "A file was changed after the manifest was written.",
               signed, pack(after=replace("README.txt", b"audit", b"Audit")))  # fmt: skip
    yield _bad("file-added", "files", "A file is there that the manifest does not name.", signed,
               pack(after=lambda files: files.update({"note.txt": b"read me\n"})))  # fmt: skip
    yield _bad("file-missing", "files", "A file that the manifest names is missing.", signed,
               pack(after=lambda files: files.pop("README.txt") and None))  # fmt: skip
    yield _bad("manifest-changed", "signature",
               "A file and its hash in the manifest were changed; the signature is the old one.",
               signed, pack(after=_rewritten))  # fmt: skip
    yield _bad("last-line-cut-off", "tree", "The last entry lacks its newline.",
               "A file that ends in the middle of a line was cut off.",
               pack(change=lambda files: files.update(
                   {"entries.jsonl": files["entries.jsonl"][:-1]})))  # fmt: skip
    yield _bad("garbage-after-the-signatures", "checkpoint",
               "A line follows the signatures of the checkpoint.",
               "It was not signed and might be taken for signed.",
               pack(change=lambda files: files.update(
                   {"checkpoint.txt": files["checkpoint.txt"] + b"garbage\n"})))  # fmt: skip
    blind = {"go": "the test program looks at the log, not at the details of events."}
    yield _bad("details-changed", "details",
               "The details of an event are not those that the entry commits to.",
               "Details stand beside the log; a salted hash in the entry ties them to it.",
               pack(change=replace("disclosed.jsonl", b'"passed"', b'"failed"')),
               lenient=blind)  # fmt: skip
    yield _bad("details-left-out", "details", "The details of an event are missing.",
               "An event of a case cannot be left out by leaving out its details.",
               pack(change=lambda files: files.update({"disclosed.jsonl": _lines(
                   [_details(seq) for seq in range(len(EVENTS) - 1)])})), lenient=blind)  # fmt: skip


def _rewritten(files: Files) -> None:
    """A file and the manifest changed together, as by somebody without the key."""
    old = hashlib.sha256(files["README.txt"]).hexdigest().encode()
    files["README.txt"] += b"More.\n"
    new = hashlib.sha256(files["README.txt"]).hexdigest().encode()
    files["manifest.json"] = files["manifest.json"].replace(old, new)
