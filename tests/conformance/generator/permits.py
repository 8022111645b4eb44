"""Cases of permits: the signed go for one digest in one environment, and the proof of its record.

A permit is an in-toto Simple Verification Result in a DSSE envelope, with a `.tlog-proof` of the
ledger entry that names the envelope's SHA-256.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from tests.conformance.generator import reference_tree as tree
from tests.conformance.generator.case import Case
from tests.conformance.generator.proofs import proof_text
from tests.conformance.generator.signing import (
    WITNESS,
    canonical,
    checkpoint_text,
    envelope,
    sign_note,
    trusted_keys,
)

SVR = "https://in-toto.io/attestation/svr/v0.1"


def digest(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


RELEASE = digest("release")
EXTENSION: dict[str, Any] = {
    "id": "permit-1",
    "case": "case-1",
    "kind": "model",
    "environment": "production",
    "highest_share": "0.25",
    "conditions": ["watch the share of rejections"],
    "start_until": "2026-12-07T09:30:00.000000Z",
    "dossier": f"sha256:{digest('dossier')}",
}


def statement(**changes: object) -> dict[str, Any]:
    """changes: fields of `guiderail_permit`."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "credit", "digest": {"sha256": RELEASE}}],
        "predicateType": SVR,
        "predicate": {
            "verifier": {
                "id": "urn:guiderail:verifier:v1",
                "policy": {"digest": {"sha256": digest("pack")}},
            },
            "timeCreated": "2026-11-23T09:30:00.000000Z",
            "properties": ["GUIDERAIL_PERMITTED"],
            "guiderail_permit": EXTENSION | changes,
        },
    }


def entry(seq: int, named: str, **changes: object) -> dict[str, Any]:
    """A ledger entry. named: SHA-256 of the envelope that it records."""
    return {
        "v": 1,
        "seq": seq,
        "at": "2026-11-23T09:30:00.000000Z",
        "type": "permit.issued",
        "subject": {"kind": "model", "name": "credit", "digest": f"sha256:{RELEASE}"},
        "subject_no": 3,
        "actor": "p-000000000000000000000001",
        "outcome": "permitted",
        "policy": f"sha256:{digest('pack')}",
        "evidence": [{"name": "permit", "predicateType": SVR, "sha256": named}],
        "payload": {"alg": "hmac-sha256", "value": digest("payload")},
    } | changes


def _ledger(body: bytes, place: int = 4) -> tuple[list[bytes], str]:
    """Six entries with `body` among them, and the checkpoint over them."""
    bodies = [f'{{"filler":{number}}}'.encode() for number in range(6)]
    bodies[place] = body
    return bodies, sign_note(checkpoint_text(len(bodies), tree.root(bodies)))


def _proof(body: bytes, place: int = 4) -> str:
    bodies, note = _ledger(body, place)
    return proof_text(place, tree.path(place, bodies), note, body)


def _recorded(data: bytes) -> bytes:
    return canonical(entry(4, hashlib.sha256(data).hexdigest()))


ENVELOPE = canonical(envelope(canonical(statement())))
BODY = _recorded(ENVELOPE)
PROOF = _proof(BODY)


def cases() -> list[Case]:
    return [*_accepted(), *_targets(), *_contents(), *_records()]


def _case(
    name: str, data: bytes = ENVELOPE, proof: str | None = None, *,
    environment: str = "production", release: str = RELEASE,
    now: str = "2026-11-24T00:00:00.000000Z", restoring: bool = False,
    revoked: Sequence[str] = (), **more: object,
) -> Case:  # fmt: skip
    files = {
        "permit.dsse.json": data,
        "permit.tlog-proof": (_proof(_recorded(data)) if proof is None else proof).encode(),
        "public.json": canonical(trusted_keys()),
    }
    question = {
        "environment": environment,
        "digest": f"sha256:{release}",
        "now": now,
        "restoring": restoring,
        "revoked": list(revoked),
    }
    return Case("permit", name, files, question, **more)  # type: ignore[arg-type]


def _good(name: str, **more: Any) -> Case:
    return _case(name, answer={"id": "permit-1"}, **more)


def _bad(name: str, code: str, wrong: str, why: str, **more: Any) -> Case:
    return _case(name, code=f"permit/{code}", wrong=wrong, why=why, **more)


