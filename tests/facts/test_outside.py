"""What a file from outside is, what it says it is about, and hostile files."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from guiderail.attest.outside_envelope import read_envelope, signer_of
from guiderail.attest.public_key import PublicKey, read_public_key
from guiderail.core.digest import file_digest, sha256_digest
from guiderail.core.errors import InputError, RefusedError
from guiderail.facts.evidence.outside import LARGEST, SLSA, Outside, recognise
from guiderail.facts.evidence.subjects import matched
from tests.facts.test_evidence import JUNIT

HERE = Path(__file__).parent / "outside"
MODEL = sha256_digest(b"model")
OTHER = sha256_digest(b"other")
SUBJECTS = {MODEL: "model.onnx", sha256_digest(b"release"): "the release"}


def read(value: Any) -> Outside:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return recognise(content, "file")


def statement(digest: str = MODEL, **changes: Any) -> dict[str, Any]:
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "model.onnx", "digest": {"sha256": digest.removeprefix("sha256:")}}],
        "predicateType": "https://example.org/reviewed/v1",
        "predicate": {},
        **changes,
    }


def envelope(value: Any, **changes: Any) -> dict[str, Any]:
    payload = base64.b64encode(json.dumps(value).encode()).decode()
    signature = {"keyid": "", "sig": base64.b64encode(b"x" * 64).decode()}
    return {
        "payload": payload,
        "payloadType": "application/vnd.in-toto+json",
        "signatures": [signature],
        **changes,
    }


PROVENANCE = {
    "buildDefinition": {"buildType": "https://actions.github.io/buildtypes/workflow/v1"},
    "runDetails": {"builder": {"id": "https://github.com/actions/runner/github-hosted"}},
}
CYCLONEDX = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "metadata": {"component": {"name": "credit", "type": "application"}},
    "components": [
        {"name": "numpy", "type": "library", "version": "2.4"},
        {"name": "model", "type": "machine-learning-model",
         "hashes": [{"alg": "SHA-256", "content": MODEL[7:]}]},
    ],
}  # fmt: skip
SPDX_2 = {
    "spdxVersion": "SPDX-2.3",
    "SPDXID": "SPDXRef-DOCUMENT",
    "documentDescribes": ["SPDXRef-model"],
    "packages": [
        {"SPDXID": "SPDXRef-model", "name": "model.onnx",
         "checksums": [{"algorithm": "SHA256", "checksumValue": MODEL[7:].upper()}]},
    ],
}  # fmt: skip
SPDX_3 = {
    "@context": "https://spdx.org/rdf/3.0.1/spdx-context.jsonld",
    "@graph": [
        {"type": "SpdxDocument", "spdxId": "d", "rootElement": ["m"]},
        {"type": "ai_AIPackage", "spdxId": "m", "name": "model.onnx",
         "verifiedUsing": [{"type": "Hash", "algorithm": "sha256", "hashValue": MODEL[7:]}]},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("value", "kind", "about"),
    [
        (statement(), "statement", [MODEL]),
        (envelope(statement()), "statement", [MODEL]),
        (envelope(statement(predicateType=SLSA, predicate=PROVENANCE)), "provenance", [MODEL]),
        (SPDX_2, "sbom", [MODEL]),
        (SPDX_3, "sbom", [MODEL]),
    ],
)
def test_documents_that_name_what_they_are_about(value: Any, kind: str, about: list[str]) -> None:
    found = read(value)
    assert found.kind == kind
    assert [one.digest for one in found.about] == about
    assert matched(found, SUBJECTS, "file") == tuple(about)


def test_a_list_of_components_is_about_the_release_that_holds_one_of_them() -> None:
    found = read(CYCLONEDX)
    assert (found.kind, found.says) == ("sbom", "CycloneDX: 2 components")
    assert matched(found, SUBJECTS, "file") == (MODEL,)
    assert matched(found, {OTHER: "x"}, "file") is None


def test_a_junit_report_cannot_say_what_it_is_about() -> None:
    found = read(JUNIT.encode())
    assert (found.kind, found.says) == ("junit", "2 tests ran, 0 failed, 1 were skipped")
    assert matched(found, SUBJECTS, "file") is None


@pytest.mark.parametrize(
    "value",
    [
        statement(OTHER),
        envelope(statement(OTHER)),
        {**CYCLONEDX, "metadata": {"component": {
            "name": "x", "hashes": [{"alg": "SHA-256", "content": OTHER[7:]}]}}},
        json.loads(json.dumps(SPDX_2).replace(MODEL[7:].upper(), OTHER[7:])),
    ],
)  # fmt: skip
def test_evidence_about_something_else_is_refused(value: Any) -> None:
    with pytest.raises(RefusedError) as caught:
        matched(read(value), SUBJECTS, "file")
    assert caught.value.code == "evidence/other-subject"
    assert OTHER[:19] in caught.value.what


def test_a_model_signature_of_openssf_verifies_with_its_key_and_names_its_files() -> None:
    content = (HERE / "model.sig").read_bytes()
    found = recognise(content, "model.sig")
    key = read_public_key((HERE / "model.pub").read_bytes(), "model.pub")
    files = {file_digest(HERE / name): name for name in ("model.onnx", "config.yaml")}

    assert found.kind == "model-signature"
    assert found.envelope is not None
    assert signer_of(found.envelope, [Registered(key)]) == Registered(key)
    assert set(matched(found, files, "model.sig") or ()) == set(files)


def test_a_model_signature_over_another_file_of_that_name_is_refused() -> None:
    found = recognise((HERE / "model.sig").read_bytes(), "model.sig")
    release = {OTHER: "model.onnx", file_digest(HERE / "config.yaml"): "config.yaml"}
    with pytest.raises(RefusedError) as caught:
        matched(found, release, "model.sig")
    assert caught.value.code == "evidence/other-subject"


def test_a_model_signature_whose_files_do_not_give_its_digest_is_refused() -> None:
    bundle = json.loads((HERE / "model.sig").read_bytes())
    said = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    said["predicate"]["resources"][0]["digest"] = OTHER[7:]
    bundle["dsseEnvelope"] |= {"payload": base64.b64encode(json.dumps(said).encode()).decode()}
    with pytest.raises(InputError, match="do not give the digest"):
        read(bundle)


class Registered:
    """Somebody with a key."""

    def __init__(self, key: PublicKey) -> None:
        self.key: PublicKey | None = key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Registered) and other.key == self.key

    __hash__ = None  # type: ignore[assignment]


def test_a_signature_that_names_a_registered_key_and_does_not_match_is_tampering() -> None:
    key = read_public_key((HERE / "model.pub").read_bytes(), "model.pub")
    forged = envelope(statement())
    unknown = read_envelope(forged)
    forged["signatures"][0]["keyid"] = key.key_id
    named = read_envelope(forged)
    assert unknown is not None
    assert named is not None
    assert signer_of(unknown, [Registered(key)]) is None
    with pytest.raises(RefusedError) as caught:
        signer_of(named, [Registered(key)])
    assert caught.value.code == "evidence/tampered"


BOMB = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<testsuites><testsuite name="&b;" tests="0"/></testsuites>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>
<testsuites><testsuite name="&a;" tests="0"/></testsuites>"""


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00\x01\x02",
        b"[]",
        b"42",
        b"{}",
        b'{"a": 1, "a": 2}',
        b'{"version": "2.1.0", "runs": NaN}',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{}",
        b"[" * 100_000,
        b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'{"a": ' + b"9" * 5000 + b"}",
        BOMB,
        OUTSIDE,
        b"<html/>",
        b"<testsuites>",
        json.dumps({**CYCLONEDX, "specVersion": "1.2"}).encode(),
        json.dumps({**CYCLONEDX, "components": []}).encode(),
        json.dumps({**SPDX_2, "spdxVersion": "SPDX-1.1"}).encode(),
        json.dumps(statement(subject=[])).encode(),
        json.dumps(statement(subject=[{"name": "x", "digest": {"sha1": "00"}}])).encode(),
        json.dumps(statement("sha256:xyz")).encode(),
        json.dumps(statement(_type="https://in-toto.io/Statement/v9")).encode(),
        json.dumps(statement(predicate=[])).encode(),
        json.dumps(statement(predicateType=SLSA)).encode(),
        json.dumps(envelope(statement(), payloadType="text/plain")).encode(),
        json.dumps(envelope(statement(), signatures=[])).encode(),
        json.dumps(envelope(statement(), signatures=[{}] * 3)).encode(),
        json.dumps(envelope(statement(), signatures=[{"sig": ""}] * 100)).encode(),
        json.dumps(envelope(statement(), payload="***")).encode(),
        json.dumps({"mediaType": "x", "verificationMaterial": {}}).encode(),
    ],
)
def test_a_hostile_or_broken_file_is_refused_with_its_name(content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        recognise(content, "reports/file")
    assert caught.value.code == "evidence/unreadable"
    assert str(caught.value.place) == "reports/file"


def test_a_file_that_is_too_large_is_not_even_read() -> None:
    with pytest.raises(InputError, match="larger than 64 MiB"):
        recognise(b" " * (LARGEST + 1), "file")
