"""The public keys of a log, as a target pins them: which sign now, and which ones ended.

A key that ended goes on to count for what the log held before its end, and for nothing later:

- a permit key counts for a permit whose entry in the log has a number below `until`;
- a checkpoint key counts for a checkpoint over at most `until` entries.

`until` is the size of the log when the key was retired. For a compromised permit key it is the
number of the first entry from the moment since which it may have been in other hands; for a
compromised checkpoint key it is 0, because whoever holds it can sign a log of any size.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from guiderail_verify.canonical import canonical_json, decode_base64, encode_base64, parse_object
from guiderail_verify.errors import VerifyError
from guiderail_verify.note import NoteKey, is_key_name
from guiderail_verify.signature import check_public

Role = Literal["checkpoint", "permit"]
Why = Literal["retired", "compromised"]
_BAD = "keys/bad-file"


@dataclass(frozen=True, slots=True)
class EndedKey:
    """A key that signs no more.

    id: of a permit key its id, of a checkpoint key its verifier key as text. public: its bytes.
    until: entries of the log for which it counts. ended_at: entries that the log had at its end.
    """

    role: Role
    id: str
    public: bytes
    until: int
    ended_at: int
    why: Why

    def to_json(self) -> dict[str, object]:
        return {
            "role": self.role,
            "id": self.id,
            "public": encode_base64(self.public),
            "until": self.until,
            "ended_at": self.ended_at,
            "why": self.why,
        }

    @classmethod
    def from_json(cls, value: object) -> EndedKey:
        """Raises VerifyError `keys/bad-file`, `keys/bad-key` or `note/bad-key`."""
        match value:
            case {
                "role": "checkpoint" | "permit" as role,
                "id": str(id_),
                "public": str(public),
                "until": int(until),
                "ended_at": int(ended_at),
                "why": "retired" | "compromised" as why,
                **more,
            } if not more and 0 <= until <= ended_at:
                raw = check_public(decode_base64(public, _BAD))
                if role == "permit" or NoteKey.from_text(id_).public == raw:
                    return cls(role, id_, raw, until, ended_at, why)
        raise VerifyError(_BAD, "A key that ended cannot be read.")


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """What a target pins, normally the content of `keys/public.json`.

    origin: the name of the log. checkpoint: keys that sign for it now, the newest first. permit:
    those that sign permits now, id -> 32 bytes (Ed25519) or 65 bytes (P-256). version: counts the
    changes of the keys from 1; `key_chain` proves each one. ended: earlier keys.
    """

    origin: str
    checkpoint: tuple[NoteKey, ...]
    permit: Mapping[str, bytes]
    version: int = 1
    ended: tuple[EndedKey, ...] = ()

    @property
    def note_keys(self) -> tuple[NoteKey, ...]:
        """Every key that a checkpoint may be signed with, the ended ones with their limit."""
        ended = (key for key in self.ended if key.role == "checkpoint")
        return (*self.checkpoint, *(NoteKey.from_text(key.id, until=key.until) for key in ended))

    @property
    def as_recorded(self) -> TrustedKeys:
        """The same keys, compromised ones as if they had been retired.

        For what the log itself holds from before their end and only compares: nothing is permitted
        by it.
        """
        return replace(self, ended=tuple(replace(key, until=key.ended_at) for key in self.ended))

    @property
    def every_permit_key(self) -> dict[str, bytes]:
        """Keys that sign permits now or did; `counts` says for which entries."""
        ended = {key.id: key.public for key in self.ended if key.role == "permit"}
        return {**ended, **self.permit}

    @property
    def signing(self) -> dict[str, bytes]:
        """All keys that sign now under the ids that they have in the chain."""
        return {**{key.to_text(): key.public for key in self.checkpoint}, **self.permit}

    def counts(self, permit_key: str, index: int) -> bool:
        """Whether a permit key counts for what is entry `index` of the log."""
        ended = (one.until for one in self.ended if (one.role, one.id) == ("permit", permit_key))
        return permit_key in self.permit or index < max(ended, default=0)

    def permit_at(self, index: int) -> dict[str, bytes]:
        """The permit keys that count for a statement that is evidence of entry `index`."""
        return {id_: key for id_, key in self.every_permit_key.items() if self.counts(id_, index)}

    def without(self, ended: Iterable[EndedKey]) -> TrustedKeys:
        """The same keys where some of them have ended, as somebody with a key of them says.

        What says so can only take away: an end that is known already stays or comes earlier.
        """
        found = {(key.role, key.id): key for key in self.ended}
        for key in ended:
            known = found.get((key.role, key.id))
            if known is None or key.until < known.until:
                found[key.role, key.id] = key
        left = [key for key in self.checkpoint if ("checkpoint", key.to_text()) not in found]
        return replace(
            self,
            checkpoint=tuple(left),
            permit={id_: key for id_, key in self.permit.items() if ("permit", id_) not in found},
            ended=tuple(found.values()),
        )

    def to_json(self) -> bytes:
        content: dict[str, object] = {
            "v": 1,
            "origin": self.origin,
            "checkpoint": [key.to_text() for key in self.checkpoint],
            "permit": {key: encode_base64(data) for key, data in self.permit.items()},
        }
        if self.version > 1:
            content["version"] = self.version
        if self.ended:
            content["ended"] = [key.to_json() for key in self.ended]
        return canonical_json(content)

    @classmethod
    def from_json(cls, data: bytes) -> TrustedKeys:
        """Raises VerifyError `keys/bad-file`, `keys/bad-key` or `note/bad-key`."""
        match parse_object(data):
            case {
                "v": 1,
                "origin": str(origin),
                "checkpoint": list(checkpoint),
                "permit": dict(permit),
                **more,
            } if is_key_name(origin) and not more.keys() - {"version", "ended"}:
                version, ended = more.get("version", 1), more.get("ended", [])
                if isinstance(version, int) and version >= 1 and isinstance(ended, list):
                    return cls(
                        origin,
                        tuple(NoteKey.from_text(_text(item)) for item in checkpoint),
                        {_text(id_): _public(value) for id_, value in permit.items()},
                        version,
                        tuple(EndedKey.from_json(item) for item in ended),
                    )
        raise VerifyError(_BAD, "The file of trusted keys cannot be read.")


def _public(value: object) -> bytes:
    return check_public(decode_base64(_text(value), _BAD))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise VerifyError(_BAD, "The file of trusted keys holds something that is not text.")
    return value
