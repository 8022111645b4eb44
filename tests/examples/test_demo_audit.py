"""What the demo leaves behind convinces an auditor who has nothing but the verifier."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import cryptography
import pytest

ROOT = Path(__file__).resolve().parents[2]
VERIFIER = ROOT / "packages" / "guiderail-verify" / "src" / "guiderail_verify"
NEEDED = ("cryptography", "cffi", "_cffi_backend", "pycparser")


def only_the_verifier(folder: Path) -> Path:
    """A virtual environment with guiderail-verify and cryptography; its Python."""
    venv.create(folder, with_pip=False, symlinks=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for library in Path(cryptography.__file__).parents[1].iterdir():
        if library.name.startswith(NEEDED):
            (site / library.name).symlink_to(library)
    shutil.copytree(VERIFIER, site / VERIFIER.name)
    return folder / "bin" / "python"


@pytest.mark.slow
def test_the_export_of_the_demo_verifies_and_every_decision_is_made_again(tmp_path: Path) -> None:
    root = tmp_path / "checkout"
    shutil.copytree(ROOT / "examples", root / "examples")

    def guiderail(*arguments: str) -> None:
        command = [sys.executable, "-m", "guiderail", *arguments]
        subprocess.run(command, cwd=root, check=True, capture_output=True)

    guiderail("demo")
    guiderail("ledger", "export", str(tmp_path / "pack"))
    python = only_the_verifier(tmp_path / "auditor")
    missing = subprocess.run([python, "-c", "import guiderail"], capture_output=True, check=False)
    assert missing.returncode != 0
    key = root / ".guiderail" / "keys" / "public.json"
    command = [python, "-m", "guiderail_verify", tmp_path / "pack", "--key", key, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    answer = json.loads(done.stdout)
    assert [one for one in answer["checks"] if not one["ok"]] == []
    assert (done.returncode, answer["key"]) == (0, "given")
    looked_at = {one["id"]: one["looked_at"] for one in answer["checks"]}
    entries = [json.loads(line) for line in (tmp_path / "pack" / "entries.jsonl").open("rb")]
    types = [entry["type"] for entry in entries]
    assert looked_at["decisions"] == types.count("case.submitted") + types.count("case.decided")
    assert looked_at["approvals"] == looked_at["decisions"] + types.count("permit.issued")
    with (tmp_path / "pack" / "tables" / "segregation.csv").open(encoding="utf-8") as rows:
        assert list(csv.DictReader(rows)) == []
