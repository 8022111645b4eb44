"""Keys for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guiderail.render.lines import Line, heading, paragraph

_NEXT = {
    "rotated": "Everything is signed by the old and the new keys now. Give keys/public.json (or "
    "`guiderail keys chain`) to every target and auditor, then run guiderail keys retire.",
    "retired": "The old private keys are destroyed here. Remove them from backups too. Targets "
    "that have the older public keys need the chain: guiderail keys chain > chain.jsonl",
    "compromised": "Give the chain and the new state to every target now: guiderail keys chain "
    "> chain.jsonl, guiderail permit state > state.json. Auditors that pinned the old key pin the "
    "new one by hand.",
}
_HEADS = {
    "rotated": "New keys are in use beside the old ones.",
    "retired": "The old keys are retired.",
    "compromised": "The compromised keys are ended; new ones are in use.",
}


def show_lines(document: Mapping[str, Any]) -> list[Line]:
    """The keys that sign now, then those that ended, then what is to be worried about."""
    lines = [Line(f"Keys of the log {document['origin']}, version {document['version']}", "bold")]
    for key in document["keys"]:
        lines += _key_lines(key)
    for notice in document["notices"]:
        lines += paragraph(notice, style="yellow")
    lines += paragraph(f"Targets and auditors pin {document['public_file']}.", style="dim")
    return lines


def changed_lines(document: Mapping[str, Any]) -> list[Line]:
    """What a change did, the keys after it, and what to do next."""
    lines = [Line(_HEADS[document["done"]], "green"), *show_lines(document)]
    if "sign_again" in document:
        lines += affected_lines({"done": False, **document["sign_again"]})
    return [*lines, *paragraph(_NEXT[document["done"]])]


def affected_lines(document: Mapping[str, Any]) -> list[Line]:
    """What has to be, or was, signed again."""
    permits, policies = document["permits"], document["policies"]
    if not permits and not policies:
        return paragraph("Nothing that is in force has to be signed again.")
    head = "Signed again:" if document["done"] else "To be signed again:"
    lines = heading(head)
    for permit in permits:
        lines += paragraph(
            f"{permit['id']} of {permit['case']}: {permit['workload']} in {permit['environment']}",
            indent=2,
            hang=2,
        )
    for policy in policies:
        lines += paragraph(
            f"the policy {policy['pack']} {policy['version']} for {policy['kind']}", indent=2
        )
    if not document["done"]:
        lines += paragraph(
            "Until then no target starts them anew. Look at each with guiderail case show, then "
            "run guiderail permit reissue with those that are yours, or with --all."
        )
    return lines


def _key_lines(key: Mapping[str, Any]) -> list[Line]:
    if key["state"] == "signs":
        safe = {True: "encrypted", False: "NOT ENCRYPTED", None: "in a key service"}
        what = f"signs now, {safe[key['protected']]}: {key['kept_in']}"
    else:
        what = f"{key['state']}, counts for the first {key['counts_for']} entries of the log"
    lines = paragraph(f"{key['role']:<10}  {key['kind']}, {what}", indent=2, hang=12)
    return [*lines, *paragraph(key["id"], indent=14, style="dim")]
