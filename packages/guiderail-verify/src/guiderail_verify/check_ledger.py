"""Checks of an audit pack's files, keys and ledger."""

from __future__ import annotations

import hashlib

from guiderail_verify import audit_files as files
from guiderail_verify.audit_entries import gaps, is_told
from guiderail_verify.audit_files import MANIFEST, changed_files
from guiderail_verify.audit_pack import AuditPack
from guiderail_verify.canonical import encode_base64, parse_object
from guiderail_verify.checks import Check
from guiderail_verify.dsse import open_envelope
from guiderail_verify.key_chain import KEYS_TYPE, open_version, read_chain, whole_chain
from guiderail_verify.signature import key_id
from guiderail_verify.trusted_keys import TrustedKeys

KEY_EVENTS = ("key.created", "key.rotated", "key.retired", "key.compromised")
FROM_INSIDE = (
    "checked with the key that lies in the pack: this shows that the pack agrees with itself, not "
    "who made it. Give the key that you got from elsewhere with --key"
)


ENDED = (
    "the key that you gave signs no more; the chain in the pack leads from it to the keys that do. "
    "If the operator told you that it was stolen, get the new one by another way"
)


def check_files(pack: AuditPack, check: Check) -> None:
    """Every file has the hash that the manifest says, and no file is missing or added."""
    check.looked_at = len(pack.manifest.files)
    check.failures.extend(changed_files(pack.folder, pack.manifest))


def check_signature(pack: AuditPack, check: Check) -> None:
    """The manifest is the one that the workspace signed when it wrote the pack."""
    check.looked_at = 1
    envelope = pack.read_unlisted(files.SIGNATURE)
    parse_object(envelope)
    statement = parse_object(open_envelope(envelope, pack.keys.permit).payload)
    found = hashlib.sha256(pack.read_unlisted(MANIFEST)).hexdigest()
    check.expect(
        statement.get("predicateType") == files.PREDICATE
        and statement.get("subject") == [{"name": MANIFEST, "digest": {"sha256": found}}],
        f"the signed statement is not about this {MANIFEST}",
    )


def check_checkpoint(pack: AuditPack, check: Check) -> None:
    """The checkpoint is signed by the pinned key, or at least by the one in the pack."""
    check.looked_at = 1
    checkpoint = pack.checkpoint
    if pack.pinned is None:
        check.note = FROM_INSIDE
    elif any(key.id == pack.pinned.to_text() for key in pack.keys.ended):
        check.note = ENDED
    check.expect(
        pack.keys.checkpoint[0] in pack.own_keys.checkpoint
        and pack.own_keys.origin == checkpoint.origin,
        f"{files.KEYS} names other keys of the log",
    )


def check_tree(pack: AuditPack, check: Check) -> None:
    """The entries give the root that was signed."""
    tree, checkpoint = pack.tree, pack.checkpoint
    check.looked_at = tree.size
    if tree.size != checkpoint.size:
        check.failures.append(
            f"{checkpoint.size} entries were signed and {tree.size} are in {files.ENTRIES}"
        )
        return
    root = tree.root(tree.size)
    check.expect(
        root == checkpoint.root,
        f"the root over the entries is {encode_base64(root)}, "
        f"signed was {encode_base64(checkpoint.root)}",
    )


def check_numbering(pack: AuditPack, check: Check) -> None:
    """Every entry stands in its place, and the events of each subject are numbered without gap."""
    check.looked_at = len(pack.bare_entries)
    check.failures.extend(gaps(pack.bare_entries))
    removed = sum(entry.removed is not None for entry in pack.bare_entries)
    if removed:
        check.note = f"{removed} entries were removed, and no more numbers than that are missing"


def check_details(pack: AuditPack, check: Check) -> None:
    """Every detail is the one that its entry commits to, and none of the scope is left out."""
    for entry in pack.entries:
        if entry.removed is None and is_told(entry, pack.manifest):
            check.looked_at += 1
            check.expect(
                entry.payload is not None,
                f"the details of entry {entry.seq} ({entry.type} of {entry.name}) are missing",
            )


def check_gone(pack: AuditPack, check: Check) -> None:
    """What was erased or removed is said to be so by a later entry, and by the right one."""
    erased = removed = 0
    for entry in pack.entries:
        if entry.removed is not None:
            removed += 1
            check.expect(
                pack.gone.pruned_by(entry.seq) == entry.removed,
                f"entry {entry.seq} is missing, and entry {entry.removed} does not say that its "
                "time was over",
            )
        if entry.erased is not None:
            erased += 1
            check.expect(
                pack.gone.erased_by(entry.actor, entry.seq) == entry.erased,
                f"the words in entry {entry.seq} are missing, and entry {entry.erased} does not "
                "say that their author was erased",
            )
    check.looked_at = len(pack.entries)
    if erased or removed:
        check.note = (
            f"{erased} entries have lost the words of people who were erased, {removed} were "
            "removed when their time was over: what they said is not verified, only that they "
            "were there"
        )


def check_keys(pack: AuditPack, check: Check) -> None:
    """The ledger recorded the first keys when they were made, and each change of them."""
    recorded = [
        (entry.payload or {}).get(field)
        for entry in pack.entries
        if entry.type == "key.created"
        for field in ("checkpoint_key", "permit_key")
    ]
    first = pack.keys
    if files.KEY_CHAIN in pack.manifest.files:
        first = _check_chain(pack, check)
    else:
        check.expect(
            first.version == 1, f"the keys have version {first.version} and no chain leads to it"
        )
    for key in first.checkpoint:
        check.looked_at += 1
        check.expect(key.to_text() in recorded, f"no entry records the key {key.to_text()}")
    for id_, public in first.permit.items():
        check.looked_at += 1
        check.expect(id_ in recorded, f"no entry records the permit key {id_[:12]}...")
        check.expect(id_ == key_id(public), f"the permit key {id_[:12]}... has another id")


def _check_chain(pack: AuditPack, check: Check) -> TrustedKeys:
    """Each version follows the one before and is recorded; gives the first one."""
    chain = read_chain(pack.read(files.KEY_CHAIN))
    newest = whole_chain(chain)
    check.expect(
        newest.keys.to_json() == pack.own_keys.to_json() == pack.keys.to_json(),
        f"{files.KEYS} is not the version at the end of {files.KEY_CHAIN}",
    )
    recorded = {
        digest
        for entry in pack.entries
        if entry.type in KEY_EVENTS
        for type_, digest in entry.evidence.values()
        if type_ == KEYS_TYPE
    }
    for number, envelope in enumerate(chain, 1):
        check.looked_at += 1
        found = hashlib.sha256(envelope).hexdigest()
        check.expect(
            f"sha256:{found}" in recorded, f"no entry records version {number} of the keys"
        )
    for id_, public in newest.keys.every_permit_key.items():
        check.expect(id_ == key_id(public), f"the permit key {id_[:12]}... has another id")
    return open_version(chain[0]).keys


def check_sample(pack: AuditPack, check: Check) -> None:
    """The records in the pack are those of the scope, or of the sample that the seed draws."""
    check.looked_at = len(pack.frame)
    written = {path.split("/")[1] for path in pack.manifest.files if path.startswith("cases/")}
    for case in sorted(pack.cases.keys() - written):
        check.failures.append(f"{case} belongs into the pack and is not there")
    for case in sorted(written - pack.cases.keys()):
        check.failures.append(f"{case} is in the pack and does not belong there")
