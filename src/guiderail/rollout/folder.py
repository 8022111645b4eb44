"""Where a local target keeps its control files, and how one is written so that it is never half."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Folder:
    """The control files under one workspace's home.

    Written by the controller: `<workload>.json`, `_permit-state.json`, `_token`.
    Written by the gateway: `<workload>.applied.json`, `<workload>.breaker.json`, `_gateway.json`,
    `_decisions.db`, `_gateway.log`. No workload's name begins with an underscore.
    """

    home: Path

    @property
    def root(self) -> Path:
        return self.home / "targets" / "local"

    @property
    def public_keys(self) -> Path:
        return self.home / "keys" / "public.json"

    @property
    def key_chain(self) -> Path:
        return self.home / "keys" / "chain.jsonl"

    @property
    def token(self) -> Path:
        return self.root / "_token"

    @property
    def lock(self) -> Path:
        """Locked by the running gateway for as long as it lives; holds its process id."""
        return self.root / "_gateway.lock"

    @property
    def permit_state(self) -> Path:
        """The signed state of permits that was handed in last."""
        return self.root / "_permit-state.json"

    @property
    def running(self) -> Path:
        """Port and start of the running gateway."""
        return self.root / "_gateway.json"

    @property
    def log(self) -> Path:
        return self.root / "_gateway.log"

    @property
    def decisions(self) -> Path:
        return self.root / "_decisions.db"

    def desired(self, workload: str) -> Path:
        return self.root / f"{workload}.json"

    def applied(self, workload: str) -> Path:
        """What the gateway last served with every permit checked: a copy of a desired state."""
        return self.root / f"{workload}.applied.json"

    def breaker(self, workload: str) -> Path:
        return self.root / f"{workload}.breaker.json"

    def resolve(self, path: Path) -> Path:
        """A path of a control file; relative ones count from the home."""
        return path if path.is_absolute() else self.home / path

    def workloads(self) -> tuple[str, ...]:
        """Names with a desired or an applied state, sorted."""
        names = {
            path.name.split(".")[0]
            for path in self.root.glob("*.json")
            if path.name[0] not in "_." and not path.name.endswith(".breaker.json")
        }
        return tuple(sorted(names))


def write_atomically(path: Path, data: bytes, *, mode: int = 0o600) -> None:
    """Replace a file in one step: a reader sees the old bytes or the new ones, also after a crash.

    Raises OSError as writing does; the old file then stays.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
