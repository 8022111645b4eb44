"""What `guiderail_verify` says about a case of the suite."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from guiderail_verify.audit import verify_pack
from guiderail_verify.canonical import decode_base64, encode_base64
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, open_checkpoint, open_note
from guiderail_verify.permit import TrustedKeys, verify_permit
from guiderail_verify.proof import parse_proof, verify_proof
from guiderail_verify.tree import verify_consistency, verify_inclusion
from tests.conformance.suite import StoredCase

Answer = Mapping[str, object]


def ask(case: StoredCase) -> Answer:
    """The answer of an accepted case. Raises VerifyError with the reason of a refusal."""
    return _ASK[case.kind](case, case.question)


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise VerifyError("not-text", "The file is not UTF-8 text.") from error


def _keys(question: Mapping[str, Any]) -> list[NoteKey]:
    return [NoteKey.from_text(text) for text in question["keys"]]


def _key(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    key = NoteKey.from_text(_text(case.read("key.txt")))
    return {"name": key.name, "public": key.public.hex()}


def _note(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    return {"text": open_note(_text(case.read("note.txt")), _keys(question))}


def _checkpoint(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    note = _text(case.read("checkpoint.txt"))
    found = open_checkpoint(note, _keys(question), question["origin"])
    return {"size": str(found.size), "root": encode_base64(found.root)}


def _hashes(question: Mapping[str, Any]) -> list[bytes]:
    return [bytes.fromhex(text) for text in question["proof"]]


def _inclusion(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    verify_inclusion(
        bytes.fromhex(question["leaf_hash"]),
        int(question["index"]),
        int(question["size"]),
        _hashes(question),
        bytes.fromhex(question["root"]),
    )
    return {}


def _consistency(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    verify_consistency(
        int(question["old_size"]),
        int(question["new_size"]),
        _hashes(question),
        bytes.fromhex(question["old_root"]),
        bytes.fromhex(question["new_root"]),
    )
    return {}


def _proof(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    proof = parse_proof(_text(case.read("proof.tlog-proof")))
    found = verify_proof(proof, case.read("entry.json"), _keys(question), question["origin"])
    return {"index": str(proof.index), "size": str(found.size)}


def _envelope(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    keys = {key_id: decode_base64(text, "key") for key_id, text in question["keys"].items()}
    opened = open_envelope(case.read("envelope.json"), keys, question["payload_type"])
    return {"payload": encode_base64(opened.payload), "key_id": opened.key_id}


def _permit(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    permit = verify_permit(
        case.read("permit.dsse.json"),
        _text(case.read("permit.tlog-proof")),
        TrustedKeys.from_json(case.read("public.json")),
        environment=question["environment"],
        digest=question["digest"],
        now=datetime.fromisoformat(question["now"]),
        restoring=question["restoring"],
        revoked=frozenset(question["revoked"]),
    )
    return {"id": permit.id}


def _pack(case: StoredCase, question: Mapping[str, Any]) -> Answer:
    older = case.folder / "older-checkpoint.txt"
    audit = verify_pack(
        case.folder / "pack",
        key=NoteKey.from_text(question["key"]),
        older=older.read_text(encoding="utf-8") if older.exists() else None,
    )
    failed = [check for check in audit.checks if not check.ok]
    if failed or audit.checkpoint is None:
        raise VerifyError(" ".join(check.id for check in failed), str(failed))
    return {"size": str(audit.checkpoint.size)}


_ASK: dict[str, Callable[[StoredCase, Mapping[str, Any]], Answer]] = {
    "verifier-key": _key,
    "note": _note,
    "checkpoint": _checkpoint,
    "inclusion": _inclusion,
    "consistency": _consistency,
    "tlog-proof": _proof,
    "dsse": _envelope,
    "permit": _permit,
    "audit-pack": _pack,
}
KINDS = tuple(_ASK)
