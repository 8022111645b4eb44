"""An environment of its own for every rival, made on first use from exact versions."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

BUILD = Path(__file__).resolve().parents[2] / "build" / "beside"
PINNED = Path(__file__).resolve().parents[1] / "environments"


def python_of(name: str) -> Path | str:
    """The interpreter of an environment that is ready, or the reason why it cannot be made."""
    pinned = PINNED / f"{name}.txt"
    wanted = hashlib.sha256(pinned.read_bytes()).hexdigest()
    folder = BUILD / "environments" / name
    ready, failed = folder / "ready", BUILD / "environments" / f"{name}.failed"
    python = folder / "bin" / "python"
    if ready.exists() and ready.read_text() == wanted:
        return python
    shutil.rmtree(folder, ignore_errors=True)
    failed.unlink(missing_ok=True)
    print(f"installing {name} ...", file=sys.stderr, flush=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    # No dependencies are looked for: the file names all of them, each in one version.
    install = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "-r", str(pinned)]
    done = subprocess.run(install, capture_output=True, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        reason = errors[-1] if errors else f"pip ended with {done.returncode}"
        failed.write_text(reason, encoding="utf-8")
        return reason
    ready.write_text(wanted)
    return python


def version_of(package: str) -> str:
    """The version of a rival as its file names it."""
    for line in (PINNED / f"{package}.txt").read_text(encoding="utf-8").splitlines():
        name, _, version = line.partition("==")
        if name.lower() == package:
            return version
    raise LookupError(f"{package}.txt does not name {package}")
