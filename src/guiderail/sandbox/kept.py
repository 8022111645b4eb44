"""Results of children that are kept: the same model and table are not run twice."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path


def keep(workdir: Path, slot: Path, names: Sequence[str]) -> None:
    """Move files into the cache in one step; a cache that cannot be written is no failure."""
    try:
        slot.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=slot.parent) as near:
            staged = Path(near) / "result"
            staged.mkdir()
            for name in names:
                shutil.copyfile(workdir / name, staged / name)
            if slot.exists():
                shutil.rmtree(slot)
            os.replace(staged, slot)
    except OSError:
        return
