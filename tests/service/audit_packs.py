"""Audit packs for the tests: written by the product, read by the verifier in a bare Python."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cryptography

from guiderail_verify.canonical import canonical_json

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
