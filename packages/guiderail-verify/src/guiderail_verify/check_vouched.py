"""Checks that facts which somebody vouches for are those that were signed, about this release."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import CaseHistory, Entry
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.check_cases import dossiers_of
from guiderail_verify.checks import Check
from guiderail_verify.signed_by import is_signed_by, is_vouched_by, read_document

KNOWN: Final = {"runner": "verified", "system-of-record": "attested"}
GROWING: Final = ("security.age_days", "freshness.age_hours")
"""Facts that are older when they are used than when they were measured."""


def check_vouched(pack: AuditPack, check: Check) -> None:
    """Every fact with somebody behind it stands in a statement that they signed."""
    for case, history in pack.cases.items():
        for dossier in dossiers_of(history):
            facts = pack.object(files.dossier_path(case, dossier, "facts"))
            for name, row in facts.items():
                said = row["detail"].get("vouched_by") if isinstance(row, Mapping) else None
                if said is not None:
                    what = f"{case}: the fact {name}"
                    look = partial(_check_fact, pack, history, name, row, said, check)
                    check.each(what, look)


def _check_fact(
    pack: AuditPack,
    history: CaseHistory,
    name: str,
    row: Mapping[str, Any],
    said: Mapping[str, str],
    check: Check,
) -> None:
    where = f"{history.id}: the fact {name}"
    digest, signer = said["statement"], said["signer"]
    bound = [one for one in history.of_type("evidence.added")
             if digest in {found for _, found in one.evidence.values()}]  # fmt: skip
    check.expect(bool(bound), f"{where}: no entry of the case binds the statement")
    if not bound:
        return
    content = pack.read(files.evidence_path(digest))
    found = f"sha256:{hashlib.sha256(content).hexdigest()}"
    check.expect(found == digest, f"{where}: its statement has the digest {found[:19]}...")
    payload, token = read_document(content)
    statement = json.loads(payload)
    release = (history.submitted.digest or "").removeprefix("sha256:")
    check.expect(
        [one["digest"]["sha256"] for one in statement["subject"]] == [release],
        f"{where}: its statement is about another release",
    )
    stated = statement["predicate"]["facts"].get(name)
    check.expect(
        stated is not None and _agrees(name, stated["value"], row["value"]),
        f"{where}: its statement says something else",
    )
    added = _registered(pack, signer, bound[0].seq)
    check.expect(added is not None, f"{where}: {signer} was not registered then")
    if added is None:
        return
    trust, material = added["trust"], added["material"]
    check.expect(
        KNOWN.get(trust) == row["known_by"], f"{where}: {signer} cannot make it {row['known_by']}"
    )
    signed = (
        is_signed_by(content, material)
        if token is None
        else is_vouched_by(token, payload, json.loads(material))
    )
    check.expect(signed, f"{where}: {signer} did not sign its statement")


def _agrees(name: str, stated: Any, stored: Any) -> bool:
    if name in GROWING:
        return float(stored["number"]) >= float(stated["number"])
    return bool(stated == stored)


def _registered(pack: AuditPack, signer: str, before: int) -> Mapping[str, Any] | None:
    """What the ledger says about a signer just before an entry; None where it did not count."""
    found: Mapping[str, Any] | None = None
    entries: list[Entry] = [one for one in pack.entries if one.seq < before]
    for entry in entries:
        payload = entry.payload or {}
        if payload.get("name") == signer and entry.type == "signer.added":
            found = payload
        elif payload.get("name") == signer and entry.type == "signer.removed":
            found = None
    return found
