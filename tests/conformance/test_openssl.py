"""OpenSSL on the bare signatures: the bytes that the suite says were signed are those."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.conformance.suite import StoredCase, stored_cases

DECIDED_BY_THE_SIGNATURE = ("note/bad-signature", "dsse/bad-signature")

Signed = tuple[bytes, bytes, bytes]
"""Public key, message, signature."""


@pytest.fixture(scope="module")
def openssl() -> str:
    command = shutil.which("openssl")
    if command is None:
        reason = "OPENSSL IS NOT COMPARED WITH in this run: the command openssl is not installed"
        if os.environ.get("GUIDERAIL_NO_SKIP"):
            pytest.fail(reason)
        pytest.skip(reason)
    return command


def signed_in_note(case: StoredCase, name: str) -> Iterator[Signed]:
    """Every signature of a key that the case trusts; the first of each key, as notes have it."""
    text, _, tail = case.read(name).rpartition(b"\n\n")
    keys = {}
    for key in case.question["keys"]:
        key_name, id_, encoded = key.split("+", 2)
        keys[key_name.encode(), bytes.fromhex(id_)] = base64.b64decode(encoded)[1:]
    for line in tail.decode().splitlines():
        _, key_name, encoded = line.split(" ")
        data = base64.b64decode(encoded)
        public = keys.get((key_name.encode(), data[:4]))
        if public is not None:
            yield public, text + b"\n", data[4:]


def signed_in_envelope(case: StoredCase) -> Iterator[Signed]:
    envelope = json.loads(case.read("envelope.json"))
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"].encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    for entry in envelope["signatures"]:
        if entry["keyid"] in case.question["keys"]:
            public = base64.b64decode(case.question["keys"][entry["keyid"]])
            yield public, message, base64.b64decode(entry["sig"])


def signatures(case: StoredCase) -> list[Signed]:
    if case.kind == "dsse":
        return list(signed_in_envelope(case))
    return list(signed_in_note(case, f"{case.kind}.txt"))


COMPARED = [
    case
    for case in stored_cases("note", "checkpoint", "dsse")
    if case.expected["accept"] or case.expected["guiderail"] in DECIDED_BY_THE_SIGNATURE
]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in COMPARED])
def test_openssl_says_the_same_about_the_signatures(
    case: StoredCase, openssl: str, tmp_path: Path
) -> None:
    found = signatures(case)
    assert found
    verdicts = []
    for public, message, signature in found:
        key = Ed25519PublicKey.from_public_bytes(public)
        pem = key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for name, data in (("key", pem), ("message", message), ("signature", signature)):
            (tmp_path / name).write_bytes(data)
        command = [openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin",
                   "-in", "message", "-sigfile", "signature"]  # fmt: skip
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
        verdicts.append(done.returncode == 0)
    assert all(verdicts) == case.expected["accept"]
