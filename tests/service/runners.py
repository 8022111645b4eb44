"""Runners and other signers for the tests, each with a real key."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guiderail.attest.public_key import public_key
from guiderail.attest.runner_key import sign
from guiderail.core.digest import canonical_json
from guiderail.core.time import system_clock
from guiderail.manifest.load import load_release
from guiderail.service.check import check
from guiderail.service.facts_statement import FACTS
from guiderail.service.runner import write_statement
from guiderail.service.signers import Signer, Trust, add_key
from tests.service.depot import Depot

ADMINISTRATOR = "adam"


@dataclass(frozen=True, slots=True)
class Runner:
    """A key pair, and the file of the private half."""

    private: Ed25519PrivateKey
    path: Path

    @property
    def pem(self) -> bytes:
        return public_key(self.private.public_key()).pem.encode()

    def sign(self, statement: dict[str, Any]) -> bytes:
        return sign(canonical_json(statement), self.private)


def new_runner(folder: Path, name: str = "runner") -> Runner:
    private = Ed25519PrivateKey.generate()
    path = folder / f"{name}.pem"
    path.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return Runner(private, path)


def register(
    depot: Depot, runner: Runner, name: str, trust: Trust = "runner", **more: Any
) -> Signer:
    return add_key(depot.acting(ADMINISTRATOR), name, runner.pem, trust, **more)


def measure(
    depot: Depot, directory: Path, runner: Runner | None, to: Path, *, fresh: bool = False
) -> Path:
    """What a runner does: measure with the baselines of the workspace, write and sign it.

    fresh: without the cache, as runners do; tests that are about something else save the time.
    """
    checked = check(directory, depot.acting(), clock=depot.clock, fresh=fresh)
    key = runner.path if runner is not None else None
    write_statement(checked, to, key, {})
    return to


def stated(directory: Path, facts: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A statement of facts written by hand, as a system of record would."""
    digest = load_release(directory).digest
    predicate = {
        "measuredAt": system_clock().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "comparedWith": {},
        "facts": facts,
        **changes,
    }
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "x", "digest": {"sha256": digest[7:]}}],
        "predicateType": FACTS,
        "predicate": predicate,
    }


def payload_of(envelope: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(json.loads(envelope)["payload"]))
    return found
