"""Lists of components (SBOMs): CycloneDX 1.4 and later, SPDX 2.2, 2.3 and 3.0, each as JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from guiderail.attest.in_toto import Named, sha256_of
from guiderail.facts.evidence.sarif_rules import as_list, as_mapping

CYCLONEDX = "https://cyclonedx.org/bom"
SPDX = "https://spdx.dev/Document"
"""The predicate types that in-toto gives to the two (github.com/in-toto/attestation)."""


@dataclass(frozen=True, slots=True)
class Bom:
    """form: predicate type. about: what it says that it lists the components of, by digest.

    parts: components, files and packages with a digest. components: how many it lists.
    """

    form: str
    about: tuple[Named, ...]
    parts: tuple[Named, ...]
    components: int


def is_bom(value: Mapping[str, Any]) -> bool:
    """Does the JSON object say that it is an SBOM?"""
    return value.get("bomFormat") == "CycloneDX" or "spdxVersion" in value or _is_spdx_3(value)


def read_bom(value: Mapping[str, Any]) -> Bom:
    """Raises ValueError for another version or a document without a single component."""
    if value.get("bomFormat") == "CycloneDX":
        found = _cyclonedx(value)
    elif _is_spdx_3(value):
        found = _spdx_3(value)
    else:
        found = _spdx_2(value)
    if not found.components:
        raise ValueError("it lists no component")
    return found


def _cyclonedx(value: Mapping[str, Any]) -> Bom:
    version = str(value.get("specVersion", ""))
    if not (version.startswith("1.") and version[2:].isdigit() and int(version[2:]) >= 4):
        raise ValueError(f"CycloneDX {version[:20]!r} is not 1.4 or later")
    main = as_mapping(as_mapping(value.get("metadata")).get("component"))
    listed = [as_mapping(one) for one in as_list(value.get("components"))]
    every = list(_nested(listed))
    return Bom(CYCLONEDX, tuple(_hashes(main, "hashes", "alg", "content")),
               tuple(one for part in every for one in _hashes(part, "hashes", "alg", "content")),
               len(every))  # fmt: skip


def _nested(parts: list[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    waiting = list(parts)
    while waiting:
        part = waiting.pop()
        yield part
        waiting += [as_mapping(one) for one in as_list(part.get("components"))]


def _spdx_2(value: Mapping[str, Any]) -> Bom:
    version = str(value["spdxVersion"])
    if version not in ("SPDX-2.2", "SPDX-2.3"):
        raise ValueError(f"{version[:20]!r} is not SPDX-2.2 or SPDX-2.3")
    parts = [as_mapping(one) for key in ("packages", "files") for one in as_list(value.get(key))]
    described = {str(one) for one in as_list(value.get("documentDescribes"))}
    for relation in map(as_mapping, as_list(value.get("relationships"))):
        if relation.get("relationshipType") == "DESCRIBES":
            described.add(str(relation.get("relatedSpdxElement")))
    keys = ("checksums", "algorithm", "checksumValue")
    return Bom(SPDX, tuple(one for part in parts if str(part.get("SPDXID")) in described
                           for one in _hashes(part, *keys)),
               tuple(one for part in parts for one in _hashes(part, *keys)),
               len(parts))  # fmt: skip


def _is_spdx_3(value: Mapping[str, Any]) -> bool:
    return "@graph" in value and "spdx.org/rdf/3." in str(value.get("@context"))


def _spdx_3(value: Mapping[str, Any]) -> Bom:
    elements = [as_mapping(one) for one in as_list(value.get("@graph"))]
    parts = [one for one in elements
             if str(one.get("type")).rpartition("_")[2] in ("Package", "File", "AIPackage",
                                                            "DatasetPackage")]  # fmt: skip
    roots = {
        str(root)
        for one in elements
        if one.get("type") in ("SpdxDocument", "software_Sbom")
        for root in as_list(one.get("rootElement"))
    }
    keys = ("verifiedUsing", "algorithm", "hashValue")
    return Bom(SPDX, tuple(one for part in parts if str(part.get("spdxId")) in roots
                           for one in _hashes(part, *keys)),
               tuple(one for part in parts for one in _hashes(part, *keys)),
               len(parts))  # fmt: skip


def _hashes(part: Mapping[str, Any], key: str, algorithm: str, content: str) -> Iterator[Named]:
    name = str(part.get("name") or part.get("fileName") or "")
    for row in map(as_mapping, as_list(part.get(key))):
        if str(row.get(algorithm)).upper().replace("-", "") == "SHA256":
            digest = sha256_of(row.get(content))
            if digest is None:
                raise ValueError(f"the SHA-256 of {name[:60] or 'a component'} cannot be read")
            yield Named(name, digest)