def _accepted() -> Iterator[Case]:
    yield _good("a-day-later")
    yield _good("last-microsecond", now="2026-12-07T09:30:00.000000Z")
    yield _good("clock-five-minutes-behind", now="2026-11-23T09:25:00.000000Z")
    yield _good("restored-a-year-later", now="2027-11-23T00:00:00.000000Z", restoring=True)
    yield _good("another-permit-revoked", revoked=["permit-2"])
    yield _good("without-conditions", data=_signed(conditions=[]))


def _signed(**changes: object) -> bytes:
    return canonical(envelope(canonical(statement(**changes))))


def _targets() -> Iterator[Case]:
    only = "A permit is for one digest in one environment."
    yield _bad("another-digest", "other-digest", "The target wants to start another release.", only,
               release=digest("another release"))  # fmt: skip
    yield _bad("another-environment", "other-environment",
               "The target is the environment staging.", only, environment="staging")  # fmt: skip
    yield _bad("environment-in-capitals", "other-environment", "The target is Production.",
               "Names are compared byte for byte.", environment="Production")  # fmt: skip
    time = "A rollout may start until the time that the permit names, by the target's clock."
    yield _bad("expired-by-a-microsecond", "expired", "The time to start ended a microsecond ago.",
               time, now="2026-12-07T09:30:00.000001Z")  # fmt: skip
    yield _bad("issued-in-the-future", "not-yet",
               "The permit was issued five minutes and a microsecond after the target's time.",
               "Either a clock is wrong or the permit is made up; five minutes are forgiven.",
               now="2026-11-23T09:24:59.999999Z")  # fmt: skip
    yield _bad("revoked", "revoked", "The permit was taken back.",
               "What was taken back stays taken back.", revoked=["permit-1"])  # fmt: skip
    yield _bad("revoked-and-restoring", "revoked",
               "The permit was taken back and its digest is to come back.",
               "Going back forgives the end of the time to start and nothing else.",
               revoked=["permit-1"], restoring=True)  # fmt: skip
    yield _bad("restoring-another-digest", "other-digest", "Another digest is to come back.", only,
               release=digest("another release"), restoring=True)  # fmt: skip


def _contents() -> Iterator[Case]:
    why = "A target must understand everything in a permit: a field that it does not know could " \
        "limit what is permitted."  # fmt: skip
    for name, changes, wrong in (
        ("unknown-field", {"only_on": "sundays"}, "The permit has a field that nobody knows."),
        ("share-zero", {"highest_share": "0"}, "The highest share of traffic is 0."),
        ("share-above-one", {"highest_share": "1.1"}, "The highest share of traffic is 1.1."),
        ("share-not-a-number", {"highest_share": "NaN"}, "The highest share is NaN."),
        ("share-with-an-exponent", {"highest_share": "1e-1"}, "The share is written 1e-1."),
        ("share-with-an-underscore", {"highest_share": "0.2_5"}, "The share is written 0.2_5."),
        ("share-in-arabic-digits", {"highest_share": "\u0661"}, "The share is U+0661."),
        ("share-after-a-space", {"highest_share": " 1"}, "A space stands before the share."),
        ("time-in-arabic-digits", {"start_until": "202\u0666-12-07T09:30:00.000000Z"},
         "The year ends in U+0666, the Arabic digit six."),
        ("share-as-a-number", {"highest_share": 1}, "The share is a number and not a text."),
        ("time-without-microseconds", {"start_until": "2026-12-07T09:30:00Z"},
         "The time is not written with microseconds."),
        ("time-with-another-zone", {"start_until": "2026-12-07T09:30:00.000000+01:00"},
         "The time is not written in UTC."),
        ("time-that-does-not-exist", {"start_until": "2026-13-07T09:30:00.000000Z"},
         "There is no thirteenth month."),
        ("condition-that-is-no-text", {"conditions": [1]}, "A condition is a number."),
        ("dossier-cut-off", {"dossier": "sha256:00"}, "The digest of the dossier is cut off."),
    ):  # fmt: skip
        yield _bad(name, "bad-content", wrong, why, data=_signed(**changes))
    missing = statement()
    del missing["predicate"]["guiderail_permit"]["environment"]
    refused = statement()
    refused["predicate"]["properties"] = ["GUIDERAIL_REFUSED"]
    other = statement()
    other["predicateType"] = "https://slsa.dev/verification_summary/v1"
    two = statement()
    two["subject"].append({"name": "fraud", "digest": {"sha256": digest("another release")}})
    capitals = statement()
    capitals["subject"][0]["digest"]["sha256"] = RELEASE.upper()
    for name, content, wrong in (
        ("environment-missing", missing, "The permit names no environment."),
        ("result-without-the-go", refused, "The result is not GUIDERAIL_PERMITTED."),
        ("another-statement", other, "The statement is of another type."),
        ("two-subjects", two, "The statement is about two releases."),
        ("digest-in-capitals", capitals, "The digest is written in capitals."),
    ):
        yield _bad(name, "bad-content", wrong, why, data=canonical(envelope(canonical(content))))
    yield _case("payload-not-canonical", canonical(envelope(canonical(statement()) + b" ")),
                code="canonical/not-canonical", wrong="A space follows the statement.",
                why="Signed JSON has one form: two readers must not read two things.",
                lenient={"go": "encoding/json takes any form of JSON."})  # fmt: skip
    yield _bad("signed-by-a-stranger", "unknown-key", "A stranger signed the permit.",
               "Anybody can sign with a key of their own.",
               data=canonical(envelope(canonical(statement()), WITNESS)))  # fmt: skip
    broken = envelope(canonical(statement(highest_share="1")))
    broken["signatures"] = envelope(canonical(statement()))["signatures"]
    yield _bad("share-raised-after-signing", "bad-signature",
               "The highest share was raised from 0.25 to 1 after signing.",
               "The signature covers every byte.", data=canonical(broken))  # fmt: skip
    yield _bad("truncated-envelope", "bad-envelope", "The envelope ends in the middle.",
               "Half a permit is none.", data=ENVELOPE[:100])  # fmt: skip


