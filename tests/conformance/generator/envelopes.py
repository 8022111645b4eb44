"""Cases of signed envelopes: DSSE v1, github.com/secure-systems-lab/dsse."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from tests.conformance.generator.case import Case
from tests.conformance.generator.signing import (
    IN_TOTO,
    PERMITS,
    WITNESS,
    base64_text,
    canonical,
    envelope,
    envelope_key_id,
    public,
    signature_entry,
)

PAYLOAD = canonical({"_type": "https://in-toto.io/Statement/v1", "subject": []})
KEY_ID = envelope_key_id(PERMITS)
KEYS = {KEY_ID: base64_text(public(PERMITS))}
GOOD = envelope(PAYLOAD)
SIGNED = signature_entry(PAYLOAD)


def cases() -> list[Case]:
    return [*_accepted(), *_signatures(), *_forms()]


def _case(name: str, data: bytes, keys: Mapping[str, str] = KEYS, **more: object) -> Case:
    question = {"payload_type": IN_TOTO, "keys": dict(keys)}
    return Case("dsse", name, {"envelope.json": data}, question, **more)  # type: ignore[arg-type]


def _good(name: str, content: object, payload: bytes = PAYLOAD) -> Case:
    answer = {"payload": base64_text(payload), "key_id": KEY_ID}
    data = content if isinstance(content, bytes) else canonical(content)
    return _case(name, data, answer=answer)


def _bad(
    name: str, content: object, code: str, wrong: str, why: str,
    lenient: Mapping[str, str] | None = None,
) -> Case:  # fmt: skip
    data = content if isinstance(content, bytes) else canonical(content)
    return _case(name, data, code=code, wrong=wrong, why=why, lenient=lenient or {})


def _with(*signatures: object) -> dict[str, object]:
    return {**GOOD, "signatures": list(signatures)}


def _accepted() -> Iterator[Case]:
    yield _good("one-signature", GOOD)
    yield _good("empty-payload", envelope(b""), b"")
    yield _good("payload-that-is-no-json", envelope(b"\0\xff\n"), b"\0\xff\n")
    yield _good("white-space-around-the-json", json.dumps(GOOD, indent=3).encode() + b"\n")
    stranger = signature_entry(PAYLOAD, WITNESS)
    yield _good("unknown-signature-beside-a-known-one", _with(stranger, SIGNED))


def _signatures() -> Iterator[Case]:
    content = "The signature covers type and payload, byte for byte."
    changed = {**GOOD, "payload": base64_text(PAYLOAD + b" ")}
    yield _bad("payload-changed", changed, "dsse/bad-signature",
               "A space was added to the payload after signing.", content)  # fmt: skip
    raw = {"keyid": KEY_ID, "sig": base64_text(PERMITS.sign(PAYLOAD))}
    yield _bad("signed-without-the-encoding", _with(raw), "dsse/bad-signature",
               "The bare payload was signed and not its pre-authentication encoding.",
               "The encoding ties the payload to its type; without it, bytes that were signed as "
               "one thing could be shown as another.")  # fmt: skip
    other = signature_entry(PAYLOAD, kind="text/plain")
    yield _bad("signed-under-another-type", _with(other), "dsse/bad-signature",
               "The signature was made for the type text/plain.", content)  # fmt: skip
    yield _bad("another-type", envelope(PAYLOAD, kind="text/plain"), "dsse/other-type",
               "The envelope holds text/plain, and an in-toto statement is asked for.",
               "A signature says that the signer meant these bytes as this type.")  # fmt: skip
    yield _bad("type-in-capitals", {**GOOD, "payloadType": IN_TOTO.upper()}, "dsse/other-type",
               "The type is written in capitals.", "The type is signed byte for byte.")  # fmt: skip
    yield _bad("unknown-key", envelope(PAYLOAD, WITNESS), "dsse/unknown-key",
               "Only a stranger signed.", "Anybody can sign with a key of their own.")  # fmt: skip
    posed = {**signature_entry(PAYLOAD, WITNESS), "keyid": KEY_ID}
    yield _bad("stranger-under-a-known-id", _with(posed), "dsse/bad-signature",
               "A stranger signed and named the known key.", "The id is no secret.")  # fmt: skip
    yield _bad("no-key-id", _with({"keyid": "", "sig": SIGNED["sig"]}), "dsse/unknown-key",
               "The id of the key is empty.",
               "Guiderail always names the key; trying every key would hide which one was "
               "meant.")  # fmt: skip
    yield _bad("good-and-wrong-signature-of-one-key", _with(SIGNED, {**SIGNED, "sig":
               base64_text(bytes(64))}), "dsse/bad-signature",
               "Two signatures name the known key, and the second one is wrong.",
               "A wrong signature under a known id means that somebody changed the envelope.")  # fmt: skip
    yield _bad("short-signature", _with({**SIGNED, "sig": base64_text(bytes(63))}),
               "dsse/bad-signature", "The signature has 63 bytes.",
               "An Ed25519 signature has 64 bytes.")  # fmt: skip
    yield _bad("no-signatures", _with(), "dsse/unknown-key", "The list of signatures is empty.",
               "What nobody signed proves nothing.")  # fmt: skip
    yield _bad("seventeen-signatures", _with(*[SIGNED] * 17), "dsse/too-many",
               "There are 17 signatures.", "A limit keeps a verifier from working forever.",
               {"go": "the standard library sets no limit; the test program sets none either."})  # fmt: skip


def _forms() -> Iterator[Case]:
    why = "An envelope is a JSON object with payload, payloadType and signatures, and the payload " \
        "is base64 in its one spelling."  # fmt: skip
    text = canonical(GOOD)
    odd = PAYLOAD + b" " * ((1 - len(PAYLOAD)) % 3)  # one byte more than a multiple of three
    encoded = base64_text(odd)
    for name, data, wrong in (
        ("truncated", text[:-20], "The file ends in the middle."),
        ("empty-file", b"", "The file is empty."),
        ("not-json", b"DSSE", "The file is not JSON."),
        ("list", b"[" + text + b"]", "The JSON is a list."),
        ("two-objects", text + text, "Two envelopes follow each other."),
        ("garbage-after-the-json", text + b"x", "A letter follows the JSON."),
        (
            "payload-missing",
            canonical({k: v for k, v in GOOD.items() if k != "payload"}),
            "The payload is missing.",
        ),
        ("payload-is-a-number", canonical({**GOOD, "payload": 1}), "The payload is a number."),
        (
            "signatures-is-an-object",
            canonical({**GOOD, "signatures": SIGNED}),
            "The signatures are an object and not a list.",
        ),
        ("signature-is-a-text", canonical(_with("sig")), "A signature is a text."),
        ("signature-without-sig", canonical(_with({"keyid": KEY_ID})), "A signature lacks `sig`."),
        ("sig-is-not-base64", canonical(_with({**SIGNED, "sig": "***"})), "`sig` is not base64."),
        (
            "payload-is-not-base64",
            canonical({**GOOD, "payload": "***"}),
            "The payload is not base64.",
        ),
        ("byte-order-mark", "\ufeff".encode() + text, "The file begins with U+FEFF."),
        ("utf-16", text.decode().encode("utf-16"), "The file is UTF-16."),
    ):
        yield _bad(name, data, "dsse/bad-envelope", wrong, why)
    padded = envelope(odd)
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    place = len(encoded.rstrip("=")) - 1
    stray = encoded[:place] + letters[letters.index(encoded[place]) + 1] + encoded[place + 1 :]
    yield _bad("payload-base64-with-stray-bits", {**padded, "payload": stray}, "dsse/bad-envelope",
               "The last letter of the base64 holds bits that belong to no byte.", why)  # fmt: skip
    twice = text[:-1] + b',"payload":' + canonical(base64_text(b"other")) + b"}"
    yield _bad("payload-twice", twice, "dsse/bad-signature", "The object names `payload` twice.",
               "Readers differ in which of the two they take.")  # fmt: skip
