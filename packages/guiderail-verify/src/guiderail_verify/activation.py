"""Putting a policy pack into force: a signed statement that names the pack by its digests.

A pack without such a statement is a file, however official it looks: nothing decides with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from guiderail_verify.canonical import parse_object
from guiderail_verify.dsse import open_envelope
from guiderail_verify.errors import VerifyError

POLICY_ACTIVATION = "urn:guiderail:policy-activation:v1"
_CODE = "activation/unreadable"


@dataclass(frozen=True, slots=True)
class Activation:
    """One pack in force for one kind of workload, from a moment on until the next one begins.

    digest: of the rules; texts_digest: of the wording; compiled: of the stored compiled file.
    replaces: digest of the pack in force before. change: id of the policy change that was approved.
    Both are empty where a workspace began with this pack.
    """

    kind: str
    pack: str
    version: str
    digest: str
    texts_digest: str
    compiled: str
    effective_at: datetime
    replaces: str = ""
    change: str = ""


def open_activation(envelope: bytes, keys: Mapping[str, bytes]) -> Activation:
    """What one of `keys` signed (key id -> public key, see `signature`).

    Raises VerifyError where none of them did, or where they signed something else.
    """
    content = parse_object(open_envelope(envelope, keys).payload)
    match content:
        case {
            "subject": [{"name": str(pack), "digest": {"sha256": str(digest)}}],
            "predicateType": str(predicate_type),
            "predicate": dict(told),
        } if predicate_type == POLICY_ACTIVATION:
            return _activation(pack, f"sha256:{digest}", told)
    raise VerifyError(_CODE, "The signed statement puts no policy into force.")


def _activation(pack: str, digest: str, told: Mapping[str, object]) -> Activation:
    said: dict[str, str] = {}
    names = ("kind", "version", "texts_digest", "compiled", "effective_at", "replaces", "change")
    for name in names:
        text = told.get(name)
        if not isinstance(text, str):
            raise VerifyError(_CODE, f"The signed statement lacks {name}.")
        said[name] = text
    try:
        moment = datetime.fromisoformat(said["effective_at"])
    except ValueError as error:
        raise VerifyError(_CODE, "The signed statement names no moment.") from error
    if moment.tzinfo is None:
        raise VerifyError(_CODE, "The signed statement names a time without a zone.")
    return Activation(
        kind=said["kind"],
        pack=pack,
        version=said["version"],
        digest=digest,
        texts_digest=said["texts_digest"],
        compiled=said["compiled"],
        effective_at=moment.astimezone(UTC),
        replaces=said["replaces"],
        change=said["change"],
    )
