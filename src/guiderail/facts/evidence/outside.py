"""Evidence from outside: what a file is, what it says, and what it says it is about.

Nothing here believes a signature: `attest.outside_envelope` says whose it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from guiderail.attest.in_toto import Named, Statement, read_statement, sha256_of
from guiderail.attest.outside_envelope import Envelope, read_envelope
from guiderail.attest.strict_json import read_json
from guiderail.core.errors import InputError, Place
from guiderail.facts.evidence.sarif_rules import as_list, as_mapping
from guiderail.facts.evidence.sbom import CYCLONEDX, is_bom, read_bom
from guiderail.facts.evidence.security import read_sarif
from guiderail.facts.evidence.tests import read_junit

LARGEST = 64 * 1024 * 1024
LARGEST_STATEMENT = 8 * 1024 * 1024
SARIF = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"
JUNIT = "urn:guiderail:junit-report:v1"
SLSA = "https://slsa.dev/provenance/v1"
MODEL_SIGNATURE = "https://model_signing/signature/v1.0"
"""OpenSSF model signing (github.com/sigstore/model-transparency)."""

Kind = Literal["sarif", "junit", "sbom", "provenance", "model-signature", "statement"]


@dataclass(frozen=True, slots=True)
class Outside:
    """One piece of evidence.

    about: what it is about by its own words; empty where the form has no place for that, as with
        JUnit. any_of: one of these in the release is enough; otherwise what is `about` it decides.
    says: one clause for people. statement and envelope: of signed ones.
    """

    kind: Kind
    predicate_type: str
    about: tuple[Named, ...]
    any_of: tuple[Named, ...]
    says: str
    statement: Statement | None = None
    envelope: Envelope | None = None


def recognise(content: bytes, name: str) -> Outside:
    """What the file is. Raises InputError, with the file as the place, for anything unreadable."""
    try:
        if len(content) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST // 1024 // 1024} MiB")
        if content.lstrip()[:1] == b"<":
            return _junit(content)
        value = read_json(_one_line(content))
        if not isinstance(value, Mapping):
            raise ValueError("it is no JSON object")
        return _json(value, content)
    except ValueError as error:
        raise InputError(
            f"{name} cannot be used as evidence: {error}",
            code="evidence/unreadable",
            advice="Give SARIF 2.1.0, JUnit XML, CycloneDX or SPDX as JSON, an in-toto statement "
            "in a DSSE envelope, or a Sigstore bundle with one.",
            place=Place(name),
        ) from error


def _one_line(content: bytes) -> bytes:
    """One JSON document. Files of several lines with one each (`.jsonl`) have to be split."""
    if content.startswith(b"\xef\xbb\xbf"):
        raise ValueError("it begins with a byte order mark")
    return content


def _junit(content: bytes) -> Outside:
    run = read_junit(content)
    says = f"{run.ran} tests ran, {len(run.failed)} failed, {run.skipped} were skipped"
    return Outside("junit", JUNIT, (), (), says)


def _json(value: Mapping[str, Any], content: bytes) -> Outside:
    envelope = read_envelope(value)
    if envelope is not None:
        if len(content) > LARGEST_STATEMENT:
            raise ValueError(f"its envelope is larger than {LARGEST_STATEMENT // 1024 // 1024} MiB")
        return _statement(read_json(envelope.payload), envelope)
    if "_type" in value and "predicateType" in value:
        return _statement(value, None)
    if is_bom(value):
        return _bom(value)
    if value.get("version") == "2.1.0" and "runs" in value:
        scan = read_sarif(content)
        told = f"{', '.join(scan.tools)}: {len(scan.findings)} critical or high findings"
        return Outside("sarif", SARIF, (), tuple(_scanned(value)), told)
    raise ValueError("nobody here knows this form of JSON")


def _bom(value: Mapping[str, Any]) -> Outside:
    bom = read_bom(value)
    form = "CycloneDX" if bom.form == CYCLONEDX else "SPDX"
    return Outside("sbom", bom.form, bom.about, bom.parts, f"{form}: {bom.components} components")


def _scanned(value: Mapping[str, Any]) -> list[Named]:
    """Files that a scan names by their SHA-256 (SARIF 3.24.11)."""
    found = []
    for run in map(as_mapping, as_list(value.get("runs"))):
        for artefact in map(as_mapping, as_list(run.get("artifacts"))):
            digest = sha256_of(as_mapping(artefact.get("hashes")).get("sha-256"))
            if digest is not None:
                uri = as_mapping(artefact.get("location")).get("uri")
                found.append(Named(str(uri or ""), digest))
    return found


def _statement(value: Any, envelope: Envelope | None) -> Outside:
    said = read_statement(value)
    subjects = said.subjects
    match said.predicate_type:
        case x if x == SLSA:
            return Outside("provenance", SLSA, subjects, (), _built(said), said, envelope)
        case x if x == MODEL_SIGNATURE:
            files = _signed_files(said)
            told = f"{len(files)} files of a model"
            return Outside("model-signature", x, files, (), told, said, envelope)
        case other:
            return Outside("statement", other, subjects, (), other, said, envelope)


def _built(said: Statement) -> str:
    """SLSA v1.0, https://slsa.dev/spec/v1.0/provenance: who built it, from what kind of build."""
    match said.predicate:
        case {
            "buildDefinition": {"buildType": str(type_)},
            "runDetails": {"builder": {"id": str(builder)}},
        } if type_ and builder:
            return f"built by {builder[:200]}"
    raise ValueError("its provenance lacks buildDefinition.buildType or runDetails.builder.id")


def _signed_files(said: Statement) -> tuple[Named, ...]:
    """The files of a model signature, whose digests must give the digest that was signed."""
    match said.predicate:
        case {"resources": list(rows), "serialization": dict()} if rows:
            files = []
            for row in map(as_mapping, rows):
                digest = sha256_of(row.get("digest"))
                if row.get("algorithm") != "sha256" or digest is None:
                    raise ValueError("a file of its model is not named by a SHA-256")
                files.append(Named(str(row.get("name")), digest))
            joined = b"".join(bytes.fromhex(one.digest[7:]) for one in files)
            root = f"sha256:{hashlib.sha256(joined).hexdigest()}"
            if [one.digest for one in said.subjects] != [root]:
                raise ValueError("the files of its model do not give the digest that was signed")
            return tuple(files)
    raise ValueError("its model signature lists no files")