def _records() -> Iterator[Case]:
    both = "A permit counts only once the ledger has recorded it: a stolen key alone must leave a " \
        "trace."  # fmt: skip
    bodies, note = _ledger(BODY)
    path = tree.path(4, bodies)
    yield _bad("proof-without-the-entry", "bad-proof", "The proof does not carry the entry.",
               "Without its bytes nobody knows what is in the log.",
               proof=proof_text(4, path, note))  # fmt: skip
    yield _bad("proof-of-another-index", "bad-proof", "The proof names another place.", both,
               proof=proof_text(3, path, note, BODY))  # fmt: skip
    yield _bad("proof-signed-by-a-stranger", "unknown-key",
               "A stranger signed the checkpoint of the proof.", both,
               proof=proof_text(4, path, sign_note(checkpoint_text(6, tree.root(bodies)),
                                                   secret=WITNESS), BODY))  # fmt: skip
    yield _bad("empty-proof", "bad-proof", "The file of the proof is empty.", both, proof="")
    yield _bad("garbage-after-the-proof", "bad-proof", "A line follows the proof.",
               "It was not signed and might be taken for signed.", proof=PROOF + "x\n")  # fmt: skip
    named = hashlib.sha256(ENVELOPE).hexdigest()
    about = "The entry that is proved must record this very permit."
    for name, body, wrong in (
        ("entry-of-another-permit", entry(4, digest("another envelope")),
         "The entry records another envelope."),
        ("entry-of-another-type", entry(4, named, type="permit.revoked"),
         "The entry says that the permit was taken back."),
        ("entry-of-another-workload",
         entry(4, named, subject={"kind": "model", "name": "fraud", "digest": f"sha256:{RELEASE}"}),
         "The entry is about another workload."),
        ("entry-of-another-release",
         entry(4, named, subject={"kind": "model", "name": "credit",
                                  "digest": f"sha256:{digest('another release')}"}),
         "The entry is about another release."),
        ("entry-without-evidence", entry(4, named, evidence=[]), "The entry names no envelope."),
    ):  # fmt: skip
        yield _bad(name, "not-in-log", wrong, about, proof=_proof(canonical(body)))
    yield _bad("entry-that-is-no-json", "bad-proof", "The entry is not JSON.", about,
               proof=_proof(b"entry"))  # fmt: skip
