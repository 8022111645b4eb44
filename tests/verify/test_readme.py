"""The example of the package's README is run as it stands there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .conftest import DIGEST, NOW, Office

README = Path(__file__).parents[2] / "packages" / "guiderail-verify" / "README.md"


def run_example(folder: Path, digest: str) -> subprocess.CompletedProcess[str]:
    code = README.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    # The example asks the real clock; the permit of this test is good for centuries.
    code = code.replace("sha256:...", digest)
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=False
    )


def test_the_example_checks_a_real_permit(office: Office, tmp_path: Path) -> None:
    centuries = {"issued_at": NOW.replace(year=2000), "start_until": NOW.replace(year=2999)}
    issued = office.issue(**centuries)
    (tmp_path / "public.json").write_bytes(office.keyring.trusted.to_json())
    (tmp_path / "permit.dsse.json").write_bytes(issued.envelope)
    (tmp_path / "permit.tlog-proof").write_text(issued.proof, encoding="utf-8")
    allowed = run_example(tmp_path, DIGEST)
    assert (allowed.stdout, allowed.stderr) == ("allowed up to 0.25 of traffic\n", "")
    refused = run_example(tmp_path, "sha256:" + "0" * 64)
    assert refused.returncode == 1
    assert "(permit/other-digest)" in refused.stderr
