"""Resolve run.in, dev.in and bench.in into lock files with hashes and without index addresses.

Needs `uv` on the path (`pip install uv`); everything else in the project installs with plain pip.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
# Extras stay: where hashes are required, pip wants `name[extra]` pinned as others ask for it.
FLAGS = (
    "--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
    "--no-annotate", "--no-header", "--no-strip-extras", "--python-version", "3.11", "--quiet",
)  # fmt: skip


def project_dependencies() -> list[str]:
    """What pyproject.toml asks for, without our own distribution."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    return [line for line in project["dependencies"] if not line.startswith("guiderail")]


def wanted(name: str) -> list[str]:
    lines = (HERE / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(("#", "-r"))]


def main() -> int:
    uv = shutil.which("uv")
    if uv is None:
        print("uv is not on the path: pip install uv", file=sys.stderr)
        return 4
    run = project_dependencies() + wanted("run.in")
    with tempfile.TemporaryDirectory() as folder:
        dev = run + wanted("dev.in")
        same_versions = ("-c", str(HERE / "dev.txt"))
        for name, lines, pins in (
            ("dev.txt", dev, ()),
            ("run.txt", run, same_versions),
            ("bench.txt", dev + wanted("bench.in"), same_versions),
        ):
            source = Path(folder) / name.replace(".txt", ".in")
            source.write_text("\n".join(lines) + "\n")
            subprocess.run(
                [uv, "pip", "compile", *FLAGS, *pins, str(source), "-o", str(HERE / name)],
                check=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
