"""Audit packs for the tests: written by the product, read by the verifier in a bare Python."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cryptography

from guiderail.attest.keys import Keyring
from guiderail.attest.statement import sign_statement, statement
from guiderail.core.digest import sha256_digest
from guiderail.core.subject import Subject
from guiderail.ledger.append import commitment
from guiderail_verify.audit_files import PREDICATE
from guiderail_verify.canonical import canonical_json
from guiderail_verify.entry_tree import EntryTree
from guiderail_verify.note import Checkpoint
from tests.service.depot import Depot

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "packages" / "guiderail-verify" / "src"
_BARE = """
import sys
sys.path[:0] = {places!r}
from guiderail_verify.__main__ import main
code = main(sys.argv[1:])
assert not any(name.partition(".")[0] == "guiderail" for name in sys.modules)
sys.exit(code)
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the verifier said. code: its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def failed(self) -> dict[str, list[str]]:
        """Check id -> what differs, of the checks that did not pass."""
        return {one["id"]: one["failures"] for one in self.json["checks"] if not one["ok"]}


Verify = Callable[..., Answer]


def key_of(depot: Depot) -> str:
    keys = json.loads((depot.home / "keys" / "public.json").read_bytes())
    return str(keys["checkpoint"][0])


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def bare_verifier(libraries: Path) -> list[str]:
    """A command with the standard library, cryptography and guiderail-verify, and nothing else.

    libraries: an empty directory, into which links to cryptography and what it needs are laid.
    """
    site = Path(cryptography.__file__).parents[1]
    for library in site.iterdir():
        if library.name.startswith(("cryptography", "cffi", "_cffi_backend", "pycparser")):
            place = libraries / library.name
            if not place.exists():
                place.symlink_to(library)
    code = _BARE.format(places=[str(VERIFIER), str(libraries)])
    return [sys.executable, "-I", "-S", "-c", code]


def verify(command: list[str], *arguments: str | Path) -> Answer:
    done = subprocess.run(
        [*command, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr, done.stderr
    return Answer(done.returncode, done.stdout, done.stderr)


def rewrite(path: Path, change: dict[str, Any]) -> None:
    """Change keys of a file of canonical JSON, as somebody who knows the format would."""
    path.write_bytes(canonical_json({**json.loads(path.read_bytes()), **change}))


def reseal(pack: Path, keyring: Keyring) -> None:
    """Write and sign the manifest again over what lies in the pack, as its operator could."""
    manifest = json.loads((pack / "manifest.json").read_bytes())
    manifest["files"] = {
        path.relative_to(pack).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in pack.rglob("*")
        if path.is_file() and not path.name.startswith("manifest.")
    }
    content = canonical_json(manifest)
    (pack / "manifest.json").write_bytes(content)
    subject = Subject("audit-pack", "manifest.json", sha256_digest(content))
    signed = sign_statement(statement(subject, PREDICATE, {}), keyring)
    (pack / "manifest.dsse.json").write_bytes(signed)


def rewrite_history(
    pack: Path, keyring: Keyring, change: Callable[[dict[str, Any], dict[str, Any]], None]
) -> None:
    """Change entries and details, commit to them again and sign the tree again.

    change: gets every entry and its details, both to be changed in place. Only who holds all keys
    of the workspace can do this. The proofs of cases and permits stay as they were.
    """
    details = [json.loads(line) for line in (pack / "disclosed.jsonl").read_bytes().splitlines()]
    entries = [json.loads(line) for line in (pack / "entries.jsonl").read_bytes().splitlines()]
    for detail in details:
        entry = entries[detail["seq"]]
        change(entry, detail["payload"])
        clear = canonical_json(detail["payload"])
        entry["payload"]["value"] = commitment(base64.b64decode(detail["salt"]), clear)
        if words := detail.get("words"):
            clear = canonical_json(words["payload"])
            entry["payload"]["words"] = commitment(base64.b64decode(words["salt"]), clear)
    bodies = [canonical_json(entry) for entry in entries]
    (pack / "entries.jsonl").write_bytes(b"".join(body + b"\n" for body in bodies))
    rows = b"".join(canonical_json(detail) + b"\n" for detail in details)
    (pack / "disclosed.jsonl").write_bytes(rows)
    root = EntryTree(bodies).root(len(bodies))
    note = keyring.sign_note(Checkpoint(keyring.origin, len(bodies), root).to_text())
    (pack / "checkpoint.txt").write_text(note, encoding="utf-8")
    reseal(pack, keyring)
